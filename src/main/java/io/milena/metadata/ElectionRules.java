package io.milena.metadata;

import io.milena.metadata.MetadataCommand.ElectLeaders;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataReply.ItemResults;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.protocol.Errors;

/**
 * The rules of elections that somebody asks for (KIP-460), and of those that a topic asks for by
 * {@code unclean.leader.election.enable}. An unclean election loses records for the partitions it
 * is meant for only: where their set has others, it happens in a set of their own.
 */
final class ElectionRules {

  private ElectionRules() {}

  static Decision<ItemResults<TopicPartition>> elect(MetadataImage image, ElectLeaders command) {
    Draft draft = new Draft(image);
    List<TopicPartition> partitions = command.partitions().orElseGet(() -> all(image));
    Map<Integer, Result> bySet = new HashMap<>();
    if (command.unclean()) {
      uncleanly(draft, partitions, bySet);
    }
    List<ItemResult<TopicPartition>> results = new ArrayList<>();
    for (TopicPartition partition : partitions) {
      Result result;
      try {
        ReplicaSetImage set = image.replicaSetOf(DetachedSets.existing(image, partition));
        result = bySet.computeIfAbsent(set.id(), _ -> preferred(draft, set));
      } catch (Refusal refusal) {
        result = new Result(refusal.error(), refusal.reason());
      }
      if (command.partitions().isPresent() || result.error() != Errors.ELECTION_NOT_NEEDED) {
        results.add(new ItemResult<>(partition, result.error(), result.message()));
      }
    }
    return draft.decided(new ItemResults<>(results));
  }

  private record Result(Errors error, String message) {
    static final Result ELECTED = new Result(Errors.NONE, "");
    static final Result NOT_NEEDED =
        new Result(Errors.ELECTION_NOT_NEEDED, Errors.ELECTION_NOT_NEEDED.message());
  }

  private static List<TopicPartition> all(MetadataImage image) {
    List<TopicPartition> partitions = new ArrayList<>();
    new TreeMap<>(image.topicsByName())
        .values()
        .forEach(topic ->
            topic
                .partitions()
                .forEach(
                    each -> partitions.add(new TopicPartition(topic.name(), each.partition()))));
    return partitions;
  }

  private static Result preferred(Draft draft, ReplicaSetImage set) {
    int preferred = set.replicas().getFirst();
    if (set.leader() == preferred) {
      return Result.NOT_NEEDED;
    }
    if (!set.isr().contains(preferred) || !ReplicaSets.canLead(draft.image(), preferred)) {
      return new Result(
          Errors.PREFERRED_LEADER_NOT_AVAILABLE,
          "The preferred leader, node "
              + preferred
              + ", cannot lead: in sync are "
              + set.isr()
              + (ReplicaSets.canLead(draft.image(), preferred) ? "." : ", and it is not live."));
    }
    draft.add(new MetadataRecord.ReplicaSetChanged(Leadership.grant(set, preferred, 1)));
    return Result.ELECTED;
  }

  /** Elects for all partitions of a set that are asked for at once. */
  private static void uncleanly(
      Draft draft, List<TopicPartition> partitions, Map<Integer, Result> bySet) {
    MetadataImage image = draft.image();
    Map<Integer, Map<Uuid, List<Integer>>> asked = new LinkedHashMap<>();
    for (TopicPartition partition : partitions) {
      TopicImage topic = image.topic(partition.topic());
      if (topic != null
          && partition.partition() >= 0
          && partition.partition() < topic.partitions().size()) {
        List<Integer> indexes =
            asked
                .computeIfAbsent(
                    topic.partitions().get(partition.partition()).replicaSetId(),
                    _ -> new TreeMap<>())
                .computeIfAbsent(topic.id(), _ -> new ArrayList<>());
        if (!indexes.contains(partition.partition())) {
          indexes.add(partition.partition());
        }
      }
    }
    asked.forEach((setId, members) -> {
      ReplicaSetImage set = image.replicaSets().get(setId);
      if (set == null || set.leader() != ReplicaSetImage.NO_LEADER) {
        bySet.put(setId, Result.NOT_NEEDED);
      } else if (electUnclean(draft, set, members)) {
        bySet.put(setId, Result.ELECTED);
      } else {
        bySet.put(
            setId,
            new Result(
                Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE,
                "No replica is live among " + set.replicas() + "."));
      }
    });
  }

  /**
   * After a decision: elects for the partitions without a leader whose topic has {@code
   * unclean.leader.election.enable}.
   */
  static void electWhereLossIsAccepted(Draft draft, Map<String, String> nodeConfig) {
    List<ReplicaSetImage> leaderless =
        draft.image().replicaSets().values().stream()
            .filter(set -> set.leader() == ReplicaSetImage.NO_LEADER)
            .filter(set -> set.replicas().stream().anyMatch(canLead(draft.image(), set)::test))
            .sorted(Comparator.comparingInt(ReplicaSetImage::id))
            .toList();
    if (leaderless.isEmpty()) {
      return;
    }
    MetadataImage image = draft.image();
    Map<String, Boolean> accepted = new HashMap<>();
    for (ReplicaSetImage set : leaderless) {
      Map<Uuid, List<Integer>> members = new TreeMap<>(ReplicaSets.partitionsOf(image, set.id()));
      members
          .keySet()
          .removeIf(id -> {
            TopicImage topic = image.topic(id);
            return topic == null
                || !accepted.computeIfAbsent(
                    topic.name(), name -> acceptsLoss(image, nodeConfig, name));
          });
      if (!members.isEmpty()) {
        electUnclean(draft, set, members);
      }
    }
  }

  private static boolean acceptsLoss(
      MetadataImage image, Map<String, String> nodeConfig, String topic) {
    return Boolean.parseBoolean(
        EffectiveConfigs.effectiveTopicValue(
            image, nodeConfig, topic, TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG));
  }

  /**
   * @param members those that accept the loss
   * @return false if no replica is live
   */
  private static boolean electUnclean(
      Draft draft, ReplicaSetImage set, Map<Uuid, List<Integer>> members) {
    IntPredicate canLead = canLead(draft.image(), set);
    if (set.replicas().stream().noneMatch(canLead::test)) {
      return false;
    }
    boolean isWhole = count(members) == count(ReplicaSets.partitionsOf(draft.image(), set.id()));
    ReplicaSetImage concerned = isWhole ? set : DetachedSets.split(draft, set, members);
    Leadership.electUnclean(concerned, canLead)
        .ifPresent(elected -> draft.add(new MetadataRecord.ReplicaSetChanged(elected)));
    return true;
  }

  private static int count(Map<Uuid, List<Integer>> partitions) {
    return partitions.values().stream().mapToInt(List::size).sum();
  }

  private static IntPredicate canLead(MetadataImage image, ReplicaSetImage set) {
    return node -> !set.offline().contains(node) && ReplicaSets.canLead(image, node);
  }
}
