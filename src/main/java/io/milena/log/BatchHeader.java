package io.milena.log;

import java.nio.ByteBuffer;

/**
 * The header of a record batch as a value, read without touching its records; {@link BatchLayout}
 * says where each field lies.
 *
 * @param sizeBytes of the whole batch, header included
 */
record BatchHeader(
    long baseOffset,
    int sizeBytes,
    int leaderEpoch,
    byte magic,
    int crc,
    short attributes,
    int lastOffsetDelta,
    long baseTimestamp,
    long maxTimestamp,
    long producerId,
    short producerEpoch,
    int baseSequence,
    int recordCount) {

  /** Reads the header that begins at an index of the buffer; 61 bytes must be there. */
  static BatchHeader read(ByteBuffer buffer, int index) {
    return new BatchHeader(
        BatchLayout.baseOffset(buffer, index),
        BatchLayout.sizeBytes(buffer, index),
        buffer.getInt(index + BatchLayout.LEADER_EPOCH),
        BatchLayout.magic(buffer, index),
        BatchLayout.storedCrc(buffer, index),
        (short) BatchLayout.attributes(buffer, index),
        BatchLayout.lastOffsetDelta(buffer, index),
        BatchLayout.baseTimestamp(buffer, index),
        BatchLayout.maxTimestamp(buffer, index),
        BatchLayout.producerId(buffer, index),
        BatchLayout.producerEpoch(buffer, index),
        BatchLayout.baseSequence(buffer, index),
        BatchLayout.recordCount(buffer, index));
  }

  /** Offset of the last record, inclusive; kept by compaction even when that record is gone. */
  long lastOffset() {
    return baseOffset + lastOffsetDelta;
  }

  long nextOffset() {
    return lastOffset() + 1;
  }

  boolean compressed() {
    return (attributes & BatchLayout.COMPRESSION_MASK) != 0;
  }

  boolean transactional() {
    return (attributes & BatchLayout.TRANSACTIONAL_FLAG) != 0;
  }

  boolean control() {
    return (attributes & BatchLayout.CONTROL_FLAG) != 0;
  }

  boolean hasProducerId() {
    return producerId >= 0;
  }
}
