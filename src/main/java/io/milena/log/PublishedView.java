package io.milena.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;

/**
 * The view that {@link PartitionLog} publishes: the segments (an array shared between views while
 * it does not change) and how much of the active one is written and indexed. The array is in offset
 * order, the active segment last; never empty, never changed.
 */
final class PublishedView implements LogView {

  private final Segment[] segments;
  private final long sealedBytes;
  private final long logStartOffset;
  private final long logEndOffset;
  private final int activeSizeBytes;
  private final SegmentIndex activeOffsets;
  private final SegmentIndex activeTimes;
  private final LeaderEpochHistory epochs;

  PublishedView(
      Segment[] segments,
      long sealedBytes,
      long logStartOffset,
      long logEndOffset,
      int activeSizeBytes,
      SegmentIndex activeOffsets,
      SegmentIndex activeTimes,
      LeaderEpochHistory epochs) {
    this.segments = segments;
    this.sealedBytes = sealedBytes;
    this.logStartOffset = logStartOffset;
    this.logEndOffset = logEndOffset;
    this.activeSizeBytes = activeSizeBytes;
    this.activeOffsets = activeOffsets;
    this.activeTimes = activeTimes;
    this.epochs = epochs;
  }

  @Override
  public long logStartOffset() {
    return logStartOffset;
  }

  @Override
  public long logEndOffset() {
    return logEndOffset;
  }

  /** The segments, which the caller must not change. */
  Segment[] segments() {
    return segments;
  }

  int activeSizeBytes() {
    return activeSizeBytes;
  }

  @Override
  public FileRegion read(
      long startOffset, int maxBytes, long upperBoundOffset, boolean wholeFirstBatch)
      throws IOException {
    if (startOffset < logStartOffset || startOffset > logEndOffset) {
      throw new OffsetOutOfRangeException(
          "offset "
              + startOffset
              + " is outside of the log, which has offsets from "
              + logStartOffset
              + " to "
              + logEndOffset);
    }
    long bound = Math.min(upperBoundOffset, logEndOffset);
    if (startOffset >= bound) {
      return SegmentRegion.empty(startOffset);
    }
    for (int i = floor(startOffset); i < segments.length; i++) {
      if (segments[i].baseOffset() >= bound) {
        break;
      }
      SegmentReader reader = reader(i);
      SegmentReader.Located first = reader.find(startOffset);
      if (first == null) {
        continue; // Compaction has removed everything from here to the end of this segment.
      }
      int limit = bound >= endOffset(i) ? reader.sizeBytes() : reader.positionOf(bound);
      int available = limit - first.positionBytes();
      if (available <= 0) {
        break;
      }
      int wanted = wholeFirstBatch ? Math.max(maxBytes, first.header().sizeBytes()) : maxBytes;
      int size = Math.min(available, wanted);
      if (size == available) {
        // The next read will most likely go on from here.
        reader.segment().hints().add(Math.min(bound, endOffset(i)), limit);
      }
      return size <= 0
          ? SegmentRegion.empty(startOffset)
          : new SegmentRegion(
              reader.segment().channel(), first.positionBytes(), size, first.header().baseOffset());
    }
    return SegmentRegion.empty(startOffset);
  }

  @Override
  public long availableBytes(long startOffset, long upperBoundOffset) {
    long from = Math.max(startOffset, logStartOffset);
    long bound = Math.min(upperBoundOffset, logEndOffset);
    if (from >= bound) {
      return 0;
    }
    int first = floor(from);
    int last = floor(bound - 1);
    long bytes = 0;
    for (int i = first; i <= last; i++) {
      bytes += sizeBytes(i);
    }
    bytes -= Math.max(0, estimate(first, from));
    if (bound < endOffset(last)) {
      bytes -= sizeBytes(last) - estimate(last, bound);
    }
    return Math.max(1, bytes);
  }

  /** Position of an offset from what is in memory: the nearest hint or index entry below it. */
  private int estimate(int i, long offset) {
    Segment segment = segments[i];
    int position = 0;
    try {
      SegmentIndex offsets = i == segments.length - 1 ? activeOffsets : segment.offsetIndex();
      int entry = offsets.floorByOffset(offset - segment.baseOffset());
      position = entry < 0 ? 0 : Math.min(offsets.position(entry), sizeBytes(i));
    } catch (IOException e) {
      // An estimate without the index: the reader meets the failure when it reads.
      position = 0;
    }
    PositionHints.Hint hint = segment.hints().floor(offset, sizeBytes(i));
    return hint == null ? position : Math.max(position, hint.position());
  }

  @Override
  public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, long upperBoundOffset)
      throws IOException {
    long bound = Math.min(upperBoundOffset, logEndOffset);
    for (int i = floor(logStartOffset); i < segments.length; i++) {
      SegmentReader reader = reader(i);
      if (segments[i].baseOffset() >= bound) {
        break;
      }
      if (i < segments.length - 1 && newestIndexed(reader) < timestampMs) {
        continue;
      }
      TimestampedOffset found = reader.firstAtOrAfter(timestampMs, logStartOffset, bound);
      if (found != null) {
        return Optional.of(found);
      }
    }
    return Optional.empty();
  }

  private static long newestIndexed(SegmentReader sealed) {
    SegmentIndex times = sealed.times();
    return times.count() == 0 ? -1 : times.timestamp(times.count() - 1);
  }

  @Override
  public Optional<TimestampedOffset> maxTimestamp(long upperBoundOffset) throws IOException {
    long bound = Math.min(upperBoundOffset, logEndOffset);
    long from = logStartOffset;
    Optional<TimestampedOffset> inFirst = Optional.empty();
    SegmentReader first = reader(floor(from));
    SegmentReader.Located cut = first.find(from);
    if (cut != null && cut.header().baseOffset() < from) {
      // The log begins within this batch: its header speaks of records that are gone.
      if (cut.header().lastOffset() < bound) {
        inFirst = newestRecord(first, cut);
      }
      from = cut.header().nextOffset();
    }
    Optional<TimestampedOffset> inOthers = maxTimestamp(from, bound);
    return inOthers.isEmpty()
            || (inFirst.isPresent() && inFirst.get().timestampMs() >= inOthers.get().timestampMs())
        ? inFirst
        : inOthers;
  }

  private Optional<TimestampedOffset> maxTimestamp(long from, long bound) throws IOException {
    SegmentReader.Located best = null;
    SegmentReader holder = null;
    for (int i = floor(from); i < segments.length && segments[i].baseOffset() < bound; i++) {
      SegmentReader reader = reader(i);
      if (best != null
          && i < segments.length - 1
          && newestIndexed(reader) <= best.header().maxTimestamp()) {
        continue;
      }
      SegmentReader.Located batch = reader.maxTimestampBatch(from, bound);
      if (batch != null
          && (best == null || batch.header().maxTimestamp() > best.header().maxTimestamp())) {
        best = batch;
        holder = reader;
      }
    }
    return best == null || holder == null ? Optional.empty() : newestRecord(holder, best);
  }

  private Optional<TimestampedOffset> newestRecord(
      SegmentReader reader, SegmentReader.Located batch) throws IOException {
    Record newest = null;
    for (Record record : reader.records(batch.positionBytes(), batch.header().sizeBytes())) {
      if (record.offset() >= logStartOffset
          && (newest == null || record.timestamp() > newest.timestamp())) {
        newest = record;
      }
    }
    return newest == null
        ? Optional.empty()
        : Optional.of(
            new TimestampedOffset(
                newest.offset(), newest.timestamp(), batch.header().leaderEpoch()));
  }

  @Override
  public List<SegmentFile> segmentFiles(long upperBoundOffset) throws IOException {
    long bound = Math.min(upperBoundOffset, logEndOffset);
    List<SegmentFile> files = new ArrayList<>();
    for (int i = floor(logStartOffset); i < segments.length; i++) {
      segmentFile(i, bound).ifPresent(files::add);
    }
    return files;
  }

  @Override
  public Optional<SegmentFile> segmentFile(long baseOffset, long upperBoundOffset)
      throws IOException {
    int i = floor(baseOffset);
    return segments[i].baseOffset() == baseOffset && endOffset(i) > logStartOffset
        ? segmentFile(i, Math.min(upperBoundOffset, logEndOffset))
        : Optional.empty();
  }

  private Optional<SegmentFile> segmentFile(int i, long bound) throws IOException {
    Segment segment = segments[i];
    long from = Math.max(segment.baseOffset(), logStartOffset);
    if (bound <= from) {
      return Optional.empty();
    }
    SegmentReader reader = reader(i);
    SegmentReader.Located first = reader.find(from);
    int limit = bound >= endOffset(i) ? reader.sizeBytes() : reader.positionOf(bound);
    if (first == null || first.positionBytes() >= limit) {
      return Optional.empty(); // Compaction or DeleteRecords left nothing to read.
    }
    // What was deleted (DeleteRecords) is not read any more, though the file still has it.
    int start = segment.baseOffset() >= logStartOffset ? 0 : first.positionBytes();
    return Optional.of(part(i, first, start, limit, Math.min(bound, endOffset(i))));
  }

  private SegmentFile part(int i, SegmentReader.Located first, int start, int limit, long endOffset)
      throws IOException {
    Segment segment = segments[i];
    long firstTimestamp = first.header().maxTimestamp();
    SegmentReader.Located newest =
        reader(i).maxTimestampBatch(first.header().baseOffset(), endOffset);
    return new SegmentFile(
        segment.baseOffset(),
        endOffset,
        new SegmentRegion(segment.channel(), start, limit - start, first.header().baseOffset()),
        firstTimestamp,
        newest == null ? firstTimestamp : newest.header().maxTimestamp(),
        "%x-%x-%x-%x".formatted(segment.fileId(), start, limit, epochAt(endOffset - 1) + 1),
        i < segments.length - 1);
  }

  @Override
  public List<SegmentFile> batches(long startOffset, long endOffset) throws IOException {
    long from = Math.max(startOffset, logStartOffset);
    long bound = Math.min(endOffset, logEndOffset);
    List<SegmentFile> parts = new ArrayList<>();
    if (from >= bound) {
      return parts;
    }
    for (int i = floor(from); i < segments.length && segments[i].baseOffset() < bound; i++) {
      SegmentReader reader = reader(i);
      SegmentReader.Located first = reader.find(from);
      if (first == null || first.header().baseOffset() >= bound) {
        continue;
      }
      SegmentReader.Located after = bound >= endOffset(i) ? null : reader.find(bound);
      int limit = reader.sizeBytes();
      long end = endOffset(i);
      if (after != null) {
        boolean shared = after.header().baseOffset() < bound;
        limit = after.positionBytes() + (shared ? after.header().sizeBytes() : 0);
        end = shared ? after.header().nextOffset() : after.header().baseOffset();
      }
      parts.add(part(i, first, first.positionBytes(), limit, end));
    }
    return parts;
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
    return sealedBytes + activeSizeBytes;
  }

  @Override
  public List<AbortedTransaction> abortedTransactions(long startOffset, long upperBoundOffset)
      throws IOException {
    List<AbortedTransaction> found = new ArrayList<>();
    for (int i = floor(startOffset); i < segments.length; i++) {
      @Nullable TransactionIndex index = segments[i].transactions();
      if (index != null && index.collect(startOffset, upperBoundOffset, found)) {
        break;
      }
    }
    found.sort(java.util.Comparator.comparingLong(AbortedTransaction::firstOffset));
    return found;
  }

  /** The last segment that begins at or before an offset; the first for anything below all. */
  int floor(long offset) {
    int last = segments.length - 1;
    if (segments[last].baseOffset() <= offset) {
      return last;
    }
    int low = 0;
    int high = last - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (segments[middle].baseOffset() <= offset) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return Math.max(0, high);
  }

  SegmentReader reader(int i) throws IOException {
    Segment segment = segments[i];
    return i == segments.length - 1
        ? new SegmentReader(segment, activeSizeBytes, activeOffsets, activeTimes)
        : new SegmentReader(
            segment, segment.sizeBytes(), segment.offsetIndex(), segment.timeIndex());
  }

  private int sizeBytes(int i) {
    return i == segments.length - 1 ? activeSizeBytes : segments[i].sizeBytes();
  }

  /** Exclusive end of the offsets of a segment. */
  private long endOffset(int i) {
    return i == segments.length - 1 ? logEndOffset : segments[i + 1].baseOffset();
  }

  @Override
  public String toString() {
    return "log from " + logStartOffset + " to " + logEndOffset + " in " + segments.length;
  }
}
