package io.milena.metadata;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * How partitions leave a replica set for one of their own, and come back. A set is detached while
 * its partitions are reassigned, cannot be used on a node where others of their set can, or have
 * lost records in an unclean election that others of their set did not have. Partitions that do the
 * same at the same time share one.
 */
final class DetachedSets {

  private DetachedSets() {}

  /**
   * Moves partitions of one set to a new one with the same replicas.
   *
   * @return the new set
   */
  static ReplicaSetImage split(
      Draft draft, ReplicaSetImage from, Map<Uuid, List<Integer>> partitions) {
    return detach(
        draft, from, partitions, from.replicas(), from.addingReplicas(), from.removingReplicas());
  }

  /**
   * Moves partitions of one set to a new one. The old set is removed if it was detached itself and
   * nothing is left in it.
   *
   * @return the new set
   */
  static ReplicaSetImage detach(
      Draft draft,
      ReplicaSetImage from,
      Map<Uuid, List<Integer>> partitions,
      List<Integer> replicas,
      List<Integer> adding,
      List<Integer> removing) {
    ReplicaSetImage detached =
        Leadership.detached(
            draft.image().nextReplicaSetId(),
            from,
            replicas,
            adding,
            removing,
            canLead(draft.image()));
    draft.add(new MetadataRecord.ReplicaSetChanged(detached));
    move(draft, partitions, detached.id());
    if (from.detached() && ReplicaSets.isEmpty(draft.image(), from.id())) {
      draft.add(new MetadataRecord.ReplicaSetRemoved(from.id()));
    }
    return detached;
  }

  /** Ends reassignments that are done, and brings partitions back to the set of their replicas. */
  static void review(Draft draft, Map<String, String> nodeConfig) {
    TreeMap<Integer, ReplicaSetImage> sets = new TreeMap<>(draft.image().replicaSets());
    boolean changed = false;
    for (ReplicaSetImage each : sets.values()) {
      @Nullable ReplicaSetImage set = draft.image().replicaSets().get(each.id());
      if (set == null || !set.detached()) {
        continue;
      }
      if (set.isReassigning()) {
        ReplicaSetImage done = Leadership.completed(set, canLead(draft.image())).orElse(null);
        if (done == null) {
          continue;
        }
        draft.add(new MetadataRecord.ReplicaSetChanged(done));
        set = done;
        changed = true;
      }
      changed |= bringBack(draft, set);
    }
    if (changed) {
      ReplicaSets.reviewEligibility(draft, nodeConfig);
    }
  }

  /** Whether it could. */
  private static boolean bringBack(Draft draft, ReplicaSetImage detached) {
    if (!detached.offline().isEmpty()) {
      return false;
    }
    ReplicaSetImage home = draft.replicaSets().find(detached.replicas());
    if (home != null && !ReplicaSets.isEmpty(draft.image(), home.id())) {
      ReplicaSetImage merged = Leadership.merged(home, detached).orElse(null);
      if (merged == null) {
        return false;
      }
      draft.add(new MetadataRecord.ReplicaSetChanged(merged));
      move(draft, ReplicaSets.partitionsOf(draft.image(), detached.id()), home.id());
      draft.add(new MetadataRecord.ReplicaSetRemoved(detached.id()));
      return true;
    }
    if (home != null) {
      draft.add(new MetadataRecord.ReplicaSetRemoved(home.id()));
    }
    ReplicaSetImage attached = Leadership.attached(detached);
    draft.add(new MetadataRecord.ReplicaSetChanged(attached));
    draft.replicaSets().attached(attached);
    return true;
  }

  private static void move(Draft draft, Map<Uuid, List<Integer>> partitions, int setId) {
    new TreeMap<>(partitions)
        .forEach((topicId, indexes) -> {
          Map<Integer, Integer> moves = new HashMap<>();
          indexes.forEach(partition -> moves.put(partition, setId));
          draft.add(new MetadataRecord.PartitionsMoved(topicId, moves));
        });
  }

  /**
   * A partition by its name.
   *
   * @throws Refusal with Kafka's message if there is none
   */
  static PartitionImage existing(MetadataImage image, TopicPartition partition) {
    TopicImage topic = image.topic(partition.topic());
    if (topic == null) {
      throw new Refusal(Errors.UNKNOWN_TOPIC_OR_PARTITION, "No such topic as " + partition.topic());
    }
    if (partition.partition() < 0 || partition.partition() >= topic.partitions().size()) {
      throw new Refusal(Errors.UNKNOWN_TOPIC_OR_PARTITION, "No such partition as " + partition);
    }
    return topic.partitions().get(partition.partition());
  }

  private static IntPredicate canLead(MetadataImage image) {
    return node -> ReplicaSets.canLead(image, node);
  }
}
