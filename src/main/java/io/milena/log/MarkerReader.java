package io.milena.log;

import java.nio.ByteBuffer;
import org.apache.kafka.common.record.internal.ControlRecordType;

/**
 * Reads the one record of a control batch in place: its key says what kind it is, its value, for
 * the end of a transaction, which coordinator epoch wrote it. Control batches are never compressed.
 */
final class MarkerReader {

  private MarkerReader() {}

  /** The kind of marker; UNKNOWN when a newer Kafka wrote it. */
  static ControlRecordType type(ByteBuffer buffer, int position) {
    int at = keyPosition(buffer, position);
    // Key: version int16, type int16.
    return ControlRecordType.fromTypeId(buffer.getShort(at + Short.BYTES));
  }

  /** Coordinator epoch of an end marker, or -1 when the batch has no such value. */
  static int coordinatorEpoch(ByteBuffer buffer, int position) {
    int keyLengthAt = keyLengthPosition(buffer, position);
    long key = readVarint(buffer, keyLengthAt);
    int valueLengthAt = end(key) + Math.max(0, value(key));
    long length = readVarint(buffer, valueLengthAt);
    if (value(length) < Short.BYTES + Integer.BYTES) {
      return ProducerStateEntry.NO_COORDINATOR_EPOCH;
    }
    // Value: version int16, coordinator epoch int32.
    return buffer.getInt(end(length) + Short.BYTES);
  }

  private static int keyPosition(ByteBuffer buffer, int position) {
    return end(readVarint(buffer, keyLengthPosition(buffer, position)));
  }

  private static int keyLengthPosition(ByteBuffer buffer, int position) {
    int at = end(readVarint(buffer, position + BatchLayout.HEADER_BYTES));
    at += 1; // attributes
    at = skipVarlong(buffer, at); // timestamp delta
    return skipVarlong(buffer, at); // offset delta
  }

  private static int skipVarlong(ByteBuffer buffer, int at) {
    int next = at;
    while (buffer.get(next++) < 0) {
      // the high bit says that another byte follows
    }
    return next;
  }

  /** A zigzag varint and the position after it, packed in one long to allocate nothing. */
  private static long readVarint(ByteBuffer buffer, int at) {
    int raw = 0;
    int next = at;
    byte read;
    int shift = 0;
    do {
      read = buffer.get(next++);
      raw |= (read & 0x7F) << shift;
      shift += 7;
    } while (read < 0 && shift < 35);
    int decoded = (raw >>> 1) ^ -(raw & 1);
    return ((long) next << Integer.SIZE) | (decoded & 0xFFFF_FFFFL);
  }

  private static int value(long packed) {
    return (int) packed;
  }

  private static int end(long packed) {
    return (int) (packed >>> Integer.SIZE);
  }
}
