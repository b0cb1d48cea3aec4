package io.milena.replication;

import org.apache.kafka.common.protocol.Errors;

/** What became of a leader's answer at a follower. */
public sealed interface FollowedAnswer {

  /** Nothing is different. */
  enum Unchanged implements FollowedAnswer {
    UNCHANGED
  }

  /** Log, high watermark or log start offset are different. */
  enum Followed implements FollowedAnswer {
    FOLLOWED
  }

  /**
   * The log was cut back to where it can agree with the leader's.
   *
   * @param fromOffset where it ended, exclusive
   * @param toOffset where it ends
   * @param highWatermark what it was before: above {@code toOffset} only where an unclean election
   *     gave records up
   */
  record Truncated(long fromOffset, long toOffset, long highWatermark) implements FollowedAnswer {}

  /**
   * A batch was refused; those before it are in the log.
   *
   * @param error CORRUPT_MESSAGE, or another if the leader sent what was not asked for
   */
  record Refused(Errors error, String message) implements FollowedAnswer {}
}
