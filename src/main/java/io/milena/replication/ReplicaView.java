package io.milena.replication;

import io.milena.log.LogView;

/**
 * A replica as its actor last published it, by one volatile write: everything a reader needs
 * without asking the actor. A follower's position, from which it fetches next, is the view's {@code
 * log.logEndOffset()} and {@code log.latestLeaderEpoch()}.
 *
 * @param role what the replica is
 * @param leaderEpoch epoch of the leadership that {@code role} speaks of
 * @param leaderId node id of the leader in that epoch, this node's own where it leads, or {@link
 *     #NO_LEADER}
 * @param log the log's segments, log start offset, log end offset and epoch history; safe to read
 *     from any thread
 * @param highWatermark exclusive bound of what consumers may see
 * @param lastStableOffset exclusive bound for {@code read_committed}; at most {@code highWatermark}
 * @param keptEndOffset exclusive end of what the topic's durability mode counts as kept on this
 *     node: the log end, or with {@code fsync} what is on disk. A follower acknowledges it.
 */
public record ReplicaView(
    ReplicaRole role,
    int leaderEpoch,
    int leaderId,
    LogView log,
    long highWatermark,
    long lastStableOffset,
    long keptEndOffset) {

  /** In place of a node id: nobody leads, as far as this replica knows. */
  public static final int NO_LEADER = -1;

  /**
   * Whether the high watermark has reached the start of the leader's epoch (KIP-207). Until then a
   * former leader may have shown clients a higher one, and this one must not be told as the newest.
   */
  public boolean isHighWatermarkCurrent() {
    long epochStartOffset =
        log.latestLeaderEpoch() < leaderEpoch
            ? log.logEndOffset()
            : log.endOffsetForEpoch(leaderEpoch - 1).endOffset();
    return highWatermark >= epochStartOffset;
  }
}
