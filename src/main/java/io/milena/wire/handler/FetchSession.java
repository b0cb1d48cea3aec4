package io.milena.wire.handler;

import java.util.SequencedMap;

/**
 * An incremental fetch session (KIP-227): the partitions a client reads, so that its requests name
 * only what changed and responses carry only what is new. One request at a time uses it, under its
 * monitor.
 */
final class FetchSession {

  /** Epoch of a request that starts a session. */
  static final int INITIAL_EPOCH = 0;

  /** Epoch of a request outside any session. */
  static final int FINAL_EPOCH = -1;

  final int id;
  final boolean usesTopicIds;
  final SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions;

  /** The epoch that the next request must carry. */
  int nextEpoch = 1;

  /** Monotonic time of the last use, for eviction. */
  volatile long lastUsedNanos;

  FetchSession(
      int id,
      boolean usesTopicIds,
      SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions,
      long nowNanos) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.partitions = partitions;
    this.lastUsedNanos = nowNanos;
  }

  /** Moves to the epoch after this one; it wraps to 1, as 0 and -1 have meanings of their own. */
  void advanceEpoch() {
    nextEpoch = nextEpoch == Integer.MAX_VALUE ? 1 : nextEpoch + 1;
  }
}
