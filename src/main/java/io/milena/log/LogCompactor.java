package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/**
 * Compacts one log: of each key only the last record stays, at its offset. Reads sealed segments
 * and writes {@code .cleaned} files beside them, on a thread of its own; only the {@link Swapper}
 * touches the log. One run at a time a log. Upstream: Cleaner; KIP-534 for tombstones.
 *
 * <p>What stays: the newest record of each key, up to where the offset map reached; everything
 * after that; a tombstone or marker until {@code delete.retention.ms} after a compaction first saw
 * that nothing else of its key or transaction is left; of a producer that is still known its last
 * batch, if need be without records, so that its sequence survives. Records of aborted transactions
 * go at once. Batches keep offsets, timestamps, producer and compression.
 */
final class LogCompactor {

  /** Preset of {@code log.cleaner.dedupe.buffer.size}; Kafka's is 128 MB. */
  static final long DEDUPE_BUFFER_BYTES_DEFAULT = 16L << 20;

  /** Bytes read at a time; a larger batch is read whole. */
  private static final int READ_BYTES = 256 << 10;

  private final Path directory;
  private final LogConfig config;
  private final long dedupeBufferBytes;
  private final CompactionPace pace;

  /**
   * @param directory of the partition
   * @param dedupeBufferBytes bound of the offset map's memory
   */
  LogCompactor(Path directory, LogConfig config, long dedupeBufferBytes, CompactionPace pace) {
    this.directory = directory;
    this.config = config;
    this.dedupeBufferBytes = dedupeBufferBytes;
    this.pace = pace;
  }

  /** Puts a finished segment in place; runs on the log's owner, which the compactor waits for. */
  @FunctionalInterface
  interface Swapper {

    /**
     * Does {@link SegmentSwap#commit}, puts the old segments aside, {@link SegmentSwap#finish}.
     *
     * @param replacedBaseOffsets of the old segments, ascending; the first is the new one's too
     * @param endOffset exclusive end of what the new segment stands for
     * @return false when the log no longer has these segments (truncated, deleted): stop
     */
    boolean swap(List<Long> replacedBaseOffsets, long endOffset)
        throws IOException, InterruptedException;
  }

  /**
   * How a compaction ended.
   *
   * @param cleanedToOffset exclusive: the new checkpoint; where the run began when it was stopped
   * @param completed false when it was stopped
   * @param bytesRead of the segments rewritten
   * @param bytesWritten to the new segments
   * @param keys number of keys that the offset map held
   * @param mapFull true when the offset map was too small for the whole dirty part
   */
  record Outcome(
      long cleanedToOffset,
      boolean completed,
      long bytesRead,
      long bytesWritten,
      int keys,
      boolean mapFull) {}

  /**
   * Compacts.
   *
   * @param candidate what {@link CompactionPlanner} chose
   * @param producers the last batch of each known producer, taken after the candidate's bounds
   * @param nowMs wall-clock time of the whole run
   * @throws IOException when a segment is damaged or cannot be read or written: nothing is lost,
   *     but the log should not be compacted again before somebody has looked at it
   */
  Outcome compact(
      CompactionPlanner.Candidate candidate,
      Map<Long, ProducerStates.LastBatch> producers,
      long nowMs,
      Swapper swapper)
      throws IOException, InterruptedException {
    List<CompactionSource> sources = candidate.sources();
    List<TransactionIndex.Entry> aborted = abortedTransactions(candidate.log().segments());
    Run run = new Run(candidate, producers, nowMs, aborted);
    if (!run.buildMap(sources)) {
      return run.stopped();
    }
    List<CompactionSource> rewritten =
        sources.stream().filter(source -> source.baseOffset() < run.endOffset).toList();
    CompactionTransactions transactions = new CompactionTransactions(aborted);
    for (List<CompactionSource> group : CompactionPlanner.group(rewritten, run.endOffset, config)) {
      boolean swapped = false;
      try {
        swapped = run.rewrite(group, transactions, swapper);
      } finally {
        if (!swapped) {
          // Also after a failure: on a full disk this is space that others wait for.
          SegmentSwap.deleteCleaned(directory, group.getFirst().baseOffset());
        }
      }
      if (!swapped) {
        return run.stopped();
      }
    }
    return run.completed();
  }

  /** Those of all segments: the marker may lie far behind the last segment to be compacted. */
  private static List<TransactionIndex.Entry> abortedTransactions(List<CompactionSource> sources)
      throws IOException {
    List<TransactionIndex.Entry> entries = new ArrayList<>();
    for (CompactionSource source : sources) {
      Path file =
          source
              .logFile()
              .resolveSibling(LogFiles.prefix(source.baseOffset()) + LogFiles.TRANSACTION_INDEX);
      if (Files.exists(file)) {
        entries.addAll(TransactionIndex.read(file));
      }
    }
    return entries;
  }

  /** One run: what is known of the dirty part, and the figures. */
  private final class Run {
    private final CompactionPlanner.Candidate candidate;
    private final Map<Long, ProducerStates.LastBatch> producers;
    private final long nowMs;
    private final List<TransactionIndex.Entry> aborted;
    private final KeyOffsetMap newest = new KeyOffsetMap(dedupeBufferBytes);
    private final BufferSupplier decompression = BufferSupplier.create();
    private ByteBuffer readBuffer = ByteBuffer.allocate(READ_BYTES);
    private ByteBuffer writeBuffer = ByteBuffer.allocate(READ_BYTES);

    /** Exclusive end of what the map knows. */
    private long endOffset;

    private boolean mapFull;
    private long bytesRead;
    private long bytesWritten;

    Run(
        CompactionPlanner.Candidate candidate,
        Map<Long, ProducerStates.LastBatch> producers,
        long nowMs,
        List<TransactionIndex.Entry> aborted) {
      this.candidate = candidate;
      this.producers = producers;
      this.nowMs = nowMs;
      this.endOffset = candidate.firstDirtyOffset();
      this.aborted = aborted;
    }

    Outcome stopped() {
      return new Outcome(
          candidate.firstDirtyOffset(), false, bytesRead, bytesWritten, newest.size(), mapFull);
    }

    Outcome completed() {
      return new Outcome(endOffset, true, bytesRead, bytesWritten, newest.size(), mapFull);
    }

    /** Notes the newest offset of each key in the dirty part, as far as memory goes. */
    boolean buildMap(List<CompactionSource> sources) throws IOException {
      CompactionTransactions transactions = null;
      for (int i = 0; i < sources.size(); i++) {
        boolean clean =
            i + 1 < sources.size()
                && sources.get(i + 1).baseOffset() <= candidate.firstDirtyOffset();
        if (clean) {
          continue;
        }
        CompactionSource source = sources.get(i);
        if (transactions == null) {
          // What was aborted before says nothing about later transactions of the same producer.
          transactions =
              new CompactionTransactions(
                  aborted.stream()
                      .filter(entry -> entry.lastOffset() >= source.baseOffset())
                      .toList());
        }
        try (SegmentBatches batches =
            new SegmentBatches(source.logFile(), source.sizeBytes(), readBuffer)) {
          for (ByteBuffer piece = batches.next(); piece != null; piece = batches.next()) {
            readBuffer = batches.buffer();
            for (MutableRecordBatch batch : MemoryRecords.readableRecords(piece).batches()) {
              if (!note(batch, transactions)) {
                mapFull = true;
                if (endOffset == candidate.firstDirtyOffset()) {
                  throw new IOException(
                      "the keys of one batch at offset "
                          + batch.baseOffset()
                          + " of "
                          + source.logFile()
                          + " do not fit into log.cleaner.dedupe.buffer.size, "
                          + dedupeBufferBytes
                          + " bytes: raise it");
                }
                return true;
              }
            }
            if (!pace.proceed(piece.limit())) {
              return false;
            }
          }
        }
      }
      endOffset = Math.max(endOffset, candidate.firstUncleanableOffset());
      return true;
    }

    /** False when the map has no room for all keys of the batch. */
    private boolean note(MutableRecordBatch batch, CompactionTransactions transactions)
        throws IOException {
      if (batch.isControlBatch()) {
        transactions.onControlBatch(batch);
      } else if (!transactions.onBatch(batch)) {
        try (CloseableIterator<Record> records =
            batch.streamingIterator(decompression, CompressedBatches.RECORD_BYTES_MAX)) {
          while (records.hasNext()) {
            Record record = records.next();
            if (record.hasKey() && record.offset() >= candidate.firstDirtyOffset()) {
              if (!newest.put(record.key(), record.offset())) {
                return false;
              }
              // As far as this the map can be relied on, even if the batch does not fit in whole.
              endOffset = record.offset() + 1;
            }
          }
        } catch (RuntimeException e) {
          throw unreadable(batch, e);
        }
      }
      endOffset = Math.max(endOffset, batch.nextOffset());
      return true;
    }

    /** Writes and swaps in the segment that takes the place of a group; false when stopped. */
    boolean rewrite(
        List<CompactionSource> group, CompactionTransactions transactions, Swapper swapper)
        throws IOException, InterruptedException {
      long baseOffset = group.getFirst().baseOffset();
      long lastModifiedMs = 0;
      try (CompactedSegmentWriter writer =
          new CompactedSegmentWriter(directory, baseOffset, config.indexIntervalBytes())) {
        for (CompactionSource source : group) {
          lastModifiedMs =
              Math.max(lastModifiedMs, Files.getLastModifiedTime(source.logFile()).toMillis());
          if (!copy(source, transactions, writer)) {
            return false;
          }
        }
        writer.finish(lastModifiedMs);
        bytesWritten += writer.sizeBytes();
      }
      return swapper.swap(
          group.stream().map(CompactionSource::baseOffset).toList(), endOf(group.getLast()));
    }

    private long endOf(CompactionSource last) {
      List<CompactionSource> all = candidate.log().segments();
      for (CompactionSource segment : all) {
        if (segment.baseOffset() > last.baseOffset()) {
          return segment.baseOffset();
        }
      }
      return candidate.firstUncleanableOffset();
    }

    private boolean copy(
        CompactionSource source, CompactionTransactions transactions, CompactedSegmentWriter writer)
        throws IOException {
      Retention retention = new Retention(this, transactions, writer);
      try (SegmentBatches batches =
          new SegmentBatches(source.logFile(), source.sizeBytes(), readBuffer)) {
        for (ByteBuffer piece = batches.next(); piece != null; piece = batches.next()) {
          readBuffer = batches.buffer();
          bytesRead += piece.limit();
          long writtenBefore = writer.sizeBytes();
          writeBuffer.clear();
          MemoryRecords.FilterResult result;
          try {
            result =
                MemoryRecords.readableRecords(piece)
                    .filterTo(
                        retention, writeBuffer, decompression, CompressedBatches.RECORD_BYTES_MAX);
          } catch (RuntimeException e) {
            throw new IOException(
                source.logFile() + " has records that cannot be read: " + e.getMessage(), e);
          }
          writer.append(result.outputBuffer().flip());
          if (result.outputBuffer().capacity() <= 4 * READ_BYTES) {
            writeBuffer = result.outputBuffer();
          }
          if (!pace.proceed(piece.limit() + writer.sizeBytes() - writtenBefore)) {
            return false;
          }
        }
      }
      return true;
    }

    private IOException unreadable(RecordBatch batch, RuntimeException cause) {
      return new IOException(
          "the batch at offset "
              + batch.baseOffset()
              + " in "
              + directory
              + " has records that cannot be read: "
              + cause.getMessage(),
          cause);
    }
  }

  /** Which batches and records stay; kafka-clients does the rewriting. */
  private final class Retention extends RecordFilter {
    private final Run run;
    private final CompactionTransactions transactions;
    private final CompactedSegmentWriter writer;

    /** Whether the records of the batch asked about last go, whatever their keys. */
    private boolean dropsRecords;

    Retention(Run run, CompactionTransactions transactions, CompactedSegmentWriter writer) {
      super(run.nowMs, config.deleteRetentionMs());
      this.run = run;
      this.transactions = transactions;
      this.writer = writer;
    }

    @Override
    protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
      boolean emptyTransaction = false;
      if (batch.isControlBatch()) {
        CompactionTransactions.Marker marker = transactions.onControlBatch(batch);
        TransactionIndex.Entry aborted = marker.aborted();
        if (aborted != null) {
          keepAborted(aborted);
        }
        emptyTransaction = marker.discardable();
        dropsRecords =
            marker.discardable()
                && batch.deleteHorizonMs().isPresent()
                && batch.deleteHorizonMs().getAsLong() <= currentTime;
      } else {
        dropsRecords = transactions.onBatch(batch);
      }
      BatchRetention retention;
      if (isLastOfProducer(batch) || batch.nextOffset() == run.endOffset) {
        retention = BatchRetention.RETAIN_EMPTY;
      } else {
        retention = dropsRecords ? BatchRetention.DELETE : BatchRetention.DELETE_EMPTY;
      }
      return new BatchRetentionResult(retention, emptyTransaction);
    }

    private void keepAborted(TransactionIndex.Entry aborted) {
      try {
        writer.addAborted(aborted);
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }

    private boolean isLastOfProducer(RecordBatch batch) {
      if (!batch.hasProducerId()) {
        return false;
      }
      ProducerStates.@Nullable LastBatch last = run.producers.get(batch.producerId());
      if (last == null) {
        return false;
      }
      return last.lastOffset() >= 0
          ? batch.lastOffset() == last.lastOffset()
          : batch.isControlBatch() && batch.producerEpoch() == last.epoch();
    }

    @Override
    protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
      if (dropsRecords) {
        return false;
      }
      if (batch.isControlBatch() || record.offset() >= run.endOffset) {
        return true;
      }
      if (!record.hasKey()) {
        // Written before the topic became compacted: there is nothing to compact it by.
        return false;
      }
      boolean newest = record.offset() >= run.newest.get(record.key());
      boolean outlived =
          !record.hasValue()
              && batch.deleteHorizonMs().isPresent()
              && batch.deleteHorizonMs().getAsLong() <= currentTime;
      return newest && !outlived;
    }
  }
}
