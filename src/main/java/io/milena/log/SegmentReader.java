package io.milena.log;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;

/**
 * Look-ups in one segment as a view shows it. A small value made for each look-up.
 *
 * @param sizeBytes what the view shows of the segment
 */
record SegmentReader(Segment segment, int sizeBytes, SegmentIndex offsets, SegmentIndex times) {

  /**
   * A batch and where it lies.
   *
   * @param positionBytes of its first byte
   */
  record Located(int positionBytes, BatchHeader header) {}

  /**
   * The first batch that ends at or past an offset, or null when there is none.
   *
   * @throws IOException also when the file does not hold whole batches there
   */
  @Nullable Located find(long offset) throws IOException {
    int from = 0;
    int entry = offsets.floorByOffset(offset - segment.baseOffset());
    if (entry >= 0 && offsets.position(entry) < sizeBytes) {
      from = offsets.position(entry);
    }
    PositionHints.Hint hint = segment.hints().floor(offset, sizeBytes);
    if (hint != null && hint.position() > from) {
      from = hint.position();
    }
    BatchScanner scanner = BatchScanner.headers(segment.channel(), from, sizeBytes);
    for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (batch.lastOffset() >= offset) {
        if (batch.baseOffset() >= offset) {
          segment.hints().add(offset, (int) scanner.position());
        }
        return new Located((int) scanner.position(), batch);
      }
    }
    failOn(scanner);
    return null;
  }

  /** Where the batches that end before an offset end: at the first batch that reaches it. */
  int positionOf(long offset) throws IOException {
    PositionHints.Hint hint = segment.hints().floor(offset, sizeBytes);
    if (hint != null && hint.offset() == offset) {
      return hint.position();
    }
    Located batch = find(offset);
    return batch == null ? sizeBytes : batch.positionBytes();
  }

  /** The first record at or past an offset whose timestamp is at least the one given, or null. */
  LogView.@Nullable TimestampedOffset firstAtOrAfter(
      long timestampMs, long startOffset, long upperBoundOffset) throws IOException {
    int entry = times.lastBelowTimestamp(timestampMs);
    // All records up to an index entry have timestamps up to the entry's.
    long from =
        entry < 0
            ? startOffset
            : Math.max(startOffset, segment.baseOffset() + times.relativeOffset(entry));
    Located first = find(from);
    if (first == null) {
      return null;
    }
    BatchScanner scanner =
        BatchScanner.headers(segment.channel(), first.positionBytes(), sizeBytes);
    for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (batch.baseOffset() >= upperBoundOffset) {
        return null;
      }
      if (batch.maxTimestamp() >= timestampMs) {
        for (Record record : records((int) scanner.position(), batch.sizeBytes())) {
          if (record.timestamp() >= timestampMs
              && record.offset() >= startOffset
              && record.offset() < upperBoundOffset) {
            return new LogView.TimestampedOffset(
                record.offset(), record.timestamp(), batch.leaderEpoch());
          }
        }
      }
    }
    failOn(scanner);
    return null;
  }

  /** The first of the batches with the largest timestamp below an offset bound, or null. */
  @Nullable Located maxTimestampBatch(long startOffset, long upperBoundOffset) throws IOException {
    Located best = null;
    int entry =
        Math.min(
            times.floorByOffset(upperBoundOffset - 1 - segment.baseOffset()), times.count() - 1);
    long from = startOffset;
    if (entry >= 0 && segment.baseOffset() + times.relativeOffset(entry) >= startOffset) {
      best = find(segment.baseOffset() + times.relativeOffset(entry));
      from = segment.baseOffset() + times.relativeOffset(entry) + 1;
    }
    Located first = find(from);
    if (first == null) {
      return best;
    }
    BatchScanner scanner =
        BatchScanner.headers(segment.channel(), first.positionBytes(), sizeBytes);
    for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (batch.lastOffset() >= upperBoundOffset) {
        return best;
      }
      if (best == null || batch.maxTimestamp() > best.header().maxTimestamp()) {
        best = new Located((int) scanner.position(), batch);
      }
    }
    failOn(scanner);
    return best;
  }

  /** The records of one batch, read from the file. */
  Iterable<Record> records(int positionBytes, int batchSizeBytes) throws IOException {
    return MemoryRecords.readableRecords(
            readFully(segment.channel(), positionBytes, batchSizeBytes))
        .records();
  }

  static ByteBuffer readFully(FileChannel channel, long position, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new EOFException("the file ends before byte " + (position + bytes));
      }
    }
    return buffer.flip();
  }

  private void failOn(BatchScanner scanner) throws IOException {
    if (scanner.fault() != null) {
      throw new DamagedRecordsException(segment, scanner.fault());
    }
  }
}
