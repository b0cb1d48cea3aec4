package io.milena.log;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * Decides which log is worth compacting, and which part of it may be. Pure. Upstream:
 * LogCleanerManager; KIP-354 for the maximum lag.
 */
final class CompactionPlanner {

  /** Name of the file in a data directory that says how far each log has been compacted. */
  static final String CHECKPOINT_FILE = "cleaner-offset-checkpoint";

  private CompactionPlanner() {}

  /**
   * A compacted log, as it is now.
   *
   * @param partition whose log it is
   * @param config its settings
   * @param segments all of them by base offset, the active one last
   * @param logStartOffset first readable offset
   * @param lastStableOffset exclusive bound: records from here on may still be aborted, or lost
   * @param checkpointOffset where the last compaction ended, or -1
   */
  record Log(
      TopicPartition partition,
      LogConfig config,
      List<CompactionSource> segments,
      long logStartOffset,
      long lastStableOffset,
      long checkpointOffset) {}

  /**
   * A log with something to compact.
   *
   * @param log the log
   * @param firstDirtyOffset inclusive: from here on keys have not been looked at yet
   * @param firstUncleanableOffset exclusive bound of what may be compacted now
   * @param cleanBytes size of the segments before the dirty part
   * @param cleanableBytes size of the dirty segments that may be compacted
   * @param overdueMs by how much {@code max.compaction.lag.ms} has been exceeded, or 0
   */
  record Candidate(
      Log log,
      long firstDirtyOffset,
      long firstUncleanableOffset,
      long cleanBytes,
      long cleanableBytes,
      long overdueMs) {

    double dirtyRatio() {
      return cleanableBytes == 0 ? 0 : (double) cleanableBytes / (cleanBytes + cleanableBytes);
    }

    boolean isDue() {
      return cleanableBytes > 0
          && (overdueMs > 0 || dirtyRatio() > log.config().minCleanableDirtyRatio());
    }

    /** The segments to read, dirty or not: all that begin before the uncleanable part. */
    List<CompactionSource> sources() {
      List<CompactionSource> sources = new ArrayList<>();
      for (CompactionSource segment : log.segments()) {
        if (segment.baseOffset() < firstUncleanableOffset) {
          sources.add(segment);
        }
      }
      return sources;
    }
  }

  /** The log to compact next: the most overdue, else the dirtiest; empty when none is due. */
  static Optional<Candidate> choose(List<Log> logs, long nowMs) {
    return logs.stream()
        .filter(log -> log.config().compact() && !log.segments().isEmpty())
        .map(log -> examine(log, nowMs))
        .filter(Candidate::isDue)
        .max(
            Comparator.comparingLong(Candidate::overdueMs)
                .thenComparingDouble(Candidate::dirtyRatio));
  }

  /** Works out the dirty and the cleanable part of one log, which has at least one segment. */
  static Candidate examine(Log log, long nowMs) {
    List<CompactionSource> segments = log.segments();
    long activeBaseOffset = segments.getLast().baseOffset();
    // A checkpoint outside of the log is of another life of this log: begin anew.
    long firstDirtyOffset =
        log.checkpointOffset() < log.logStartOffset() || log.checkpointOffset() > activeBaseOffset
            ? log.logStartOffset()
            : log.checkpointOffset();
    long firstUncleanableOffset =
        wholeSegmentsUpTo(segments, firstUncleanable(log, firstDirtyOffset, nowMs));
    firstUncleanableOffset = Math.max(firstUncleanableOffset, firstDirtyOffset);
    long cleanBytes = 0;
    long cleanableBytes = 0;
    long earliestTimestampMs = Long.MAX_VALUE;
    for (int i = 0; i < segments.size() - 1; i++) {
      CompactionSource segment = segments.get(i);
      if (segments.get(i + 1).baseOffset() <= firstDirtyOffset) {
        cleanBytes += segment.sizeBytes();
      } else if (segment.baseOffset() < firstUncleanableOffset) {
        cleanableBytes += segment.sizeBytes();
        if (segment.firstTimestampMs() >= 0) {
          earliestTimestampMs = Math.min(earliestTimestampMs, segment.firstTimestampMs());
        }
      }
    }
    long overdueMs =
        earliestTimestampMs == Long.MAX_VALUE
            ? 0
            : Math.max(0, nowMs - earliestTimestampMs - log.config().maxCompactionLagMs());
    return new Candidate(
        log, firstDirtyOffset, firstUncleanableOffset, cleanBytes, cleanableBytes, overdueMs);
  }

  private static long firstUncleanable(Log log, long firstDirtyOffset, long nowMs) {
    List<CompactionSource> segments = log.segments();
    long bound = Math.min(log.lastStableOffset(), segments.getLast().baseOffset());
    long minLagMs = log.config().minCompactionLagMs();
    if (minLagMs > 0) {
      for (int i = 0; i < segments.size() - 1; i++) {
        CompactionSource segment = segments.get(i);
        if (segments.get(i + 1).baseOffset() > firstDirtyOffset
            && segment.largestTimestampMs() > nowMs - minLagMs) {
          return Math.min(bound, segment.baseOffset());
        }
      }
    }
    return bound;
  }

  /**
   * Only whole segments are replaced, so one that the bound falls into is left alone; it may not be
   * rewritten while an open transaction's batches in it are undecided.
   */
  private static long wholeSegmentsUpTo(List<CompactionSource> segments, long bound) {
    long whole = segments.getFirst().baseOffset();
    for (CompactionSource segment : segments) {
      if (segment.baseOffset() <= bound) {
        whole = segment.baseOffset();
      }
    }
    return whole;
  }

  /**
   * Packs neighbouring segments into groups that fit one segment each: by size, by index size and
   * by the range that relative offsets can tell.
   *
   * @param endOffset exclusive end of the last of them
   */
  static List<List<CompactionSource>> group(
      List<CompactionSource> segments, long endOffset, LogConfig config) {
    List<List<CompactionSource>> groups = new ArrayList<>();
    List<CompactionSource> group = new ArrayList<>();
    long groupBytes = 0;
    for (int i = 0; i < segments.size(); i++) {
      CompactionSource segment = segments.get(i);
      long segmentEnd = i + 1 < segments.size() ? segments.get(i + 1).baseOffset() : endOffset;
      boolean fits =
          group.isEmpty()
              || (groupBytes + segment.sizeBytes() <= config.segmentBytes()
                  && indexBytes(groupBytes + segment.sizeBytes(), config)
                      <= config.segmentIndexBytes()
                  && segmentEnd - 1 - group.getFirst().baseOffset() <= Integer.MAX_VALUE);
      if (!fits) {
        groups.add(group);
        group = new ArrayList<>();
        groupBytes = 0;
      }
      group.add(segment);
      groupBytes += segment.sizeBytes();
    }
    if (!group.isEmpty()) {
      groups.add(group);
    }
    return groups;
  }

  private static long indexBytes(long logBytes, LogConfig config) {
    return logBytes / Math.max(1, config.indexIntervalBytes()) * SegmentIndex.Kind.TIME.entryBytes;
  }
}
