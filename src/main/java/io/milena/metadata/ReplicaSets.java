package io.milena.metadata;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/**
 * The replica sets of a draft, by their list of replicas: partitions of the same list share one.
 */
final class ReplicaSets {

  /**
   * Sets without a partition that are kept, as the next topic will want them. Above that all of
   * them go: lists given by hand must not pile up.
   */
  static final int EMPTY_SETS_MAX = 64;

  private final Draft draft;
  private final Map<List<Integer>, Integer> idsByReplicas = new HashMap<>();

  ReplicaSets(Draft draft) {
    this.draft = draft;
    for (ReplicaSetImage set : draft.image().replicaSets().values()) {
      if (!set.detached()) {
        // Two sets of one list cannot arise here; were there two, the older one is taken.
        idsByReplicas.merge(set.replicas(), set.id(), Math::min);
      }
    }
  }

  /** The set of these replicas where partitions are placed; null if there is none. */
  @Nullable ReplicaSetImage find(List<Integer> replicas) {
    Integer id = idsByReplicas.get(replicas);
    return id == null ? null : draft.image().replicaSets().get(id);
  }

  /** A set is the one of its replicas from now on: partitions are placed in it. */
  void attached(ReplicaSetImage set) {
    idsByReplicas.put(set.replicas(), set.id());
  }

  /** The id of the set of these replicas, which is made if there is none. */
  int idOf(List<Integer> replicas) {
    Integer id = idsByReplicas.get(replicas);
    if (id == null) {
      id = draft.image().nextReplicaSetId();
      MetadataImage image = draft.image();
      draft.add(
          new MetadataRecord.ReplicaSetChanged(
              Leadership.create(id, replicas, node -> canLead(image, node))));
      idsByReplicas.put(List.copyOf(replicas), id);
    }
    return id;
  }

  /** Whether a node may be given leadership. */
  static boolean canLead(MetadataImage image, int nodeId) {
    NodeImage node = image.nodes().get(nodeId);
    return node != null && !node.fenced() && !node.controlledShutdown();
  }

  /**
   * The smallest {@code min.insync.replicas} among the topics of each set; absent for sets without
   * a partition, and where the cluster keeps no eligible replicas. Absent means 1.
   */
  static Map<Integer, Integer> minIsrBySet(MetadataImage image, Map<String, String> nodeConfig) {
    Map<Integer, Integer> minIsr = new HashMap<>();
    if (!ClusterFeatures.keepsEligibleReplicas(image)) {
      // As before KIP-966: only the last in-sync replica remains eligible.
      return minIsr;
    }
    int inherited = minIsr(image, nodeConfig, null);
    for (TopicImage topic : image.topicsById().values()) {
      int topicMinIsr =
          image.configs().containsKey(MetadataReplay.topicResource(topic.name()))
              ? minIsr(image, nodeConfig, topic.name())
              : inherited;
      for (PartitionImage partition : topic.partitions()) {
        minIsr.merge(partition.replicaSetId(), topicMinIsr, Math::min);
      }
    }
    return minIsr;
  }

  private static int minIsr(
      MetadataImage image, Map<String, String> nodeConfig, @Nullable String topic) {
    // A name that no topic can have: what topics without overrides inherit.
    String name = topic == null ? "" : topic;
    String value =
        EffectiveConfigs.effectiveTopicValue(
            image, nodeConfig, name, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG);
    return value == null ? 1 : Integer.parseInt(value.trim());
  }

  /**
   * After a topic or a configuration changed: ends the eligibility of replicas that the ISR may now
   * leave behind.
   */
  static void reviewEligibility(Draft draft, Map<String, String> nodeConfig) {
    List<ReplicaSetImage> withElr =
        draft.image().replicaSets().values().stream()
            .filter(set -> !set.elr().isEmpty())
            .sorted(Comparator.comparingInt(ReplicaSetImage::id))
            .toList();
    if (withElr.isEmpty()) {
      return;
    }
    Map<Integer, Integer> minIsr = minIsrBySet(draft.image(), nodeConfig);
    for (ReplicaSetImage set : withElr) {
      ReplicaSetImage next = Leadership.withMinIsr(set, minIsr.getOrDefault(set.id(), 1));
      if (!next.equals(set)) {
        draft.add(new MetadataRecord.ReplicaSetChanged(next));
      }
    }
  }

  /**
   * The sets in which every partition is of a topic that keeps what it acknowledges on disk ({@code
   * durability=fsync}).
   */
  static Set<Integer> durableSets(MetadataImage image, Map<String, String> nodeConfig) {
    Set<Integer> durable = new HashSet<>(image.replicaSets().keySet());
    for (TopicImage topic : image.topicsById().values()) {
      String durability =
          EffectiveConfigs.effectiveTopicValue(
              image, nodeConfig, topic.name(), ConfigDefinitions.DURABILITY);
      if (!ConfigDefinitions.DURABILITY_FSYNC.equals(durability)) {
        topic.partitions().forEach(partition -> durable.remove(partition.replicaSetId()));
      }
    }
    return durable;
  }

  /** Whether any partition is in the set. */
  static boolean isEmpty(MetadataImage image, int setId) {
    return image.topicsById().values().stream()
        .flatMap(topic -> topic.partitions().stream())
        .noneMatch(partition -> partition.replicaSetId() == setId);
  }

  /** The partitions of a set, by topic. */
  static Map<Uuid, List<Integer>> partitionsOf(MetadataImage image, int setId) {
    Map<Uuid, List<Integer>> partitions = new TreeMap<>();
    for (TopicImage topic : image.topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        if (partition.replicaSetId() == setId) {
          partitions.computeIfAbsent(topic.id(), _ -> new ArrayList<>()).add(partition.partition());
        }
      }
    }
    return partitions;
  }

  /** After topics were deleted: removes the sets without a partition, if there are many. */
  static void removeEmpty(Draft draft) {
    Map<Integer, ReplicaSetImage> empty = new TreeMap<>(draft.image().replicaSets());
    for (TopicImage topic : draft.image().topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        empty.remove(partition.replicaSetId());
      }
    }
    boolean many = empty.size() > EMPTY_SETS_MAX;
    for (ReplicaSetImage set : empty.values()) {
      if (many || set.detached()) {
        draft.add(new MetadataRecord.ReplicaSetRemoved(set.id()));
      }
    }
  }
}
