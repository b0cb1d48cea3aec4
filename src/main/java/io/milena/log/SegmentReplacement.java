package io.milena.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What compaction sees of a log, and how it puts its result into it. */
final class SegmentReplacement {

  private SegmentReplacement() {}

  /** The segments as compaction plans with them, the active one last. */
  static List<CompactionSource> sources(LogState log) {
    try {
      List<CompactionSource> sources = new ArrayList<>(log.segments.count());
      for (Segment segment : log.segments.array()) {
        sources.add(
            new CompactionSource(
                segment.baseOffset(),
                segment.file(),
                segment.sizeBytes(),
                Math.max(-1, segment.firstTimestamp()),
                segment.largestTimestamp()));
      }
      return sources;
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "looking for what to compact", e);
    }
  }

  /** {@link PartitionLog#replaceSegments}. */
  static boolean replace(LogState log, List<Long> baseOffsets, long endOffset, long nowMs) {
    List<Long> present = log.segments.baseOffsets();
    int from = present.indexOf(baseOffsets.getFirst());
    int to = from + baseOffsets.size();
    if (from < 0
        || to >= present.size()
        || present.get(to) != endOffset
        || !present.subList(from, to).equals(baseOffsets)) {
      return false;
    }
    try {
      long base = baseOffsets.getFirst();
      SegmentSwap.commit(log.directory, base);
      for (int i = from; i < to; i++) {
        log.expire(log.segments.get(i), nowMs);
      }
      SegmentSwap.finish(log.directory, base);
      Segment compacted = Segment.existing(log.directory, base);
      compacted.openTransactions();
      log.segments.replace(from, to, compacted);
      log.snapshots.retain(log.segments.baseOffsets());
      log.publish();
      return true;
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "replacing segments by a compacted one", e);
    }
  }
}
