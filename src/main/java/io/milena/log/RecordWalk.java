package io.milena.log;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the records of a batch, in place or as they are unpacked: are they as many as the
 * header says, at consecutive offsets, each whole and well formed? Makes no objects of them, and
 * skips keys and values.
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

  /** Where more comes from when the buffer has been read; null when it holds all there is. */
  private final @Nullable InputStream source;

  /** Bytes that may still come from the source. */
  private long sourceBytesLeft;

  private int at;

  /** Exclusive end of what the buffer holds. */
  private int limit;

  /** Exclusive end of what may be read now: of the record, or of the buffer. */
  private int end;

  /** Bytes of the record behind the end of the buffer, still in the source. */
  private long beyond;

  private boolean broken;

  private RecordWalk(
      ByteBuffer buffer, int at, int limit, @Nullable InputStream source, long sourceBytesMax) {
    this.buffer = buffer;
    this.at = at;
    this.limit = limit;
    this.source = source;
    this.sourceBytesLeft = sourceBytesMax;
  }

  /** The source gives more bytes than it may. */
  static final class TooLongException extends RuntimeException {
    TooLongException() {
      super("too long", null, false, false);
    }
  }

  /**
   * Walks the records of an uncompressed batch at a position.
   *
   * @param faults is shown each record
   * @return what is malformed, or null
   */
  static @Nullable String check(
      ByteBuffer buffer, int position, int sizeBytes, RecordFaults faults) {
    RecordWalk walk =
        new RecordWalk(buffer, position + BatchLayout.HEADER_BYTES, position + sizeBytes, null, 0);
    return walk.check(buffer, position, faults);
  }

  /**
   * Walks the records of a compressed batch.
   *
   * @param batch holds the batch at a position; only its header is looked at
   * @param unpacked the records, in the form that an uncompressed batch has them
   * @param unpackedBytesMax so many bytes are read at most
   * @param scratch for what has been unpacked, with an array of its own; its contents are lost
   * @param faults is shown each record
   * @return what is malformed, or null
   * @throws UncheckedIOException when the source fails
   * @throws TooLongException when there are more bytes than the most
   */
  static @Nullable String check(
      ByteBuffer batch,
      int position,
      InputStream unpacked,
      long unpackedBytesMax,
      ByteBuffer scratch,
      RecordFaults faults) {
    return new RecordWalk(scratch, 0, 0, unpacked, unpackedBytesMax).check(batch, position, faults);
  }

  private @Nullable String check(ByteBuffer batch, int position, RecordFaults faults) {
    long baseTimestamp = BatchLayout.baseTimestamp(batch, position);
    int count = BatchLayout.recordCount(batch, position);
    for (int i = 0; i < count; i++) {
      if (!record(i, baseTimestamp, faults)) {
        return "record " + i + " of " + count + " is malformed";
      }
    }
    outsideOfRecords();
    return at == end && !more() ? null : "more bytes follow the last of " + count + " records";
  }

  private void outsideOfRecords() {
    end = limit;
    beyond = source == null ? 0 : Long.MAX_VALUE;
  }

  private boolean record(int index, long baseTimestamp, RecordFaults faults) {
    outsideOfRecords();
    int length = varint();
    if (broken || length < 0) {
      return false;
    }
    if (length <= limit - at) {
      end = at + length;
      beyond = 0;
    } else if (source != null) {
      beyond = (long) length - (limit - at);
    } else {
      return false;
    }
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
    if (broken || at != end || beyond != 0) {
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
    if (length >= 0 && length <= end - at) {
      at += length;
    } else {
      skipBeyond(length);
    }
  }

  private void skipBeyond(int length) {
    if (length < 0 || length > end - at + beyond) {
      broken = true;
      return;
    }
    int left = length;
    while (left > end - at) {
      left -= end - at;
      at = end;
      if (!more()) {
        broken = true;
        return;
      }
    }
    at += left;
  }

  /** Refills the buffer once all of it has been read; false at the end of record or source. */
  private boolean more() {
    if (source == null || beyond == 0) {
      return false;
    }
    int read;
    try {
      read = source.read(buffer.array(), buffer.arrayOffset(), buffer.capacity());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (read <= 0) {
      return false;
    }
    sourceBytesLeft -= read;
    if (sourceBytesLeft < 0) {
      throw new TooLongException();
    }
    at = 0;
    limit = read;
    end = (int) Math.min(read, beyond);
    beyond -= end;
    return true;
  }

  private int varint() {
    int raw = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at >= end && !more()) {
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
      if (at >= end && !more()) {
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
