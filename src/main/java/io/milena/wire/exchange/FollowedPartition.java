package io.milena.wire.exchange;

import io.milena.replication.Replica;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A partition in a {@link FollowerLink}: what its leader has been told. A new one is made whenever
 * the partition comes to the link; everything but the marks is used on the link's thread only.
 */
final class FollowedPartition {
  static final int NO_HANDLE = -1;

  final Replica replica;

  /** Whether it waits to be looked at, in the link's queue of marked partitions. */
  final AtomicBoolean marked = new AtomicBoolean();

  /** Set once the link shall follow it no more. */
  volatile boolean removed;

  /** Set once the link has it. */
  boolean added;

  /** What stands for it on the present connection. */
  int handle = NO_HANDLE;

  /** Whether the leader knows a position, the one below. */
  boolean told;

  byte version;
  int toldLeaderEpoch;
  long toldLogStartOffset;
  long toldLogEndOffset;
  int toldNewestEpoch;
  long toldKeptEndOffset;

  /** How many answers are with the replica: what it will say next is not known yet. */
  int answers;

  /** The leader waits for a position, even for the same one. */
  boolean mustTell;

  /** Nothing is told until a timer has ended. */
  boolean pausing;

  /** The last answer could not be taken, and that was logged. */
  boolean failing;

  FollowedPartition(Replica replica) {
    this.replica = replica;
  }

  /** The connection has ended: the next one knows nothing of it. */
  void forgetConnection() {
    handle = NO_HANDLE;
    told = false;
    mustTell = false;
  }

  @Override
  public String toString() {
    return replica.partition().toString();
  }
}
