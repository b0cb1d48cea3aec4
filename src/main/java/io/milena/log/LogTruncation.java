package io.milena.log;

import java.io.IOException;

/** Takes back the end of a log. */
final class LogTruncation {

  private LogTruncation() {}

  /** {@link PartitionLog#truncateTo}. */
  static long truncateTo(LogState log, long offset) {
    if (offset >= log.logEndOffset) {
      return log.logEndOffset;
    }
    SegmentList segments = log.segments;
    if (offset < segments.get(0).baseOffset() || offset < log.logStartOffset) {
      startAnew(log, offset);
      return log.logEndOffset;
    }
    try {
      int last = log.view.floor(offset);
      SegmentReader.Located first = log.view.reader(last).find(offset);
      if (first != null && first.header().baseOffset() < log.logStartOffset) {
        // Only a batch that the log start offset cuts is left, and it goes.
        startAnew(log, log.logStartOffset);
        return log.logEndOffset;
      }
      log.truncations++;
      log.removeSegments(last + 1, segments.count(), 0);
      Segment active = segments.active();
      long end = offset;
      int position = active.sizeBytes();
      if (first != null) {
        end = Math.min(offset, first.header().baseOffset());
        position = first.positionBytes();
      }
      active.truncate(position, end);
      log.logEndOffset = end;
      log.recoveryPoint = Math.min(log.recoveryPoint, end);
      log.epochs = log.epochs.truncatedToEnd(end);
      log.reloadProducers();
      log.saveEpochs();
      log.publish();
      return end;
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "truncating to offset " + offset, e);
    }
  }

  /** {@link PartitionLog#truncateFullyAndStartAt}. */
  static void startAnew(LogState log, long offset) {
    try {
      log.truncations++;
      for (Segment segment : log.segments.array()) {
        log.expire(segment, 0);
      }
      log.segments.restart(
          Segment.create(log.directory, offset, log.segments.active().createdMs()));
      log.directoryDirty = true;
      log.logStartOffset = offset;
      log.logEndOffset = offset;
      log.recoveryPoint = offset;
      log.epochs = LeaderEpochHistory.EMPTY;
      for (long snapshot : log.snapshots.offsets()) {
        log.snapshots.delete(snapshot);
      }
      log.producers.reset(offset);
      log.saveEpochs();
      log.publish();
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "starting anew at offset " + offset, e);
    }
  }
}
