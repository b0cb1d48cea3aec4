package io.milena.metadata;

import java.util.List;

/**
 * An ordered list of nodes that hold the same partitions, with the facts of leadership they share.
 *
 * @param id identifies the set in the cluster, from 0, never reused
 * @param replicas assigned node ids; the first is the preferred leader. During a reassignment the
 *     target first, then those that leave; a set's list never grows
 * @param addingReplicas those of {@code replicas} that a reassignment under way adds (KIP-455)
 * @param removingReplicas those of {@code replicas} that it removes once the added ones are in sync
 * @param leader node id of the leader, or {@link #NO_LEADER}
 * @param leaderEpoch version of leadership: grows with every grant, from 0
 * @param isr in-sync replicas (KIP-966 keeps the last one here or in {@code elr})
 * @param elr eligible leader replicas: out of the ISR, yet with every committed record (KIP-966)
 * @param lastKnownElr members of an earlier ISR that stopped uncleanly (KIP-966)
 * @param partitionEpoch version of this whole record: grows with every change, from 0
 * @param detached true while partitions differ from the set where they belong (a reassignment, a
 *     damaged replica, unclean election): nothing is placed in it, and it is merged back when it
 *     can
 * @param offline those of {@code replicas} that run, yet cannot use their logs (a dead disk): they
 *     lead nothing and are not in sync until their node has been registered anew
 */
public record ReplicaSetImage(
    int id,
    List<Integer> replicas,
    List<Integer> addingReplicas,
    List<Integer> removingReplicas,
    int leader,
    int leaderEpoch,
    List<Integer> isr,
    List<Integer> elr,
    List<Integer> lastKnownElr,
    int partitionEpoch,
    boolean detached,
    List<Integer> offline) {

  /** In place of a node id: the set has no leader. */
  public static final int NO_LEADER = -1;

  public ReplicaSetImage {
    replicas = List.copyOf(replicas);
    addingReplicas = List.copyOf(addingReplicas);
    removingReplicas = List.copyOf(removingReplicas);
    isr = List.copyOf(isr);
    elr = List.copyOf(elr);
    lastKnownElr = List.copyOf(lastKnownElr);
    offline = List.copyOf(offline);
  }

  /** A set whose replicas can all use their logs. */
  public ReplicaSetImage(
      int id,
      List<Integer> replicas,
      List<Integer> addingReplicas,
      List<Integer> removingReplicas,
      int leader,
      int leaderEpoch,
      List<Integer> isr,
      List<Integer> elr,
      List<Integer> lastKnownElr,
      int partitionEpoch,
      boolean detached) {
    this(
        id,
        replicas,
        addingReplicas,
        removingReplicas,
        leader,
        leaderEpoch,
        isr,
        elr,
        lastKnownElr,
        partitionEpoch,
        detached,
        List.of());
  }

  /** Whether a reassignment is under way. */
  public boolean isReassigning() {
    return !addingReplicas.isEmpty() || !removingReplicas.isEmpty();
  }

  /** Where the partitions shall be: the assigned replicas without those that are to leave. */
  public List<Integer> targetReplicas() {
    return removingReplicas.isEmpty()
        ? replicas
        : replicas.stream().filter(node -> !removingReplicas.contains(node)).toList();
  }
}
