package io.milena.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Where the fields of a record batch of format 2 lie, and reads and writes of them in place.
 *
 * <pre>
 *  0 base offset            int64    the checksum does not cover
 *  8 length                 int32    the bytes after this field
 * 12 partition leader epoch int32    these first five fields
 * 16 magic                  int8
 * 17 CRC-32C                uint32   of everything from the attributes to the end
 * 21 attributes             int16    0-2 compression, 3 LogAppendTime, 4 transactional,
 *                                    5 control, 6 base timestamp is a delete horizon (KIP-534)
 * 23 last offset delta      int32
 * 27 base timestamp         int64
 * 35 max timestamp          int64
 * 43 producer id            int64
 * 51 producer epoch         int16
 * 53 base sequence          int32
 * 57 record count           int32
 * 61 records
 * </pre>
 *
 * All methods take a big-endian buffer and the absolute position of the batch in it, and leave the
 * buffer's own position and limit alone. KIP-98; Kafka's {@code DefaultRecordBatch}.
 */
final class BatchLayout {

  static final int BASE_OFFSET = 0;
  static final int LENGTH = 8;
  static final int LEADER_EPOCH = 12;
  static final int MAGIC = 16;
  static final int CRC = 17;
  static final int ATTRIBUTES = 21;
  static final int LAST_OFFSET_DELTA = 23;
  static final int BASE_TIMESTAMP = 27;
  static final int MAX_TIMESTAMP = 35;
  static final int PRODUCER_ID = 43;
  static final int PRODUCER_EPOCH = 51;
  static final int BASE_SEQUENCE = 53;
  static final int RECORD_COUNT = 57;

  /** Bytes before the first record. */
  static final int HEADER_BYTES = 61;

  /** Bytes of base offset and length, which the length itself does not count. */
  static final int LOG_OVERHEAD = 12;

  static final byte CURRENT_MAGIC = 2;

  static final int COMPRESSION_MASK = 0x07;
  static final int LOG_APPEND_TIME_FLAG = 0x08;
  static final int TRANSACTIONAL_FLAG = 0x10;
  static final int CONTROL_FLAG = 0x20;
  static final int DELETE_HORIZON_FLAG = 0x40;

  private BatchLayout() {}

  static long baseOffset(ByteBuffer buffer, int position) {
    return buffer.getLong(position + BASE_OFFSET);
  }

  static long lastOffset(ByteBuffer buffer, int position) {
    return baseOffset(buffer, position) + lastOffsetDelta(buffer, position);
  }

  /** Size of the whole batch; what a damaged length field says may be anything. */
  static int sizeBytes(ByteBuffer buffer, int position) {
    return buffer.getInt(position + LENGTH) + LOG_OVERHEAD;
  }

  static byte magic(ByteBuffer buffer, int position) {
    return buffer.get(position + MAGIC);
  }

  static int attributes(ByteBuffer buffer, int position) {
    return buffer.getShort(position + ATTRIBUTES);
  }

  static int lastOffsetDelta(ByteBuffer buffer, int position) {
    return buffer.getInt(position + LAST_OFFSET_DELTA);
  }

  static long baseTimestamp(ByteBuffer buffer, int position) {
    return buffer.getLong(position + BASE_TIMESTAMP);
  }

  static long maxTimestamp(ByteBuffer buffer, int position) {
    return buffer.getLong(position + MAX_TIMESTAMP);
  }

  static long producerId(ByteBuffer buffer, int position) {
    return buffer.getLong(position + PRODUCER_ID);
  }

  static short producerEpoch(ByteBuffer buffer, int position) {
    return buffer.getShort(position + PRODUCER_EPOCH);
  }

  static int baseSequence(ByteBuffer buffer, int position) {
    return buffer.getInt(position + BASE_SEQUENCE);
  }

  static int recordCount(ByteBuffer buffer, int position) {
    return buffer.getInt(position + RECORD_COUNT);
  }

  /** The checksum that the batch carries. */
  static int storedCrc(ByteBuffer buffer, int position) {
    return buffer.getInt(position + CRC);
  }

  /** The checksum that a batch of this size should carry. */
  static int computedCrc(ByteBuffer buffer, int position, int sizeBytes) {
    CRC32C crc = new CRC32C();
    if (buffer.hasArray()) {
      crc.update(
          buffer.array(), buffer.arrayOffset() + position + ATTRIBUTES, sizeBytes - ATTRIBUTES);
    } else {
      crc.update(buffer.slice(position + ATTRIBUTES, sizeBytes - ATTRIBUTES));
    }
    return (int) crc.getValue();
  }

  /** Makes the checksum right again after a change to what it covers. */
  static void rewriteCrc(ByteBuffer buffer, int position, int sizeBytes) {
    buffer.putInt(position + CRC, computedCrc(buffer, position, sizeBytes));
  }
}
