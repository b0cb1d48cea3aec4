package io.milena.log;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.jspecify.annotations.Nullable;

/** Builds record batches for tests: one builder, with the defaults of a plain producer. */
final class Batches {

  private long baseOffset;
  private Compression compression = Compression.NONE;
  private TimestampType timestampType = TimestampType.CREATE_TIME;
  private long producerId = RecordBatch.NO_PRODUCER_ID;
  private short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
  private int baseSequence = RecordBatch.NO_SEQUENCE;
  private boolean transactional;
  private boolean control;

  static Batches batch() {
    return new Batches();
  }

  Batches at(long offset) {
    baseOffset = offset;
    return this;
  }

  Batches compressed(Compression type) {
    compression = type;
    return this;
  }

  Batches stamped(TimestampType type) {
    timestampType = type;
    return this;
  }

  Batches by(long id, int epoch, int sequence) {
    producerId = id;
    producerEpoch = (short) epoch;
    baseSequence = sequence;
    return this;
  }

  Batches transactional() {
    transactional = true;
    return this;
  }

  Batches control() {
    control = true;
    return this;
  }

  MemoryRecords of(SimpleRecord... records) {
    ByteBufferOutputStream out = new ByteBufferOutputStream(512);
    try (MemoryRecordsBuilder builder =
        new MemoryRecordsBuilder(
            out,
            RecordBatch.CURRENT_MAGIC_VALUE,
            compression,
            timestampType,
            baseOffset,
            timestampType == TimestampType.LOG_APPEND_TIME ? 0 : RecordBatch.NO_TIMESTAMP,
            producerId,
            producerEpoch,
            baseSequence,
            transactional,
            control,
            RecordBatch.NO_PARTITION_LEADER_EPOCH,
            Integer.MAX_VALUE)) {
      for (SimpleRecord record : records) {
        if (control) {
          builder.appendControlRecordWithOffset(baseOffset, record);
        } else {
          builder.append(record);
        }
      }
      return builder.build();
    }
  }

  /** A batch of so many records without keys, at timestamp 0. */
  MemoryRecords ofCount(int count) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] = new SimpleRecord(0, null, new byte[] {(byte) i});
    }
    return of(records);
  }

  static MemoryRecords marker(
      long offset, long producerId, int epoch, int coordinatorEpoch, ControlRecordType type) {
    return MemoryRecords.withEndTransactionMarker(
        offset, 0L, 0, producerId, (short) epoch, new EndTransactionMarker(type, coordinatorEpoch));
  }

  static SimpleRecord record(long timestampMs, @Nullable String key, @Nullable String value) {
    return new SimpleRecord(timestampMs, bytes(key), bytes(value));
  }

  private static byte @Nullable [] bytes(@Nullable String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] copyOf(MemoryRecords records) {
    ByteBuffer buffer = records.buffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}
