package io.milena.wire.exchange;

import io.milena.replication.Replica;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A partition of a {@link LeaderSession}: what its follower has said, and what it has been told.
 * The listener of the replica's views; everything else is used on the session's thread only.
 */
final class ServedPartition implements Runnable {

  /** What the follower is owed at the moment. */
  enum Owed {
    NOTHING,
    /** High watermark or log start offset have moved: no haste. */
    NEWS,
    /** Records, a divergence or an error. */
    ANSWER
  }

  static final long NOT_TOLD = -1;

  private final LeaderSession session;
  final int handle;
  final Uuid topicId;
  final int partition;

  /** Whether it waits to be looked at, in the session's queue of marked partitions. */
  final AtomicBoolean marked = new AtomicBoolean();

  /** Null while this node has none. */
  @Nullable Replica replica;

  boolean removed;

  /** True from the first position on until it has been answered, then again with the next. */
  boolean positioned;

  byte version;
  int leaderEpoch;
  long logStartOffset;
  long logEndOffset;
  int newestEpoch;
  long keptEndOffset;

  /** Whether the position has been found to agree with the leader's log. */
  boolean agrees;

  /** Whether the leader has yet to hear of the position, or of more that is kept. */
  boolean unacknowledged;

  /** Its records are held back by a throttle, until a timer has ended. */
  boolean postponed;

  /** In which of the session's queues it is. */
  Owed owed = Owed.NOTHING;

  long toldHighWatermark = NOT_TOLD;
  long toldLogStartOffset = NOT_TOLD;

  /** The present position was answered with nothing but the two above. */
  boolean toldNews;

  ServedPartition(LeaderSession session, int handle, Uuid topicId, int partition) {
    this.session = session;
    this.handle = handle;
    this.topicId = topicId;
    this.partition = partition;
  }

  /** A view was published; on the thread of the replica's actor. */
  @Override
  public void run() {
    session.mark(this);
  }

  @Override
  public String toString() {
    Replica current = replica;
    return current == null ? topicId + "-" + partition : current.partition().toString();
  }
}
