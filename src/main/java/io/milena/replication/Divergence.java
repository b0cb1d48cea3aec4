package io.milena.replication;

import io.milena.log.LogView;

/**
 * Whether a follower's log agrees with its leader's up to the follower's end (KIP-101, KIP-279,
 * with the truncation embedded in the fetch as KIP-595 does it). Decided by the leader for each
 * fetch.
 */
public sealed interface Divergence {

  /** It agrees: records from the position on may be sent, and the position counts. */
  enum None implements Divergence {
    NONE
  }

  /** It does not, or may not: the follower has to truncate and ask again. */
  record Diverging(DivergingEpoch epoch) implements Divergence {}

  /**
   * It ends before the leader's log begins (OFFSET_OUT_OF_RANGE): the follower begins anew at the
   * leader's log start offset.
   */
  enum BelowLogStart implements Divergence {
    BELOW_LOG_START
  }

  /**
   * Compares a position with the leader's log.
   *
   * @param leader view of the leader's log, taken from a view in which it leads
   * @param fetchOffset the follower's log end offset
   * @param lastFetchedEpoch the newest epoch in the follower's log, or -1 when it has none
   */
  static Divergence of(LogView leader, long fetchOffset, int lastFetchedEpoch) {
    if (fetchOffset < leader.logStartOffset()) {
      return BelowLogStart.BELOW_LOG_START;
    }
    if (fetchOffset == leader.logStartOffset()) {
      return None.NONE; // Nothing that the leader still has can differ.
    }
    if (lastFetchedEpoch < 0 && fetchOffset <= leader.logEndOffset()) {
      return None.NONE; // The follower's log is empty.
    }
    DivergingEpoch common = endOfEpoch(leader, lastFetchedEpoch);
    return common.leaderEpoch() < lastFetchedEpoch || common.endOffset() < fetchOffset
        ? new Diverging(common)
        : None.NONE;
  }

  /**
   * The largest epoch in a log's history that is not above {@code epoch}, and where it ends; the
   * log's end for every epoch from its newest on, and for an empty history.
   */
  static DivergingEpoch endOfEpoch(LogView log, int epoch) {
    int latest = log.latestLeaderEpoch();
    if (epoch < 0 || epoch >= latest) {
      return new DivergingEpoch(latest, log.logEndOffset());
    }
    LogView.EpochEnd end = log.endOffsetForEpoch(epoch);
    return new DivergingEpoch(end.leaderEpoch(), end.endOffset());
  }
}
