package io.milena.replication;

/**
 * Up to where a leader's log may agree with a follower's (KIP-595, KIP-320): the largest epoch in
 * the leader's history that is not above the follower's newest.
 *
 * @param leaderEpoch that epoch, or -1 when the leader knows none
 * @param endOffset exclusive end of it in the leader's log
 */
public record DivergingEpoch(int leaderEpoch, long endOffset) {}
