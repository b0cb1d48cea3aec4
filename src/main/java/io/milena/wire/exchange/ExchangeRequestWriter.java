package io.milena.wire.exchange;

import java.nio.ByteBuffer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.internals.ByteUtils;

/** Writes polls and updates, one after the other into the same memory. Not thread-safe. */
final class ExchangeRequestWriter {
  private static final int INITIAL_BYTES = 1024;

  private ByteBuffer bytes = ByteBuffer.allocate(INITIAL_BYTES);
  private int entries;

  /** Begins the first request of a connection. */
  void beginWithHello(Uuid clusterId, int askedNodeId, int askingNodeId, long nodeEpoch) {
    begin(ExchangeFormat.HELLO);
    bytes
        .putLong(clusterId.getMostSignificantBits())
        .putLong(clusterId.getLeastSignificantBits())
        .putInt(askedNodeId)
        .putInt(askingNodeId);
    ByteUtils.writeVarlong(nodeEpoch, bytes);
  }

  /** Begins any other request. */
  void begin(long nodeEpoch) {
    begin(0);
    ByteUtils.writeVarlong(nodeEpoch, bytes);
  }

  private void begin(int flags) {
    bytes.clear();
    bytes = ExchangeFormat.withRoom(bytes, ExchangeFormat.REQUEST_HEADER_BYTES_MAX);
    bytes.put((byte) flags);
    entries = 0;
  }

  /** What a poll has before the entries. */
  void poll(int maxWaitMs, int maxBytes, int partitionMaxBytes) {
    ByteUtils.writeUnsignedVarint(maxWaitMs, bytes);
    ByteUtils.writeUnsignedVarint(maxBytes, bytes);
    ByteUtils.writeUnsignedVarint(partitionMaxBytes, bytes);
  }

  void removed(int handle) {
    entry(handle, ExchangeFormat.REMOVED);
  }

  void added(int handle, Uuid topicId, int partition) {
    entry(handle, ExchangeFormat.ADDED);
    bytes.putLong(topicId.getMostSignificantBits()).putLong(topicId.getLeastSignificantBits());
    ByteUtils.writeUnsignedVarint(partition, bytes);
  }

  void position(
      int handle,
      byte version,
      int leaderEpoch,
      long logStartOffset,
      long logEndOffset,
      int newestEpoch,
      long keptEndOffset) {
    entry(handle, ExchangeFormat.POSITION);
    bytes.put(version);
    ByteUtils.writeUnsignedVarint(leaderEpoch, bytes);
    ByteUtils.writeVarlong(logStartOffset, bytes);
    ByteUtils.writeVarlong(logEndOffset - logStartOffset, bytes);
    ByteUtils.writeVarlong(Math.max(0, logEndOffset - keptEndOffset), bytes);
    ByteUtils.writeUnsignedVarint(newestEpoch + 1, bytes);
  }

  void kept(int handle, long keptEndOffset) {
    entry(handle, ExchangeFormat.KEPT);
    ByteUtils.writeVarlong(keptEndOffset, bytes);
  }

  /** Entries since the request was begun. */
  int entries() {
    return entries;
  }

  /** The body; valid until the next request is begun. */
  ByteBuffer body() {
    return bytes.duplicate().flip();
  }

  private void entry(int handle, int kind) {
    entries++;
    bytes = ExchangeFormat.withRoom(bytes, ExchangeFormat.ENTRY_BYTES_MAX);
    ByteUtils.writeUnsignedVarint(handle << 2 | kind, bytes);
  }
}
