package io.milena.wire.handler;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.jspecify.annotations.Nullable;

/**
 * One partition that a client fetches: where it is, and what it was told last. In an incremental
 * session it outlives the request (KIP-227). Guarded by its session.
 */
final class FetchPartitionState {

  /** Identifies the partition in a session: by id where the client uses ids, else by name. */
  record Key(Uuid topicId, String topic, int partition) {}

  final Key key;

  /** The topic's name, null while its id is not known to this node. */
  @Nullable String topic;

  long fetchOffset;
  int maxBytes;
  int currentLeaderEpoch;
  int lastFetchedEpoch;

  /** What the client was told last, -1 before the first answer: only changes are sent again. */
  long toldHighWatermark = -1;

  long toldLogStartOffset = -1;
  boolean toldError;

  FetchPartitionState(Key key, @Nullable String topic) {
    this.key = key;
    this.topic = topic;
  }

  /** Takes over what the client asks for now. */
  void update(FetchPartition request) {
    fetchOffset = request.fetchOffset();
    maxBytes = request.partitionMaxBytes();
    currentLeaderEpoch = request.currentLeaderEpoch();
    lastFetchedEpoch = request.lastFetchedEpoch();
  }
}
