package io.milena.replication;

import java.util.List;

/**
 * Other in-sync replicas for a set, to be decided by the metadata group.
 *
 * @param number tells this node's proposals apart
 * @param setId which set
 * @param leaderEpoch in which this node leads it
 * @param partitionEpoch of the set as the proposal was made from
 * @param isr node ids, this node's among them
 * @param nodeEpochs the life of each of those nodes, in the order of {@code isr}
 */
public record InSyncProposal(
    long number,
    int setId,
    int leaderEpoch,
    int partitionEpoch,
    List<Integer> isr,
    List<Long> nodeEpochs) {

  public InSyncProposal {
    isr = List.copyOf(isr);
    nodeEpochs = List.copyOf(nodeEpochs);
  }
}
