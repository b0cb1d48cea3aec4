package io.milena.replication;

import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A replica of a set that is out of its ISR and fetches, in one life of its node. Mutable; {@link
 * SetInSync} owns it.
 */
final class JoiningReplica {

  final int nodeId;
  final long nodeEpoch;

  /** Partitions of the set that it has caught up with at some time. */
  final Set<TopicIdPartition> caughtUp = new HashSet<>();

  /** Partitions whose high watermark waits for it, and below which it lacks nothing. */
  final Set<TopicIdPartition> joined = new HashSet<>();

  /** Every partition was asked to wait for it. */
  boolean joining;

  /**
   * The metadata group was asked in the set's present partition epoch, and may say yes: whatever it
   * answers, it may still get an earlier copy of the question.
   */
  boolean proposed;

  long joiningSinceNanos;

  /** It took too long to join: not asked again before. */
  long notBeforeNanos;

  boolean delayed;

  JoiningReplica(int nodeId, long nodeEpoch) {
    this.nodeId = nodeId;
    this.nodeEpoch = nodeEpoch;
  }
}
