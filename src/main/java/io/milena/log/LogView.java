package io.milena.log;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * An immutable picture of a log, published by its single writer; any thread reads from it without
 * locks. What it shows stays readable while segments are deleted, for {@code file.delete.delay.ms}
 * after that; then reading them through this view (or a {@link FileRegion} got from it) fails with
 * an {@link IOException}.
 */
public interface LogView {

  /** First offset that can be read. */
  long logStartOffset();

  /** Next offset to assign: exclusive bound of what is in the log. */
  long logEndOffset();

  /**
   * The batches from the one that contains {@code startOffset} on, as a region of one segment file.
   *
   * @param startOffset from {@link #logStartOffset()} to {@link #logEndOffset()}, both inclusive;
   *     at the end (or at {@code upperBoundOffset}) the answer is empty
   * @param maxBytes how much to return at most; cut at any byte, as Kafka does: clients drop a last
   *     partial batch
   * @param upperBoundOffset exclusive: no batch at or past it is returned
   * @param wholeFirstBatch return the first batch even when it is larger than {@code maxBytes}
   */
  FileRegion read(long startOffset, int maxBytes, long upperBoundOffset, boolean wholeFirstBatch)
      throws IOException;

  /**
   * Bytes from the batch that contains {@code startOffset} up to {@code upperBoundOffset}, as an
   * estimate that never says 0 when there is something: for {@code min.bytes}.
   */
  long availableBytes(long startOffset, long upperBoundOffset);

  /**
   * The first record, by offset, whose timestamp is at least {@code timestampMs}; below {@code
   * upperBoundOffset}.
   */
  Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, long upperBoundOffset)
      throws IOException;

  /**
   * The record with the largest timestamp in the log, the earliest of equals (KIP-734); below the
   * bound.
   */
  Optional<TimestampedOffset> maxTimestamp(long upperBoundOffset) throws IOException;

  /** The leader epoch of the newest batch, or -1 for an empty history. */
  int latestLeaderEpoch();

  /** Leader epoch that the record at this offset was written in, or -1 when not known. */
  int epochAt(long offset);

  /**
   * Where an epoch ends (KIP-101, KIP-279): the largest known epoch at or below {@code leaderEpoch}
   * and the offset at which the next one starts, the log end offset for the newest. Epoch -1 and
   * offset -1 when not known.
   */
  EpochEnd endOffsetForEpoch(int leaderEpoch);

  /**
   * The segment files that have something to read below an offset, in order; none for a log that is
   * not open.
   */
  default List<SegmentFile> segmentFiles(long upperBoundOffset) throws IOException {
    return List.of();
  }

  /** One of {@link #segmentFiles}, by its base offset. */
  default Optional<SegmentFile> segmentFile(long baseOffset, long upperBoundOffset)
      throws IOException {
    return Optional.empty();
  }

  /**
   * Every whole batch that has an offset of a range, as parts of the segment files in order.
   *
   * @param startOffset from {@link #logStartOffset()} to {@link #logEndOffset()}
   * @param endOffset exclusive; at most what a consumer may read
   */
  default List<SegmentFile> batches(long startOffset, long endOffset) throws IOException {
    return List.of();
  }

  /** Bytes of all segment files. */
  long sizeBytes();

  /**
   * Aborted transactions that overlap the range, for {@code read_committed} readers; by first
   * offset.
   */
  List<AbortedTransaction> abortedTransactions(long startOffset, long upperBoundOffset)
      throws IOException;

  /**
   * @param offset of the record
   * @param timestampMs of the record
   * @param leaderEpoch it was written in, or -1
   */
  record TimestampedOffset(long offset, long timestampMs, int leaderEpoch) {}

  /**
   * @param leaderEpoch largest known epoch not above the one asked for, or -1
   * @param endOffset exclusive end of that epoch, or -1
   */
  record EpochEnd(int leaderEpoch, long endOffset) {}

  /**
   * @param producerId of the aborted transaction
   * @param firstOffset of the transaction in this partition
   */
  record AbortedTransaction(long producerId, long firstOffset) {}
}
