package io.milena.log;

import java.util.ArrayList;
import java.util.List;

/**
 * Prepares and completes the flushes of a log; running one is {@link PartitionLog.PendingFlush}.
 */
final class LogFlusher {

  private LogFlusher() {}

  /** {@link PartitionLog#prepareFlush}. */
  static PartitionLog.PendingFlush prepare(LogState log, long upToOffset) {
    long offset = Math.min(upToOffset, log.logEndOffset);
    List<Segment> behind = new ArrayList<>();
    if (offset > log.recoveryPoint) {
      for (int i = log.view.floor(log.recoveryPoint); i < log.segments.count(); i++) {
        Segment segment = log.segments.get(i);
        if (segment.baseOffset() < offset) {
          behind.add(segment);
        }
      }
      log.saveEpochs();
    }
    return new PartitionLog.PendingFlush(log, behind, offset);
  }

  /** {@link PartitionLog#completeFlush}. */
  static void complete(LogState log, PartitionLog.PendingFlush flush) {
    if (flush.isEmpty() || flush.truncationsBefore != log.truncations) {
      return;
    }
    long reached = flush.offset();
    if (flush.unsealed != null && flush.unsealed != log.segments.active()) {
      // It was rolled meanwhile, so its indexes are not on disk yet: leave it to the next flush.
      reached = Math.min(reached, flush.unsealed.baseOffset());
    }
    if (flush.forceDirectory) {
      log.directoryDirty = false;
    }
    log.recoveryPoint = Math.max(log.recoveryPoint, reached);
  }
}
