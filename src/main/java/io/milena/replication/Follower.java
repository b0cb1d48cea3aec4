package io.milena.replication;

/**
 * What a leader knows of one follower in one leader epoch. Mutable; {@link LeaderProgress} owns it.
 */
final class Follower {

  static final long UNKNOWN = -1;

  final int nodeId;
  long nodeEpoch = UNKNOWN;
  long logStartOffset = UNKNOWN;
  long logEndOffset = UNKNOWN;
  long keptEndOffset = UNKNOWN;

  /** In the ISR that the metadata group has committed. */
  boolean inSync;

  /** Asked to be in sync: counts for the high watermark before it is (KIP-497). */
  boolean joining;

  /** Once it has been said that it caught up, or that it joined: not said again. */
  boolean reported;

  /** The newest time at which it is known to have kept all that the leader had. */
  long caughtUpNanos;

  private long fetchedNanos;
  private long leaderEndWhenFetched = UNKNOWN;

  Follower(int nodeId, long nowNanos) {
    this.nodeId = nodeId;
    this.caughtUpNanos = nowNanos;
    this.fetchedNanos = nowNanos;
  }

  /** Whether the high watermark waits for it. */
  boolean counts() {
    return inSync || joining;
  }

  /** Another life of its node: nothing that was known of the one before holds. */
  void restart(long newNodeEpoch) {
    nodeEpoch = newNodeEpoch;
    joining = false;
    reported = false;
    leaderEndWhenFetched = UNKNOWN;
    logStartOffset = UNKNOWN;
    logEndOffset = UNKNOWN;
    keptEndOffset = UNKNOWN;
  }

  /**
   * It has fetched. In one epoch of its leader and one life of its node a follower that agrees with
   * the leader only grows, so what seems smaller has come late, over a connection of the past.
   */
  void moveTo(FollowerPosition position, long leaderEndOffset) {
    logStartOffset = Math.max(logStartOffset, position.logStartOffset());
    logEndOffset = Math.max(logEndOffset, position.logEndOffset());
    keptEndOffset =
        Math.max(keptEndOffset, Math.min(position.keptEndOffset(), position.logEndOffset()));
    if (keptEndOffset >= leaderEndOffset) {
      caughtUpNanos = later(caughtUpNanos, position.nowNanos());
    } else if (leaderEndWhenFetched >= 0 && keptEndOffset >= leaderEndWhenFetched) {
      // It has what the leader had at the fetch before this one.
      caughtUpNanos = later(caughtUpNanos, fetchedNanos);
    }
    fetchedNanos = position.nowNanos();
    leaderEndWhenFetched = leaderEndOffset;
  }

  private static long later(long nanos, long otherNanos) {
    return otherNanos - nanos > 0 ? otherNanos : nanos;
  }
}
