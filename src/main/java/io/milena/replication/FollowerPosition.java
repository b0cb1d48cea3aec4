package io.milena.replication;

/**
 * How far a follower's log reaches, as it says with each fetch. Only a position that {@link
 * Divergence} finds to agree with the leader's log, by a view of the leader in {@code leaderEpoch},
 * may be handed to {@link Replica#onFollowerPosition}: offsets of a log that has yet to be
 * truncated say nothing.
 *
 * @param nodeId the follower
 * @param nodeEpoch of the follower's registration: a position of an earlier life of the node is
 *     ignored
 * @param leaderEpoch the epoch in which it follows
 * @param logStartOffset first offset in its log
 * @param logEndOffset exclusive end of its log
 * @param keptEndOffset exclusive end of what its durability mode counts as kept, at most {@code
 *     logEndOffset}: what it acknowledges
 * @param nowNanos monotonic time of the leader's node at which the position arrived
 */
public record FollowerPosition(
    int nodeId,
    long nodeEpoch,
    int leaderEpoch,
    long logStartOffset,
    long logEndOffset,
    long keptEndOffset,
    long nowNanos) {}
