package io.milena.metadata;

import io.milena.metadata.MetadataCommand.AlterReassignments;
import io.milena.metadata.MetadataCommand.Reassignment;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataReply.ItemResults;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;

/**
 * The rules of reassignments (KIP-455). A partition that moves goes to a detached set, whose
 * replicas are the target and, until the target is in sync, those it leaves. Partitions that one
 * command moves from one set to one target share that set: they arrive together.
 *
 * <p>That a reassignment is done is noticed by {@link DetachedSets#review}.
 */
final class ReassignmentRules {

  private ReassignmentRules() {}

  /** Partitions of one set with one target. */
  private record Move(int fromSet, List<Integer> target) {}

  static Decision<ItemResults<TopicPartition>> alter(
      MetadataImage image, AlterReassignments command) {
    Draft draft = new Draft(image);
    Set<TopicPartition> seen = new HashSet<>();
    Map<Move, Map<Uuid, List<Integer>>> moves = new LinkedHashMap<>();
    List<ItemResult<TopicPartition>> results = new ArrayList<>();
    for (Reassignment reassignment : command.partitions()) {
      TopicPartition partition = reassignment.partition();
      try {
        if (!seen.add(partition)) {
          throw new Refusal(Errors.INVALID_REQUEST, partition + " is named more than once.");
        }
        PartitionImage found = DetachedSets.existing(image, partition);
        ReplicaSetImage set = image.replicaSetOf(found);
        List<Integer> target = checkedTarget(image, set, reassignment, command);
        if (set.isReassigning() || !target.equals(set.replicas())) {
          TopicImage topic = Objects.requireNonNull(image.topic(partition.topic()));
          moves
              .computeIfAbsent(new Move(set.id(), target), _ -> new TreeMap<>())
              .computeIfAbsent(topic.id(), _ -> new ArrayList<>())
              .add(found.partition());
        }
        results.add(new ItemResult<>(partition, Errors.NONE, ""));
      } catch (Refusal refusal) {
        results.add(new ItemResult<>(partition, refusal.error(), refusal.reason()));
      }
    }
    moves.forEach((move, partitions) -> {
      ReplicaSetImage set = Objects.requireNonNull(image.replicaSets().get(move.fromSet()));
      move(draft, set, move.target(), partitions);
    });
    return draft.decided(new ItemResults<>(results));
  }

  private static List<Integer> checkedTarget(
      MetadataImage image,
      ReplicaSetImage set,
      Reassignment reassignment,
      AlterReassignments command) {
    List<Integer> original = original(set);
    if (reassignment.target().isEmpty()) {
      if (!set.isReassigning()) {
        throw new Refusal(
            Errors.NO_REASSIGNMENT_IN_PROGRESS, Errors.NO_REASSIGNMENT_IN_PROGRESS.message());
      }
      checkEligible(set, original, reassignment.partition());
      return original;
    }
    List<Integer> target = reassignment.target().get();
    Assignments.checkNodes(image, target);
    int size = set.isReassigning() ? set.targetReplicas().size() : original.size();
    if (!command.mayChangeReplicationFactor() && target.size() != size) {
      throw new Refusal(
          Errors.INVALID_REPLICATION_FACTOR,
          "The replication factor is changed from " + size + " to " + target.size());
    }
    checkEligible(
        set, Stream.concat(original.stream(), target.stream()).toList(), reassignment.partition());
    return target;
  }

  /** Those that had the partition before the reassignment under way, if there is one. */
  private static List<Integer> original(ReplicaSetImage set) {
    return set.replicas().stream().filter(node -> !set.addingReplicas().contains(node)).toList();
  }

  /** What is dropped at once must not be all that has the committed records. */
  private static void checkEligible(
      ReplicaSetImage set, List<Integer> kept, TopicPartition partition) {
    if (kept.stream().noneMatch(node -> set.isr().contains(node) || set.elr().contains(node))) {
      throw new Refusal(
          Errors.INVALID_REPLICA_ASSIGNMENT,
          "Unable to revert partition assignment for "
              + partition
              + " because it would require an unclean leader election: in sync are only "
              + set.isr()
              + ".");
    }
  }

  private static void move(
      Draft draft, ReplicaSetImage set, List<Integer> target, Map<Uuid, List<Integer>> partitions) {
    List<Integer> original = original(set);
    List<Integer> adding = target.stream().filter(node -> !original.contains(node)).toList();
    List<Integer> removing = original.stream().filter(node -> !target.contains(node)).toList();
    List<Integer> replicas = Stream.concat(target.stream(), removing.stream()).toList();
    DetachedSets.detach(draft, set, partitions, replicas, adding, removing);
  }
}
