package io.milena.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A compacted log at one moment: whether compacting it is due, and how to. Taken on the log's
 * owner, compacted on any other thread; only one at a time may be compacted for a log.
 */
public final class CleanableLog {

  /** Name of the file in a data directory that says how far each log has been compacted. */
  public static final String CHECKPOINT_FILE = CompactionPlanner.CHECKPOINT_FILE;

  /** Preset of {@code log.cleaner.dedupe.buffer.size}; Kafka's is 128 MB. */
  public static final long DEDUPE_BUFFER_BYTES_DEFAULT = LogCompactor.DEDUPE_BUFFER_BYTES_DEFAULT;

  private final PartitionLog log;

  /** Of the log when it was looked at: it may have been moved to another disk since. */
  private final Path directory;

  private final CompactionPlanner.Candidate candidate;
  private final Map<Long, ProducerStates.LastBatch> producers;

  private CleanableLog(
      PartitionLog log,
      CompactionPlanner.Candidate candidate,
      Map<Long, ProducerStates.LastBatch> producers) {
    this.log = log;
    this.directory = log.directory();
    this.candidate = candidate;
    this.producers = producers;
  }

  /** Runs something on the owner of the log, the only thread that may change it, and waits. */
  @FunctionalInterface
  public interface Owner {

    /**
     * Runs it.
     *
     * @throws IOException when the log is not there any more, or the change failed
     */
    void run(Consumer<PartitionLog> change) throws IOException, InterruptedException;
  }

  /**
   * How a compaction ended.
   *
   * @param cleanedToOffset exclusive: up to here every key has been looked at
   * @param completed false when it was stopped, or the log changed under it: nothing was lost
   * @param bytesRead of the segments that were rewritten
   * @param bytesWritten to the new segments
   */
  public record Result(
      long cleanedToOffset, boolean completed, long bytesRead, long bytesWritten) {}

  /**
   * Looks at a log, and first rolls its active segment if that has become too old to wait for. On
   * the log's owner only.
   *
   * @param lastStableOffset exclusive bound of what may be compacted; an older one is safe
   * @param checkpointOffset where the last compaction ended, or -1
   */
  public static CleanableLog survey(
      PartitionLog log, long lastStableOffset, long checkpointOffset, long nowMs) {
    log.rollForCompaction(nowMs);
    CompactionPlanner.Candidate candidate =
        CompactionPlanner.examine(
            new CompactionPlanner.Log(
                log.partition(),
                log.config(),
                log.compactionSources(),
                log.logStartOffset(),
                lastStableOffset,
                checkpointOffset),
            nowMs);
    return new CleanableLog(log, candidate, candidate.isDue() ? log.lastBatches() : Map.of());
  }

  /** The one to compact next: the most overdue, else the dirtiest; empty when none is due. */
  public static Optional<CleanableLog> mostUrgent(List<CleanableLog> logs) {
    return logs.stream()
        .filter(CleanableLog::isDue)
        .max(
            Comparator.comparingLong((CleanableLog log) -> log.candidate.overdueMs())
                .thenComparingDouble(log -> log.candidate.dirtyRatio()));
  }

  /** Whether there is enough to compact, by size or by age. */
  public boolean isDue() {
    return candidate.isDue();
  }

  /**
   * Compacts the log.
   *
   * @param dedupeBufferBytes bound of the memory for keys
   * @param nowMs wall-clock time
   * @throws IOException when a segment cannot be read or written; the log is whole and goes on
   */
  public Result compact(long dedupeBufferBytes, CompactionPace pace, long nowMs, Owner owner)
      throws IOException, InterruptedException {
    LogCompactor.Outcome outcome =
        new LogCompactor(directory, candidate.log().config(), dedupeBufferBytes, pace)
            .compact(
                candidate,
                producers,
                nowMs,
                (baseOffsets, endOffset) -> swap(owner, baseOffsets, endOffset, nowMs));
    return new Result(
        outcome.cleanedToOffset(),
        outcome.completed(),
        outcome.bytesRead(),
        outcome.bytesWritten());
  }

  private boolean swap(Owner owner, List<Long> baseOffsets, long endOffset, long nowMs)
      throws IOException, InterruptedException {
    boolean[] swapped = new boolean[1];
    owner.run(
        owned -> swapped[0] = owned.replaceSegments(directory, baseOffsets, endOffset, nowMs));
    return swapped[0];
  }

  /**
   * Whether retention, truncation or a move has changed the part of the log that a failed
   * compaction was reading, so that the failure says nothing about the log. On the log's owner
   * only.
   */
  public boolean isOutdated() {
    if (!log.directory().equals(directory)) {
      return true;
    }
    List<CompactionSource> sources = log.compactionSources();
    return sources.getFirst().baseOffset() != candidate.log().segments().getFirst().baseOffset()
        || sources.getLast().baseOffset() < candidate.firstUncleanableOffset();
  }
}
