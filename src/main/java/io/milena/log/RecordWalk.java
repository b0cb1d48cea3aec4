package io.milena.log;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the records of an uncompressed batch, in place: are they as many as the header
 * says, at consecutive offsets, each whole and well formed? Makes no objects of them.
 *
 * <pre>
 * record: length varint | attributes int8 | timestamp delta varlong | offset delta varint
 *         | key length varint, key | value length varint, value
 *         | header count varint, for each: key length varint, key, value length varint, value
 * </pre>
 */
final class RecordWalk {

  private static final int NULL_LENGTH = -1;

  private final ByteBuffer buffer;
  private int at;

  /** Exclusive end of what may be read now. */
  private int end;

  private boolean broken;

  private RecordWalk(ByteBuffer buffer, int at, int end) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  /**
   * Walks the records of the batch at a position.
   *
   * @param faults is shown each record
   * @return what is malformed, or null
   */
  static @Nullable String check(
      ByteBuffer buffer, int position, int sizeBytes, RecordFaults faults) {
    int end = position + sizeBytes;
    RecordWalk walk = new RecordWalk(buffer, position + BatchLayout.HEADER_BYTES, end);
    long baseTimestamp = BatchLayout.baseTimestamp(buffer, position);
    int count = BatchLayout.recordCount(buffer, position);
    for (int i = 0; i < count; i++) {
      if (!walk.record(i, end, baseTimestamp, faults)) {
        return "record " + i + " of " + count + " is malformed";
      }
    }
    return walk.at == end
        ? null
        : (end - walk.at) + " bytes follow the last of " + count + " records";
  }

  private boolean record(int index, int batchEnd, long baseTimestamp, RecordFaults faults) {
    end = batchEnd;
    int length = varint();
    if (broken || length < 0 || length > end - at) {
      return false;
    }
    end = at + length;
    skip(1);
    long timestampDelta = varlong();
    int offsetDelta = varint();
    int keyLength = varint();
    skipNullable(keyLength);
    skipNullable(varint());
    int headers = varint();
    if (broken || offsetDelta != index || headers < 0) {
      return false;
    }
    for (int i = 0; i < headers && !broken; i++) {
      skip(varint());
      skipNullable(varint());
    }
    if (broken || at != end) {
      return false;
    }
    faults.check(index, baseTimestamp + timestampDelta, keyLength >= 0);
    return true;
  }

  private void skipNullable(int length) {
    if (length != NULL_LENGTH) {
      skip(length);
    }
  }

  private void skip(int length) {
    if (length < 0 || length > end - at) {
      broken = true;
    } else {
      at += length;
    }
  }

  private int varint() {
    int raw = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at >= end) {
        broken = true;
        return 0;
      }
      byte next = buffer.get(at++);
      raw |= (next & 0x7F) << shift;
      if (next >= 0) {
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    broken = true;
    return 0;
  }

  private long varlong() {
    long raw = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at >= end) {
        broken = true;
        return 0;
      }
      byte next = buffer.get(at++);
      raw |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    broken = true;
    return 0;
  }
}
