package io.milena.metadata;

import io.milena.metadata.MetadataCommand.ReportOffline;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;

/**
 * What follows when a node that runs cannot use the logs of some partitions, because their disk
 * died say (KIP-112; KIP-858 has the controller know the directory of each replica instead). Those
 * partitions are detached, so that the node goes on leading the others of their sets, and come back
 * once it has begun anew and is in sync with them.
 */
final class OfflineRules {

  private OfflineRules() {}

  static Decision<MetadataReply.Done> report(
      MetadataImage image, ReportOffline command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage _ = NodeRules.registered(image, command.nodeId(), command.nodeEpoch());
    } catch (Refusal refusal) {
      return draft.decided(new MetadataReply.Done(refusal.error(), refusal.reason()));
    }
    List<Integer> concerned = new ArrayList<>();
    concerned(image, command)
        .forEach((setId, members) -> {
          ReplicaSetImage set = Objects.requireNonNull(image.replicaSets().get(setId));
          boolean isWhole = count(members) == count(ReplicaSets.partitionsOf(image, setId));
          concerned.add(
              set.detached() && isWhole ? setId : DetachedSets.split(draft, set, members).id());
        });
    if (!concerned.isEmpty()) {
      Map<Integer, Integer> minIsr = ReplicaSets.minIsrBySet(draft.image(), context.nodeConfig());
      for (int setId : concerned) {
        ReplicaSetImage set = Objects.requireNonNull(draft.image().replicaSets().get(setId));
        draft.add(
            new MetadataRecord.ReplicaSetChanged(
                Leadership.withOffline(
                    set,
                    command.nodeId(),
                    minIsr.getOrDefault(setId, 1),
                    node -> ReplicaSets.canLead(draft.image(), node))));
      }
    }
    return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
  }

  /** The partitions that are news, by set. */
  private static Map<Integer, Map<Uuid, List<Integer>>> concerned(
      MetadataImage image, ReportOffline command) {
    Map<Integer, Map<Uuid, List<Integer>>> bySet = new TreeMap<>();
    for (TopicPartitions reported : command.partitions()) {
      TopicImage topic = image.topic(reported.topicId());
      if (topic == null) {
        continue;
      }
      for (int index : reported.partitions().stream().distinct().sorted().toList()) {
        if (index < 0 || index >= topic.partitions().size()) {
          continue;
        }
        ReplicaSetImage set = image.replicaSetOf(topic.partitions().get(index));
        if (set.replicas().contains(command.nodeId())
            && !set.offline().contains(command.nodeId())) {
          bySet
              .computeIfAbsent(set.id(), _ -> new TreeMap<>())
              .computeIfAbsent(topic.id(), _ -> new ArrayList<>())
              .add(index);
        }
      }
    }
    return bySet;
  }

  private static int count(Map<Uuid, List<Integer>> partitions) {
    return partitions.values().stream().mapToInt(List::size).sum();
  }

  /** A node begins anew: what it cannot use it has to find out again. */
  static void forget(Draft draft, int nodeId) {
    draft.image().replicaSets().values().stream()
        .filter(set -> set.offline().contains(nodeId))
        .sorted(Comparator.comparingInt(ReplicaSetImage::id))
        .toList()
        .forEach(set ->
            draft.add(new MetadataRecord.ReplicaSetChanged(Leadership.withUsable(set, nodeId))));
  }
}
