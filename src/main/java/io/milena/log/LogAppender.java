package io.milena.log;

import io.milena.log.BatchValidation.Valid;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/** Writes batches to the end of a log, and begins a new segment when it is time. */
final class LogAppender {

  /**
   * How often an append makes sure that its file is still in the directory. So much may be
   * acknowledged and be lost, where nothing is flushed, after somebody has removed it.
   */
  static final long CHECK_INTERVAL_MS = 1_000;

  private final LogState log;
  private BatchValidator validator;
  private long rollJitterMs;

  /** A write has failed, and what it left behind the end may still be there. */
  private boolean partialWrite;

  private long checkedMs;

  /**
   * @param random any number, from which the jitter of {@code segment.jitter.ms} is made
   */
  LogAppender(LogState log, long random) {
    this.log = log;
    this.validator = new BatchValidator(log.config);
    this.rollJitterMs = jitter(log.config, random);
  }

  private static long jitter(LogConfig config, long seed) {
    return config.segmentJitterMs() == 0
        ? 0
        : new Random(seed).nextLong(Math.min(config.segmentJitterMs(), config.segmentMs()));
  }

  /** The log's settings have changed. */
  void onConfig() {
    validator = new BatchValidator(log.config);
    rollJitterMs =
        Math.min(rollJitterMs, Math.min(log.config.segmentJitterMs(), log.config.rollMs()));
  }

  /** {@link PartitionLog#appendAsLeader}. */
  AppendOutcome appendAsLeader(
      MemoryRecords records, int leaderEpoch, AppendOrigin origin, long nowMs) {
    return switch (validator.validate(records, origin, nowMs)) {
      case BatchValidation.Invalid(AppendOutcome.Rejected why) -> why;
      case Valid valid -> appendValid(valid, leaderEpoch, origin, nowMs);
    };
  }

  private AppendOutcome appendValid(Valid valid, int leaderEpoch, AppendOrigin origin, long nowMs) {
    ByteBuffer bytes = valid.records().buffer();
    int start = bytes.position();
    int end = bytes.limit();
    if (end - start > log.config.segmentBytes()) {
      return new AppendOutcome.Rejected(
          Errors.RECORD_LIST_TOO_LARGE,
          "the batches are "
              + (end - start)
              + " bytes together, more than a segment may have ("
              + log.config.segmentBytes()
              + ")");
    }
    long baseOffset = log.logEndOffset;
    long next = baseOffset;
    for (int at = start; at < end; at += BatchLayout.sizeBytes(bytes, at)) {
      AppendOutcome refusal = log.producers.check(bytes, at, origin);
      if (refusal != null) {
        return refusal;
      }
      bytes.putLong(at, next);
      bytes.putInt(at + BatchLayout.LEADER_EPOCH, leaderEpoch);
      next += BatchLayout.lastOffsetDelta(bytes, at) + 1L;
    }
    append(bytes, start, end, next - 1, valid.maxTimestampMs(), nowMs);
    log.publish();
    return new AppendOutcome.Appended(baseOffset, next - 1, valid.logAppendTimeMs());
  }

  /** {@link PartitionLog#appendAsFollower}. */
  AppendOutcome appendAsFollower(MemoryRecords records, long nowMs) {
    ByteBuffer bytes = records.buffer();
    long baseOffset = log.logEndOffset;
    int start = bytes.position();
    int at = start;
    long last = log.logEndOffset - 1;
    long maxTimestamp = Long.MIN_VALUE;
    AppendOutcome.Rejected refusal = null;
    try {
      while (bytes.limit() - at >= BatchLayout.HEADER_BYTES) {
        BatchHeader batch = BatchHeader.read(bytes, at);
        if (batch.sizeBytes() > bytes.limit() - at) {
          break;
        }
        refusal = checkFollowed(bytes, at, batch, last + 1);
        if (refusal != null) {
          break;
        }
        if (at > start
            && log.segments.active().sizeBytes() + (at - start)
                > log.config.segmentBytes() - batch.sizeBytes()) {
          append(bytes, start, at, last, maxTimestamp, nowMs);
          start = at;
          maxTimestamp = Long.MIN_VALUE;
        }
        last = batch.lastOffset();
        maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp());
        at += batch.sizeBytes();
      }
      if (at > start) {
        append(bytes, start, at, last, maxTimestamp, nowMs);
      }
    } finally {
      log.publish();
    }
    return refusal != null
        ? refusal
        : new AppendOutcome.Appended(baseOffset, log.logEndOffset - 1, -1);
  }

  private AppendOutcome.@Nullable Rejected checkFollowed(
      ByteBuffer bytes, int at, BatchHeader batch, long expectedOffset) {
    if (batch.sizeBytes() < BatchLayout.HEADER_BYTES
        || batch.magic() != BatchLayout.CURRENT_MAGIC
        || batch.lastOffsetDelta() < 0
        || BatchLayout.computedCrc(bytes, at, batch.sizeBytes()) != batch.crc()) {
      return new AppendOutcome.Rejected(
          Errors.CORRUPT_MESSAGE,
          "the batch that "
              + log.partition
              + " was sent for offset "
              + expectedOffset
              + " is damaged");
    }
    if (batch.baseOffset() < expectedOffset) {
      return new AppendOutcome.Rejected(
          Errors.OFFSET_OUT_OF_RANGE,
          "the batch that "
              + log.partition
              + " was sent begins at "
              + batch.baseOffset()
              + ", but its log ends at "
              + expectedOffset);
    }
    return null;
  }

  /** Writes whole batches whose offsets are set, and accounts for them. Does not publish. */
  private void append(
      ByteBuffer bytes, int start, int end, long lastOffset, long maxTimestamp, long nowMs) {
    int previousSize;
    long previousEnd = log.logEndOffset;
    LeaderEpochHistory previousEpochs = log.epochs;
    Segment active;
    try {
      if (partialWrite) {
        log.segments.active().discardPartialWrite();
        partialWrite = false;
      }
      if (mustRoll(end - start, lastOffset, maxTimestamp, nowMs)) {
        rollAt(bytes.getLong(start), nowMs);
      }
      active = log.segments.active();
      if (Math.abs(nowMs - checkedMs) >= CHECK_INTERVAL_MS) {
        active.checkInPlace();
        checkedMs = nowMs;
      }
      previousSize = active.sizeBytes();
      partialWrite = true;
      active.write(bytes.duplicate().limit(end).position(start));
      partialWrite = false;
    } catch (IOException e) {
      discardPartialWrite();
      throw LogFailedException.of(log.directory, "appending " + (end - start) + " bytes", e);
    }
    try {
      int interval = log.config.indexIntervalBytes();
      for (int at = start; at < end; ) {
        BatchHeader batch = BatchHeader.read(bytes, at);
        active.noteBatch(batch, interval);
        ProducerReplay.note(log.producers, active, bytes, at);
        if (batch.leaderEpoch() > log.epochs.latestEpoch()) {
          log.epochs = log.epochs.with(batch.leaderEpoch(), batch.baseOffset());
        }
        at += batch.sizeBytes();
      }
      log.logEndOffset = lastOffset + 1;
    } catch (IOException e) {
      // Only a transaction marker gets here: its index entry could not be written.
      log.epochs = previousEpochs;
      undo(active, previousSize, previousEnd);
      throw LogFailedException.of(log.directory, "indexing an aborted transaction", e);
    }
  }

  /** Cuts off what a failed write has left, if it can. */
  void discardPartialWrite() {
    try {
      if (partialWrite) {
        log.segments.active().discardPartialWrite();
        partialWrite = false;
      }
    } catch (IOException e) {
      // Tried again before the next append; until then nobody reads past the end.
    }
  }

  private void undo(Segment active, int previousSize, long previousEnd) {
    try {
      log.logEndOffset = previousEnd;
      active.truncate(previousSize, previousEnd);
      log.reloadProducers();
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "undoing a failed append", e);
    }
  }

  private boolean mustRoll(int appendBytes, long lastOffset, long maxTimestamp, long nowMs)
      throws IOException {
    Segment active = log.segments.active();
    int size = active.sizeBytes();
    if (size == 0) {
      return false;
    }
    if (size > log.config.segmentBytes() - appendBytes
        || lastOffset - active.baseOffset() > Integer.MAX_VALUE
        || full(active.offsetIndex())
        || full(active.timeIndex())) {
      return true;
    }
    long first = active.firstTimestamp();
    long waited =
        first >= 0 && maxTimestamp >= 0 ? maxTimestamp - first : nowMs - active.createdMs();
    return waited > log.config.rollMs() - rollJitterMs;
  }

  /** Two entries are left free: the one of the append, and the time index's last when it rolls. */
  private boolean full(SegmentIndex index) {
    return index.sizeBytes() + 2 * index.kind().entryBytes
        > Math.max(log.config.segmentIndexBytes(), 4 * index.kind().entryBytes);
  }

  /** {@link PartitionLog#roll}. */
  void roll(long nowMs) {
    if (log.segments.active().sizeBytes() == 0) {
      return;
    }
    try {
      rollAt(log.logEndOffset, nowMs);
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "rolling to a new segment", e);
    }
    log.publish();
  }

  private void rollAt(long baseOffset, long nowMs) throws IOException {
    log.snapshots.take(log.producers, false);
    Segment next = Segment.create(log.directory, baseOffset, nowMs);
    log.directoryDirty = true;
    log.segments.roll(next);
  }
}
