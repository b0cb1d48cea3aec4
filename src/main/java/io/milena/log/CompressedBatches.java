package io.milena.log;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/**
 * Looks into compressed batches, and compresses batches anew, as a stream: a small batch that
 * claims to unpack to very much costs bounded memory and time.
 */
final class CompressedBatches {

  /**
   * Bytes that the records of one batch may unpack to. A batch of the default {@code
   * max.message.bytes} can hold more than ten times as many, but only of one byte repeated; looking
   * at these many takes 0.1 to 1 s of the thread that appends.
   */
  static final long UNPACKED_BYTES_MAX = 256L << 20;

  /** Bytes that one record may unpack to where it must be held in memory to be written anew. */
  static final int RECORD_BYTES_MAX = 64 << 20;

  private static final int SCRATCH_BYTES = 32 << 10;

  /** What unpacking needs beside the batch, for each thread that appends: they are few. */
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private static final List<Compression> BY_TYPE =
      Stream.of(CompressionType.values())
          .<Compression>map(type -> Compression.of(type).build())
          .toList();

  private static final byte[] SNAPPY_MAGIC = {(byte) 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
  private static final int SNAPPY_HEADER_BYTES = 16;

  private CompressedBatches() {}

  /**
   * @param unpacked one piece of what has been unpacked
   * @param buffers of the library's, which keeps one of each size that was needed
   */
  private record Scratch(ByteBuffer unpacked, BufferSupplier buffers) {
    Scratch() {
      this(ByteBuffer.allocate(SCRATCH_BYTES), BufferSupplier.create());
    }
  }

  /**
   * Unpacks a compressed batch and walks its records: every one whole and well formed, as many as
   * the header says and at consecutive offsets, and nothing behind them. Shows each to {@code
   * faults}. Kafka's LogValidator does the same.
   *
   * @return a refusal when the batch cannot be read as its header promises, else null
   */
  static AppendOutcome.@Nullable Rejected check(
      ByteBuffer buffer, int position, int sizeBytes, RecordFaults faults) {
    AppendOutcome.Rejected bomb = checkSnappyFrames(buffer, position, sizeBytes);
    if (bomb != null) {
      return bomb;
    }
    Scratch scratch = SCRATCH.get();
    ByteBuffer packed =
        buffer.slice(position + BatchLayout.HEADER_BYTES, sizeBytes - BatchLayout.HEADER_BYTES);
    try (InputStream unpacked =
        BY_TYPE
            .get(BatchLayout.attributes(buffer, position) & BatchLayout.COMPRESSION_MASK)
            .wrapForInput(packed, RecordBatch.CURRENT_MAGIC_VALUE, scratch.buffers())) {
      String malformed =
          RecordWalk.check(
              buffer, position, unpacked, UNPACKED_BYTES_MAX, scratch.unpacked(), faults);
      return malformed == null
          ? null
          : new AppendOutcome.Rejected(
              Errors.INVALID_RECORD, name(buffer, position, sizeBytes) + ": " + malformed);
    } catch (RecordWalk.TooLongException e) {
      return unpacksToTooMuch(buffer, position, sizeBytes);
    } catch (IOException | RuntimeException e) {
      return unreadable(buffer, position, sizeBytes, e);
    }
  }

  /**
   * Writes a batch anew with another compression.
   *
   * @param out where to; grows to at most about {@code maxBytes} and one record
   * @param logAppendTimeMs timestamp for all records, or -1 to keep theirs
   * @param faults is shown every record
   * @return a refusal, or null when the batch was written
   */
  static AppendOutcome.@Nullable Rejected rewrite(
      ByteBuffer buffer,
      int position,
      int sizeBytes,
      Compression target,
      long logAppendTimeMs,
      int maxBytes,
      RecordFaults faults,
      ByteBufferOutputStream out) {
    AppendOutcome.Rejected bomb = checkSnappyFrames(buffer, position, sizeBytes);
    if (bomb != null) {
      return bomb;
    }
    DefaultRecordBatch batch = batch(buffer, position, sizeBytes);
    try (BufferSupplier buffers = BufferSupplier.create();
        CloseableIterator<Record> records = batch.streamingIterator(buffers, RECORD_BYTES_MAX);
        MemoryRecordsBuilder builder =
            new MemoryRecordsBuilder(
                out,
                RecordBatch.CURRENT_MAGIC_VALUE,
                target,
                logAppendTimeMs == RecordBatch.NO_TIMESTAMP
                    ? TimestampType.CREATE_TIME
                    : TimestampType.LOG_APPEND_TIME,
                0L,
                logAppendTimeMs,
                batch.producerId(),
                batch.producerEpoch(),
                batch.baseSequence(),
                batch.isTransactional(),
                false,
                batch.partitionLeaderEpoch(),
                Integer.MAX_VALUE)) {
      return copy(batch, records, faults, builder, maxBytes);
    } catch (RuntimeException e) {
      return unreadable(buffer, position, sizeBytes, e);
    }
  }

  private static AppendOutcome.@Nullable Rejected copy(
      DefaultRecordBatch batch,
      Iterator<Record> records,
      RecordFaults faults,
      MemoryRecordsBuilder target,
      int maxBytes) {
    long unpackedBytes = 0;
    int index = 0;
    int startPosition = target.bufferStream().position();
    while (records.hasNext()) {
      Record record = records.next();
      if (record.offset() != batch.baseOffset() + index) {
        return new AppendOutcome.Rejected(
            Errors.INVALID_RECORD,
            "record " + index + " of the batch has offset " + record.offset());
      }
      unpackedBytes += record.sizeInBytes();
      if (unpackedBytes > UNPACKED_BYTES_MAX) {
        return tooLarge("the batch unpacks to more than " + UNPACKED_BYTES_MAX + " bytes");
      }
      faults.check(index, record.timestamp(), record.hasKey());
      index++;
      target.append(record);
      if (target.bufferStream().position() - startPosition > maxBytes) {
        return tooLarge(
            "the batch is larger than max.message.bytes, "
                + maxBytes
                + ", with the compression of the topic");
      }
    }
    if (index != batch.countOrNull()) {
      return new AppendOutcome.Rejected(
          Errors.INVALID_RECORD,
          "the batch says it has " + batch.countOrNull() + " records, but has " + index);
    }
    return null;
  }

  private static DefaultRecordBatch batch(ByteBuffer buffer, int position, int sizeBytes) {
    return (DefaultRecordBatch)
        MemoryRecords.readableRecords(buffer.slice(position, sizeBytes))
            .batches()
            .iterator()
            .next();
  }

  /**
   * The snappy library takes a chunk's word for how much memory to allocate, so look at all of them
   * first. Layout: 8 bytes magic, two int32 versions; then chunks of int32 length and that many
   * bytes, which begin with the unpacked length as a plain varint.
   */
  private static AppendOutcome.@Nullable Rejected checkSnappyFrames(
      ByteBuffer buffer, int position, int sizeBytes) {
    int type = BatchLayout.attributes(buffer, position) & BatchLayout.COMPRESSION_MASK;
    if (type != CompressionType.SNAPPY.id) {
      return null;
    }
    int at = position + BatchLayout.HEADER_BYTES;
    int end = position + sizeBytes;
    if (!hasSnappyMagic(buffer, at, end)) {
      return checkSnappyBlock(buffer, at, end);
    }
    while (at < end) {
      if (hasSnappyMagic(buffer, at, end)) {
        at += SNAPPY_HEADER_BYTES;
        continue;
      }
      if (end - at < Integer.BYTES) {
        return malformedSnappy();
      }
      int length = buffer.getInt(at);
      at += Integer.BYTES;
      if (length <= 0 || length > end - at) {
        return malformedSnappy();
      }
      AppendOutcome.Rejected bomb = checkSnappyBlock(buffer, at, at + length);
      if (bomb != null) {
        return bomb;
      }
      at += length;
    }
    return null;
  }

  private static AppendOutcome.@Nullable Rejected checkSnappyBlock(
      ByteBuffer buffer, int at, int end) {
    long unpacked = 0;
    int next = at;
    for (int shift = 0; shift < 35; shift += 7) {
      if (next >= end) {
        return malformedSnappy();
      }
      byte read = buffer.get(next++);
      unpacked |= (long) (read & 0x7F) << shift;
      if (read >= 0) {
        return unpacked > RECORD_BYTES_MAX
            ? tooLarge("a snappy block unpacks to " + unpacked + " bytes")
            : null;
      }
    }
    return malformedSnappy();
  }

  private static boolean hasSnappyMagic(ByteBuffer buffer, int at, int end) {
    if (end - at < SNAPPY_HEADER_BYTES) {
      return false;
    }
    for (int i = 0; i < SNAPPY_MAGIC.length; i++) {
      if (buffer.get(at + i) != SNAPPY_MAGIC[i]) {
        return false;
      }
    }
    return true;
  }

  private static AppendOutcome.Rejected malformedSnappy() {
    return new AppendOutcome.Rejected(
        Errors.INVALID_RECORD, "the records of the batch are not snappy frames");
  }

  private static AppendOutcome.Rejected tooLarge(String message) {
    return new AppendOutcome.Rejected(Errors.MESSAGE_TOO_LARGE, message);
  }

  private static AppendOutcome.Rejected unpacksToTooMuch(
      ByteBuffer buffer, int position, int sizeBytes) {
    return tooLarge(
        name(buffer, position, sizeBytes)
            + " unpacks to more than "
            + UNPACKED_BYTES_MAX
            + " bytes");
  }

  private static AppendOutcome.Rejected unreadable(
      ByteBuffer buffer, int position, int sizeBytes, Exception e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return new AppendOutcome.Rejected(
        Errors.INVALID_RECORD,
        name(buffer, position, sizeBytes)
            + " cannot be unpacked: "
            + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()));
  }

  /** Which batch it is, as far as its producer knows it. */
  private static String name(ByteBuffer buffer, int position, int sizeBytes) {
    int type = BatchLayout.attributes(buffer, position) & BatchLayout.COMPRESSION_MASK;
    long producerId = BatchLayout.producerId(buffer, position);
    return "the "
        + CompressionType.forId(type).name
        + " batch of "
        + BatchLayout.recordCount(buffer, position)
        + " records and "
        + sizeBytes
        + " bytes"
        + (producerId < 0
            ? ""
            : " (producer "
                + producerId
                + ", sequence "
                + BatchLayout.baseSequence(buffer, position)
                + ")");
  }
}
