package io.milena.replication;

import io.milena.log.AppendOutcome;
import io.milena.log.FileRegion;
import io.milena.log.LeaderEpochHistory;
import io.milena.log.LogView;
import io.milena.log.ReplicatedLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * A log in memory that follows the rules of {@link io.milena.log.PartitionLog}, knows what of it is
 * on disk, and can lose the rest. It is its own view, always the newest.
 */
final class ModelLog implements ReplicatedLog, LogView {

  /** One batch as it is stored. */
  record Batch(long baseOffset, long lastOffset, int epoch, byte[] bytes) {}

  private final List<Batch> batches = new ArrayList<>();
  private LeaderEpochHistory epochs = LeaderEpochHistory.EMPTY;
  private long logStartOffset;
  private long logEndOffset;
  private long recoveryPoint;
  private BooleanSupplier failing = () -> false;

  /** Before each batch of a leader is appended, this says whether the disk is full. */
  void failWhen(BooleanSupplier isFailing) {
    failing = isFailing;
  }

  /** Appends one batch of as many records as there are values; returns its base offset. */
  long appendAsLeader(int epoch, byte[]... values) {
    SimpleRecord[] records =
        Arrays.stream(values)
            .map(value -> new SimpleRecord(0, null, value))
            .toArray(SimpleRecord[]::new);
    MemoryRecords batch = MemoryRecords.withRecords(logEndOffset, Compression.NONE, epoch, records);
    long base = logEndOffset;
    add(batch.batches().iterator().next());
    return base;
  }

  private void add(MutableRecordBatch batch) {
    ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
    batch.writeTo(bytes);
    int epoch = batch.partitionLeaderEpoch();
    batches.add(new Batch(batch.baseOffset(), batch.lastOffset(), epoch, bytes.array()));
    if (epoch > epochs.latestEpoch()) {
      epochs = epochs.with(epoch, batch.baseOffset());
    }
    logEndOffset = batch.lastOffset() + 1;
  }

  /** Batches from an offset on, up to a number of them; the first may begin before the offset. */
  MemoryRecords records(long fromOffset, int batchesMax) {
    List<byte[]> chosen =
        batches.stream()
            .filter(batch -> batch.lastOffset() >= fromOffset)
            .limit(batchesMax)
            .map(Batch::bytes)
            .toList();
    ByteBuffer bytes = ByteBuffer.allocate(chosen.stream().mapToInt(each -> each.length).sum());
    chosen.forEach(bytes::put);
    return MemoryRecords.readableRecords(bytes.flip());
  }

  List<Batch> batches() {
    return batches;
  }

  /** The disk has everything below an offset. */
  void flush(long upToOffset) {
    recoveryPoint = Math.max(recoveryPoint, Math.min(upToOffset, logEndOffset));
  }

  /** The machine stops: any number of the newest batches that no flush covered are gone. */
  void loseTail(RandomGenerator random) {
    List<Long> ends = new ArrayList<>(List.of(Math.max(recoveryPoint, logStartOffset)));
    for (Batch batch : batches) {
      if (batch.lastOffset() >= recoveryPoint) {
        ends.add(batch.lastOffset() + 1);
      }
    }
    truncateTo(ends.get(random.nextInt(ends.size())));
  }

  @Override
  public LogView view() {
    return this;
  }

  @Override
  public long logStartOffset() {
    return logStartOffset;
  }

  @Override
  public long logEndOffset() {
    return logEndOffset;
  }

  @Override
  public long recoveryPoint() {
    return recoveryPoint;
  }

  @Override
  public OptionalLong firstUnstableOffset() {
    return OptionalLong.empty();
  }

  @Override
  public void onHighWatermark(long highWatermark) {
    if (highWatermark > logEndOffset) {
      throw new IllegalStateException(
          "high watermark " + highWatermark + " past the log end " + logEndOffset);
    }
  }

  @Override
  public AppendOutcome appendAsFollower(MemoryRecords records, long nowMs) {
    long base = logEndOffset;
    for (MutableRecordBatch batch : records.batches()) {
      if (!batch.isValid()) {
        return new AppendOutcome.Rejected(Errors.CORRUPT_MESSAGE, "damaged");
      }
      if (batch.baseOffset() < logEndOffset) {
        return new AppendOutcome.Rejected(
            Errors.OFFSET_OUT_OF_RANGE, batch.baseOffset() + " is below the log end");
      }
      if (failing.getAsBoolean()) {
        // The batches before it stay, and nothing of this one.
        throw new UncheckedIOException(new IOException("the disk is full"));
      }
      add(batch);
    }
    return new AppendOutcome.Appended(base, logEndOffset - 1, -1);
  }

  @Override
  public long truncateTo(long offset) {
    if (offset >= logEndOffset) {
      return logEndOffset;
    }
    if (offset < logStartOffset) {
      truncateFullyAndStartAt(offset);
      return offset;
    }
    long end = offset;
    while (!batches.isEmpty() && batches.getLast().lastOffset() >= end) {
      end = Math.min(end, batches.removeLast().baseOffset());
    }
    if (end < logStartOffset) {
      truncateFullyAndStartAt(logStartOffset);
      return logStartOffset;
    }
    logEndOffset = end;
    recoveryPoint = Math.min(recoveryPoint, end);
    epochs = epochs.truncatedToEnd(end);
    return end;
  }

  @Override
  public void truncateFullyAndStartAt(long offset) {
    batches.clear();
    epochs = LeaderEpochHistory.EMPTY;
    logStartOffset = offset;
    logEndOffset = offset;
    recoveryPoint = offset;
  }

  @Override
  public void advanceLogStartOffset(long offset) {
    if (offset > logEndOffset) {
      throw new IllegalArgumentException("log start " + offset + " past " + logEndOffset);
    }
    if (offset > logStartOffset) {
      logStartOffset = offset;
      epochs = epochs.truncatedFromStart(offset);
      batches.removeIf(batch -> batch.lastOffset() < offset);
    }
  }

  @Override
  public FileRegion read(
      long startOffset, int maxBytes, long upperBoundOffset, boolean wholeFirstBatch) {
    throw new UnsupportedOperationException("records() instead");
  }

  @Override
  public long availableBytes(long startOffset, long upperBoundOffset) {
    return Math.max(0, Math.min(upperBoundOffset, logEndOffset) - startOffset);
  }

  @Override
  public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, long upperBoundOffset) {
    return Optional.empty();
  }

  @Override
  public Optional<TimestampedOffset> maxTimestamp(long upperBoundOffset) {
    return Optional.empty();
  }

  @Override
  public int latestLeaderEpoch() {
    return epochs.latestEpoch();
  }

  @Override
  public int epochAt(long offset) {
    return epochs.epochAt(offset);
  }

  @Override
  public EpochEnd endOffsetForEpoch(int leaderEpoch) {
    return epochs.endOf(leaderEpoch, logEndOffset);
  }

  @Override
  public long sizeBytes() {
    return 0;
  }

  @Override
  public List<AbortedTransaction> abortedTransactions(long startOffset, long upperBoundOffset) {
    return List.of();
  }
}
