package io.milena.metadata;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.protocol.Errors;

/** The rules of replica assignments given by hand, with Kafka's messages. */
final class Assignments {

  private Assignments() {}

  /**
   * The lists of a new topic by partition index.
   *
   * @throws Refusal if partitions are missing, or a list is not allowed
   */
  static List<List<Integer>> ofNewTopic(
      MetadataImage image, Map<Integer, List<Integer>> assignments) {
    List<List<Integer>> lists = new ArrayList<>(assignments.size());
    for (int partition = 0; partition < assignments.size(); partition++) {
      List<Integer> replicas = assignments.get(partition);
      if (replicas == null) {
        throw new Refusal(
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "partitions should be a consecutive 0-based integer sequence, but partition "
                + partition
                + " is missing");
      }
      lists.add(replicas);
    }
    check(image, lists, 0, lists.getFirst().size());
    return lists;
  }

  /**
   * @param lists the replicas of partitions {@code firstPartition} and following
   * @param replicationFactor what each must have
   * @throws Refusal if a list is not allowed
   */
  static void check(
      MetadataImage image, List<List<Integer>> lists, int firstPartition, int replicationFactor) {
    for (int i = 0; i < lists.size(); i++) {
      List<Integer> replicas = lists.get(i);
      int partition = firstPartition + i;
      checkNodes(image, replicas);
      if (replicas.size() != replicationFactor) {
        throw new Refusal(
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes a partition with "
                + replicas.size()
                + " replica(s), but this is not consistent with previous partitions, which have "
                + replicationFactor
                + " replica(s).");
      }
      if (replicas.stream().noneMatch(node -> ReplicaSets.canLead(image, node))) {
        throw new Refusal(
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "All brokers specified in the manual partition assignment for partition "
                + partition
                + " are fenced or in controlled shutdown.");
      }
    }
  }

  /**
   * @throws Refusal if the list is empty, or names a node twice or one that is not registered
   */
  static void checkNodes(MetadataImage image, List<Integer> replicas) {
    if (replicas.isEmpty()) {
      throw new Refusal(
          Errors.INVALID_REPLICA_ASSIGNMENT,
          "The manual partition assignment includes an empty replica list.");
    }
    Set<Integer> seen = new HashSet<>();
    for (int node : replicas) {
      if (!image.nodes().containsKey(node)) {
        throw new Refusal(
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes broker "
                + node
                + ", but no such broker is registered.");
      }
      if (!seen.add(node)) {
        throw new Refusal(
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment includes the broker " + node + " more than once.");
      }
    }
  }
}
