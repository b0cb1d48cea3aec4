package io.milena.log;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/**
 * What opening a log had to do.
 *
 * @param partition whose log it is
 * @param segments how many segments it has now
 * @param scannedSegments segments read and checked from end to end
 * @param scannedBytes bytes read and checked
 * @param cutBytes bytes of a torn or damaged tail that were cut off
 * @param deletedSegments segments after the damage, which were deleted with all they held
 * @param rebuiltIndexes segments whose indexes were missing or damaged
 * @param durationNanos how long opening took
 * @param faults what was wrong where, one sentence each; empty when nothing was
 */
public record RecoveryReport(
    TopicPartition partition,
    int segments,
    int scannedSegments,
    long scannedBytes,
    long cutBytes,
    int deletedSegments,
    int rebuiltIndexes,
    long durationNanos,
    List<String> faults) {

  public RecoveryReport {
    faults = List.copyOf(faults);
  }

  /** True when nothing was read, cut or rebuilt. */
  public boolean untouched() {
    return scannedSegments == 0 && cutBytes == 0 && deletedSegments == 0 && rebuiltIndexes == 0;
  }

  /** The whole in one sentence, for the node's log. */
  public String summary() {
    if (untouched()) {
      return partition + ": opened " + segments + " segment(s), nothing to recover";
    }
    StringBuilder text = new StringBuilder(partition.toString()).append(": recovered in ");
    text.append(durationNanos / 1_000_000).append(" ms: checked ").append(scannedBytes);
    text.append(" bytes in ").append(scannedSegments).append(" segment(s)");
    if (cutBytes > 0 || deletedSegments > 0) {
      text.append(", cut ").append(cutBytes).append(" bytes of an incomplete end");
      if (deletedSegments > 0) {
        text.append(" and deleted ").append(deletedSegments).append(" segment(s) behind it");
      }
    }
    if (rebuiltIndexes > 0) {
      text.append(", rebuilt the indexes of ").append(rebuiltIndexes).append(" segment(s)");
    }
    if (!faults.isEmpty()) {
      text.append(" (").append(String.join("; ", faults)).append(')');
    }
    return text.toString();
  }

  /** Counts while a log is being opened. */
  static final class Builder {
    int scannedSegments;
    long scannedBytes;
    long cutBytes;
    int deletedSegments;
    int rebuiltIndexes;
    final List<String> faults = new ArrayList<>();

    RecoveryReport build(TopicPartition partition, int segments, long durationNanos) {
      return new RecoveryReport(
          partition,
          segments,
          scannedSegments,
          scannedBytes,
          cutBytes,
          deletedSegments,
          rebuiltIndexes,
          durationNanos,
          faults);
    }
  }
}
