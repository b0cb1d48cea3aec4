package io.milena.log;

import static org.apache.kafka.common.protocol.Errors.CORRUPT_MESSAGE;
import static org.apache.kafka.common.protocol.Errors.INVALID_RECORD;
import static org.apache.kafka.common.protocol.Errors.INVALID_TIMESTAMP;
import static org.apache.kafka.common.protocol.Errors.MESSAGE_TOO_LARGE;

import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What a leader checks, and changes, in batches before it appends them: Kafka's LogValidator and
 * the checks around it. Immutable; any thread may use it.
 *
 * <p>The bytes stay as they came, unless they must change: LogAppendTime rewrites two fields of the
 * header and the checksum in place, another {@code compression.type} than the producer's makes new
 * batches. Every batch passes one CRC, and a walk over its records: in place, or as a compressed
 * one is unpacked piece by piece; nothing is made of the records. A batch that unpacks to more than
 * 256 MiB is refused, which Kafka would take.
 */
public final class BatchValidator {

  private static final int COMPRESSION_TYPES = 5;
  private static final int KNOWN_ATTRIBUTES =
      BatchLayout.COMPRESSION_MASK
          | BatchLayout.LOG_APPEND_TIME_FLAG
          | BatchLayout.TRANSACTIONAL_FLAG
          | BatchLayout.CONTROL_FLAG;

  private final LogConfig config;
  private final boolean logAppendTime;

  /** The compression that the topic wants, or null when it is the producer's choice. */
  private final @Nullable Compression compression;

  public BatchValidator(LogConfig config) {
    this.config = config;
    this.logAppendTime = config.timestampType() == TimestampType.LOG_APPEND_TIME;
    this.compression = compression(config);
  }

  private static @Nullable Compression compression(LogConfig config) {
    return switch (config.compressionType()) {
      case "producer" -> null;
      case "uncompressed" -> Compression.NONE;
      case "gzip" -> Compression.gzip().level(config.compressionGzipLevel()).build();
      case "snappy" -> Compression.snappy().build();
      case "lz4" -> Compression.lz4().level(config.compressionLz4Level()).build();
      case "zstd" -> Compression.zstd().level(config.compressionZstdLevel()).build();
      default ->
          throw new IllegalArgumentException(
              "compression.type " + config.compressionType() + " is not known");
    };
  }

  /**
   * Checks batches, and makes them ready to append.
   *
   * @param records from the buffer's position to its limit whole batches; may be written to
   * @param nowMs wall-clock time, for LogAppendTime and the timestamp limits
   * @return never fails otherwise, whatever the bytes are. Errors: CORRUPT_MESSAGE (checksum,
   *     lengths), INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE
   */
  public BatchValidation validate(MemoryRecords records, AppendOrigin origin, long nowMs) {
    ByteBuffer buffer = records.buffer();
    int start = buffer.position();
    int end = buffer.limit();
    AppendOutcome.Rejected shape = checkShape(buffer, start, end, origin);
    if (shape != null) {
      return new BatchValidation.Invalid(shape);
    }
    ByteBufferOutputStream rewritten = null;
    int batchCount = 0;
    int offsetCount = 0;
    long maxTimestampMs = RecordBatch.NO_TIMESTAMP;
    int maxTimestampOffsetDelta = -1;
    for (int position = start; position < end; ) {
      int sizeBytes = BatchLayout.sizeBytes(buffer, position);
      AppendOutcome.Rejected header = checkHeader(buffer, position, sizeBytes, origin);
      if (header != null) {
        return new BatchValidation.Invalid(header);
      }
      int count = BatchLayout.recordCount(buffer, position);
      RecordFaults faults = RecordFaults.of(config, !logAppendTime, nowMs);
      AppendOutcome.Rejected content;
      if (mustRewrite(buffer, position)) {
        if (rewritten == null) {
          rewritten = new ByteBufferOutputStream(Math.max(end - start, BatchLayout.HEADER_BYTES));
          copy(buffer, start, position, rewritten);
        }
        int from = rewritten.position();
        content = rewrite(buffer, position, sizeBytes, nowMs, faults, rewritten);
        if (content == null && rewritten.position() - from > config.maxMessageBytes()) {
          content = tooLarge(rewritten.position() - from);
        }
      } else {
        content = checkRecords(buffer, position, sizeBytes, faults);
        if (content == null) {
          writeTimestamps(buffer, position, sizeBytes, nowMs, faults);
          if (rewritten != null) {
            copy(buffer, position, position + sizeBytes, rewritten);
          }
        }
      }
      if (content == null) {
        content = faults.rejection();
      }
      if (content != null) {
        return new BatchValidation.Invalid(content);
      }
      offsetCount += count;
      batchCount++;
      long batchMaxMs = batchMaxTimestamp(nowMs, faults);
      if (batchMaxMs > maxTimestampMs) {
        maxTimestampMs = batchMaxMs;
        maxTimestampOffsetDelta = offsetCount - 1;
      }
      position += sizeBytes;
    }
    return new BatchValidation.Valid(
        rewritten == null ? records : MemoryRecords.readableRecords(rewritten.buffer().flip()),
        batchCount,
        offsetCount,
        maxTimestampMs,
        maxTimestampOffsetDelta,
        logAppendTime ? nowMs : RecordBatch.NO_TIMESTAMP);
  }

  /** Whole batches of the current format; from a client exactly one. */
  private static AppendOutcome.@Nullable Rejected checkShape(
      ByteBuffer buffer, int start, int end, AppendOrigin origin) {
    if (start == end) {
      return new AppendOutcome.Rejected(INVALID_RECORD, "there is no record batch");
    }
    int batches = 0;
    for (int position = start; position < end; batches++) {
      int left = end - position;
      if (left <= BatchLayout.MAGIC) {
        return new AppendOutcome.Rejected(
            CORRUPT_MESSAGE, left + " bytes are no whole record batch");
      }
      byte magic = BatchLayout.magic(buffer, position);
      if (magic >= 0 && magic < BatchLayout.CURRENT_MAGIC) {
        return new AppendOutcome.Rejected(
            INVALID_RECORD,
            "message format "
                + magic
                + " is no longer accepted: only record batches of format "
                + BatchLayout.CURRENT_MAGIC
                + " are");
      }
      if (magic != BatchLayout.CURRENT_MAGIC) {
        return new AppendOutcome.Rejected(
            CORRUPT_MESSAGE, "message format " + magic + " does not exist");
      }
      int length = buffer.getInt(position + BatchLayout.LENGTH);
      if (length < BatchLayout.HEADER_BYTES - BatchLayout.LOG_OVERHEAD
          || length > left - BatchLayout.LOG_OVERHEAD) {
        return new AppendOutcome.Rejected(
            CORRUPT_MESSAGE,
            "the record batch says it is "
                + (length + (long) BatchLayout.LOG_OVERHEAD)
                + " bytes long, but there are "
                + left);
      }
      position += length + BatchLayout.LOG_OVERHEAD;
    }
    if (batches > 1 && origin == AppendOrigin.CLIENT) {
      return new AppendOutcome.Rejected(
          INVALID_RECORD,
          "a produce request must have exactly one record batch for a partition, not " + batches);
    }
    return null;
  }

  private AppendOutcome.@Nullable Rejected checkHeader(
      ByteBuffer buffer, int position, int sizeBytes, AppendOrigin origin) {
    if (sizeBytes > config.maxMessageBytes()) {
      return tooLarge(sizeBytes);
    }
    int storedCrc = BatchLayout.storedCrc(buffer, position);
    int computedCrc = BatchLayout.computedCrc(buffer, position, sizeBytes);
    if (storedCrc != computedCrc) {
      return new AppendOutcome.Rejected(
          CORRUPT_MESSAGE,
          "the record batch carries checksum "
              + Integer.toUnsignedString(storedCrc)
              + ", its bytes have "
              + Integer.toUnsignedString(computedCrc));
    }
    int count = BatchLayout.recordCount(buffer, position);
    int lastOffsetDelta = BatchLayout.lastOffsetDelta(buffer, position);
    if (count <= 0 || lastOffsetDelta != count - 1) {
      return invalid(
          "the record batch says it has "
              + count
              + " records and last offset delta "
              + lastOffsetDelta);
    }
    int attributes = BatchLayout.attributes(buffer, position);
    int compressionType = attributes & BatchLayout.COMPRESSION_MASK;
    if (compressionType >= COMPRESSION_TYPES) {
      return invalid("compression type " + compressionType + " does not exist");
    }
    if ((attributes & ~KNOWN_ATTRIBUTES) != 0) {
      return invalid(
          "batch attributes " + Integer.toHexString(attributes & 0xFFFF) + " are not known");
    }
    boolean control = (attributes & BatchLayout.CONTROL_FLAG) != 0;
    if (control && compressionType != 0) {
      return invalid("a control batch is never compressed");
    }
    if (!logAppendTime && (attributes & BatchLayout.LOG_APPEND_TIME_FLAG) != 0) {
      return new AppendOutcome.Rejected(
          INVALID_TIMESTAMP, "a producer must not set the timestamp type to LogAppendTime");
    }
    return origin == AppendOrigin.CLIENT
        ? checkProducer(buffer, position, attributes, control)
        : null;
  }

  private static AppendOutcome.@Nullable Rejected checkProducer(
      ByteBuffer buffer, int position, int attributes, boolean control) {
    if (control) {
      return invalid("clients may not write control records");
    }
    long baseOffset = BatchLayout.baseOffset(buffer, position);
    if (baseOffset != 0) {
      return invalid("the base offset of a produced batch must be 0, not " + baseOffset);
    }
    long producerId = BatchLayout.producerId(buffer, position);
    boolean transactional = (attributes & BatchLayout.TRANSACTIONAL_FLAG) != 0;
    if (producerId < 0) {
      return transactional ? invalid("a transactional batch needs a producer id") : null;
    }
    int baseSequence = BatchLayout.baseSequence(buffer, position);
    short epoch = BatchLayout.producerEpoch(buffer, position);
    if (baseSequence < 0 || epoch < 0) {
      return invalid(
          "invalid sequence "
              + baseSequence
              + " or epoch "
              + epoch
              + " in a batch of producer "
              + producerId);
    }
    return null;
  }

  private boolean mustRewrite(ByteBuffer buffer, int position) {
    if (compression == null) {
      return false;
    }
    int attributes = BatchLayout.attributes(buffer, position);
    return (attributes & BatchLayout.CONTROL_FLAG) == 0
        && (attributes & BatchLayout.COMPRESSION_MASK) != compression.type().id;
  }

  private AppendOutcome.@Nullable Rejected rewrite(
      ByteBuffer buffer,
      int position,
      int sizeBytes,
      long nowMs,
      RecordFaults faults,
      ByteBufferOutputStream out) {
    return CompressedBatches.rewrite(
        buffer,
        position,
        sizeBytes,
        java.util.Objects.requireNonNull(compression),
        logAppendTime ? nowMs : RecordBatch.NO_TIMESTAMP,
        config.maxMessageBytes(),
        faults,
        out);
  }

  private AppendOutcome.@Nullable Rejected checkRecords(
      ByteBuffer buffer, int position, int sizeBytes, RecordFaults faults) {
    if (isCompressed(buffer, position)) {
      return CompressedBatches.check(buffer, position, sizeBytes, faults);
    }
    String malformed = RecordWalk.check(buffer, position, sizeBytes, faults);
    return malformed == null ? null : invalid(malformed);
  }

  /** Stamps the batch with LogAppendTime, or mends a maximum timestamp that is not the records'. */
  private void writeTimestamps(
      ByteBuffer buffer, int position, int sizeBytes, long nowMs, RecordFaults faults) {
    if (logAppendTime) {
      int attributes = BatchLayout.attributes(buffer, position) | BatchLayout.LOG_APPEND_TIME_FLAG;
      buffer.putShort(position + BatchLayout.ATTRIBUTES, (short) attributes);
      buffer.putLong(position + BatchLayout.MAX_TIMESTAMP, nowMs);
      BatchLayout.rewriteCrc(buffer, position, sizeBytes);
    } else if (faults.maxTimestampMs() != BatchLayout.maxTimestamp(buffer, position)) {
      buffer.putLong(position + BatchLayout.MAX_TIMESTAMP, faults.maxTimestampMs());
      BatchLayout.rewriteCrc(buffer, position, sizeBytes);
    }
  }

  private long batchMaxTimestamp(long nowMs, RecordFaults faults) {
    if (logAppendTime) {
      return nowMs;
    }
    return faults.maxTimestampMs();
  }

  private static boolean isCompressed(ByteBuffer buffer, int position) {
    return (BatchLayout.attributes(buffer, position) & BatchLayout.COMPRESSION_MASK)
        != CompressionType.NONE.id;
  }

  private static void copy(ByteBuffer buffer, int from, int to, ByteBufferOutputStream target) {
    if (to > from) {
      target.write(buffer.slice(from, to - from));
    }
  }

  private AppendOutcome.Rejected tooLarge(int sizeBytes) {
    return new AppendOutcome.Rejected(
        MESSAGE_TOO_LARGE,
        "the record batch has "
            + sizeBytes
            + " bytes, more than max.message.bytes allows, "
            + config.maxMessageBytes());
  }

  private static AppendOutcome.Rejected invalid(String message) {
    return new AppendOutcome.Rejected(Errors.INVALID_RECORD, message);
  }
}
