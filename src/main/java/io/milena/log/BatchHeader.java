package io.milena.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The header of a record batch (message format 2, KIP-98), read without touching its records.
 *
 * <pre>
 *    0 base offset (8)         12 partition leader epoch (4)   21 attributes (2)
 *    8 batch length (4)        16 magic (1), 17 crc (4)        23 last offset delta (4)
 *   27 base timestamp (8)      35 max timestamp (8)            43 producer id (8)
 *   51 producer epoch (2)      53 base sequence (4)            57 record count (4), 61 records
 * </pre>
 *
 * The length counts from byte 12, the crc (CRC-32C) covers from byte 21: offsets and epoch are
 * outside, so that a leader can set them in place.
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

  static final int SIZE_BYTES = 61;
  static final int LENGTH_POSITION = 8;

  /** Bytes before those that the length counts. */
  static final int LENGTH_OVERHEAD_BYTES = 12;

  static final int LEADER_EPOCH_POSITION = 12;
  static final int ATTRIBUTES_POSITION = 21;
  static final byte MAGIC = 2;

  private static final int COMPRESSION_MASK = 0x07;
  private static final int TRANSACTIONAL = 0x10;
  private static final int CONTROL = 0x20;

  /** Reads the header that begins at an index of the buffer; 61 bytes must be there. */
  static BatchHeader read(ByteBuffer buffer, int index) {
    return new BatchHeader(
        buffer.getLong(index),
        buffer.getInt(index + LENGTH_POSITION) + LENGTH_OVERHEAD_BYTES,
        buffer.getInt(index + LEADER_EPOCH_POSITION),
        buffer.get(index + 16),
        buffer.getInt(index + 17),
        buffer.getShort(index + ATTRIBUTES_POSITION),
        buffer.getInt(index + 23),
        buffer.getLong(index + 27),
        buffer.getLong(index + 35),
        buffer.getLong(index + 43),
        buffer.getShort(index + 51),
        buffer.getInt(index + 53),
        buffer.getInt(index + 57));
  }

  /** Offset of the last record, inclusive; kept by compaction even when that record is gone. */
  long lastOffset() {
    return baseOffset + lastOffsetDelta;
  }

  long nextOffset() {
    return lastOffset() + 1;
  }

  boolean compressed() {
    return (attributes & COMPRESSION_MASK) != 0;
  }

  boolean transactional() {
    return (attributes & TRANSACTIONAL) != 0;
  }

  boolean control() {
    return (attributes & CONTROL) != 0;
  }

  boolean hasProducerId() {
    return producerId >= 0;
  }

  /** The checksum of a whole batch that begins at an index of the buffer. */
  static int crcOf(ByteBuffer buffer, int index, int sizeBytes) {
    CRC32C crc = new CRC32C();
    crc.update(buffer.duplicate().limit(index + sizeBytes).position(index + ATTRIBUTES_POSITION));
    return (int) crc.getValue();
  }
}
