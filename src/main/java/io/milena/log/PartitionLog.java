package io.milena.log;

import io.milena.common.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * The log of one replica of a partition: a directory of segment files in Kafka's format.
 *
 * <p>One thread at a time, its owner, may call anything; any thread may call {@link #view()} and
 * {@link PendingFlush#run()}. An append is in the file (in the page cache) when it returns, and in
 * every view from then on; it is on disk once a flush has been completed past it.
 *
 * <p>Files that retention, truncation or compaction take out of the log keep their readers for
 * {@code file.delete.delay.ms}; then they are deleted and closed, and who still reads from an older
 * view gets an {@link IOException}. That happens in {@link #deleteExpiredFiles}, which retention
 * calls too.
 *
 * <p>Failures of the file system are thrown as {@link LogFailedException}. An append that fails
 * leaves the log as it was; it can be tried again.
 */
public final class PartitionLog implements ReplicatedLog {

  /** Replaced as a whole when the log has been moved to another directory. */
  private volatile LogState log;

  private LogAppender appender;

  /**
   * What the node's checkpoints say about a log.
   *
   * @param recoveryPoint everything below it is known to be on disk
   * @param logStartOffset first offset that may be read
   * @param cleanShutdown the log was closed: nothing needs to be checked
   */
  public record OpenState(long recoveryPoint, long logStartOffset, boolean cleanShutdown) {
    /** For a directory that is new, or of which nothing is known. */
    public static final OpenState UNKNOWN = new OpenState(0, 0, false);
  }

  /**
   * @param log ready to use
   * @param report what opening it had to do
   */
  public record Opened(PartitionLog log, RecoveryReport report) {}

  private PartitionLog(LogState log, long random) {
    this.log = log;
    this.appender = new LogAppender(log, random);
  }

  /**
   * Opens a log, making its directory if there is none, and recovers it if it must.
   *
   * @param directory {@code <topic>-<partition>}
   * @param topicId written to {@code partition.metadata} when not there yet
   * @throws LogFailedException also when the directory belongs to a topic with another id
   */
  public static Opened open(
      Path directory,
      TopicPartition partition,
      Optional<Uuid> topicId,
      LogConfig config,
      Clock clock,
      OpenState state) {
    long startNanos = clock.monotonicNanos();
    try {
      Files.createDirectories(directory);
      checkTopicId(directory, topicId);
      LogLoader loader =
          new LogLoader(
              directory, config, state, clock.wallClockMs(), config.producerExpirationMs());
      loader.load();
      LogState log = new LogState(directory, partition, config, loader);
      log.recoveryPoint =
          state.cleanShutdown()
              ? log.logEndOffset
              : Math.clamp(
                  state.recoveryPoint(),
                  Math.min(log.logStartOffset, log.logEndOffset),
                  log.logEndOffset);
      return new Opened(
          new PartitionLog(log, clock.monotonicNanos()),
          loader.report.build(
              partition, loader.segments.size(), clock.monotonicNanos() - startNanos));
    } catch (IOException e) {
      throw LogFailedException.of(directory, "opening it", e);
    }
  }

  private static void checkTopicId(Path directory, Optional<Uuid> topicId) throws IOException {
    Optional<Uuid> stored = PartitionMetadataFile.read(directory);
    if (topicId.isPresent() && stored.isEmpty()) {
      PartitionMetadataFile.write(directory, topicId.get());
    } else if (topicId.isPresent() && !stored.equals(topicId)) {
      throw LogFailedException.corrupt(
          directory,
          "it belongs to topic id "
              + stored.get()
              + ", not to "
              + topicId.get()
              + "; move it away if that topic is gone");
    }
  }

  // ---- what it is

  public TopicPartition partition() {
    return log.partition;
  }

  public Path directory() {
    return log.directory;
  }

  public LogConfig config() {
    return log.config;
  }

  /** The newest view: one volatile read, from any thread. */
  @Override
  public LogView view() {
    return log.view;
  }

  @Override
  public long logStartOffset() {
    return log.logStartOffset;
  }

  @Override
  public long logEndOffset() {
    return log.logEndOffset;
  }

  /** Everything below is on disk: what {@code recovery-point-offset-checkpoint} keeps. */
  @Override
  public long recoveryPoint() {
    return log.recoveryPoint;
  }

  /** First offset of the active segment: everything below is in segments that are complete. */
  public long activeBaseOffset() {
    return log.segments.active().baseOffset();
  }

  /** First offset of the first transaction that is open or not replicated yet (LSO). */
  @Override
  public OptionalLong firstUnstableOffset() {
    return log.producers.firstUnstableOffset();
  }

  /** Transactions whose end lies below are stable from now on. */
  @Override
  public void onHighWatermark(long highWatermark) {
    log.producers.onHighWatermark(highWatermark);
  }

  /** Forgets producers that have written nothing for {@code producer.id.expiration.ms}. */
  public void removeExpiredProducers(long nowMs) {
    log.producers.removeExpired(nowMs, log.config.producerExpirationMs());
  }

  /**
   * Makes sure that the files of all segments are still in the directory. Appends and flushes look
   * after theirs by themselves, appends once a second.
   *
   * @throws LogFailedException that names a file which somebody has removed or replaced
   */
  public void checkFiles() {
    try {
      for (Segment segment : log.segments.array()) {
        segment.checkInPlace();
      }
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "looking after its files", e);
    }
  }

  /** Settings for what happens from now on. */
  public void updateConfig(LogConfig newConfig) {
    log.config = newConfig;
    appender.onConfig();
  }

  // ---- appending

  /**
   * Checks batches, gives them the next offsets and the epoch, and writes them.
   *
   * @param records offsets, epoch and timestamps are written into these bytes
   * @param leaderEpoch of the leadership in which the caller appends; not below the newest in the
   *     log
   * @param nowMs wall-clock time
   * @throws LogFailedException when the file system refuses; the log is as it was
   */
  public AppendOutcome appendAsLeader(
      MemoryRecords records, int leaderEpoch, AppendOrigin origin, long nowMs) {
    return appender.appendAsLeader(records, leaderEpoch, origin, nowMs);
  }

  /**
   * Appends what a leader sent, as it is. A last batch that is not whole is ignored.
   *
   * @param records batches with offsets and epochs; they must begin at or past the log end (past it
   *     only by what compaction has left out on the leader) and be in order
   * @return Rejected with CORRUPT_MESSAGE for a damaged batch, OFFSET_OUT_OF_RANGE for one that
   *     begins below the log end; the batches before it are in the log
   * @throws LogFailedException when the file system refuses; the log is as it was
   */
  @Override
  public AppendOutcome appendAsFollower(MemoryRecords records, long nowMs) {
    return appender.appendAsFollower(records, nowMs);
  }

  /** Ends the active segment, unless it is empty, and begins a new one at the log end. */
  public void roll(long nowMs) {
    appender.roll(nowMs);
  }

  /**
   * Ends the active segment when its first record is older than {@code max.compaction.lag.ms}, even
   * if nothing is appended any more; on a full disk it is left for later.
   */
  void rollForCompaction(long nowMs) {
    Segment active = log.segments.active();
    if (log.config.maxCompactionLagMs() == Long.MAX_VALUE || active.sizeBytes() == 0) {
      return;
    }
    try {
      long first = active.firstTimestamp();
      if (first >= 0 && nowMs - first > log.config.maxCompactionLagMs()) {
        roll(nowMs);
      }
    } catch (LogFailedException e) {
      if (e.kind() != LogFailedException.Kind.DISK_FULL) {
        throw e;
      }
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "looking at the age of its active segment", e);
    }
  }

  // ---- flushing

  /**
   * A flush that the owner has prepared, another thread may run, and the owner then completes.
   * Without anything to do {@link #isEmpty()} is true.
   */
  public static final class PendingFlush {
    final @Nullable Segment unsealed;
    final int truncationsBefore;
    final boolean forceDirectory;

    private final LogState log;
    private final List<Segment> flushed;
    private final long offset;

    PendingFlush(LogState log, List<Segment> flushed, long offset) {
      this.log = log;
      this.flushed = flushed;
      this.unsealed = flushed.contains(log.segments.active()) ? log.segments.active() : null;
      this.offset = offset;
      this.truncationsBefore = log.truncations;
      this.forceDirectory = log.directoryDirty;
    }

    public boolean isEmpty() {
      return flushed.isEmpty();
    }

    /** Everything below is on disk once the flush is complete. */
    public long offset() {
      return offset;
    }

    /** Forces the files; blocks for as long as the disk takes. From any thread. */
    public void run() {
      try {
        for (Segment segment : flushed) {
          segment.flush();
        }
        if (forceDirectory) {
          LogFiles.forceDirectory(log.directory);
        }
      } catch (IOException e) {
        throw LogFailedException.of(log.directory, "flushing", e);
      }
    }
  }

  /**
   * Prepares to bring everything below an offset to disk.
   *
   * @param upToOffset exclusive; at most the log end offset counts
   */
  public PendingFlush prepareFlush(long upToOffset) {
    return LogFlusher.prepare(log, upToOffset);
  }

  /** Moves the recovery point after a prepared flush has run. */
  public void completeFlush(PendingFlush flush) {
    if (flush.log == log) {
      LogFlusher.complete(log, flush);
    }
  }

  /** Brings everything below an offset to disk before it returns. */
  public void flush(long upToOffset) {
    PendingFlush flush = prepareFlush(upToOffset);
    if (!flush.isEmpty()) {
      flush.run();
      completeFlush(flush);
    }
  }

  // ---- taking away

  /**
   * Deletes the oldest segments that the topic's settings no longer want, or that lie before the
   * log start offset; never one that reaches past the high watermark. When the active segment
   * itself is due, it is rolled first.
   *
   * @return segments deleted
   */
  public int enforceRetention(long nowMs, long highWatermark) {
    deleteExpiredFiles(nowMs);
    try {
      int count = Retention.deletable(log.view, log.config, nowMs, highWatermark);
      if (count == 0) {
        return 0;
      }
      if (count == log.segments.count() && !rollForRetention(nowMs)) {
        count--;
      }
      if (count == 0) {
        return 0;
      }
      long newStart = log.segments.get(count).baseOffset();
      log.removeSegments(0, count, nowMs);
      if (newStart > log.logStartOffset) {
        log.moveLogStart(newStart);
      }
      log.publish();
      return count;
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "deleting old segments", e);
    }
  }

  /** False on a full disk: what is older than the active segment can go all the same. */
  private boolean rollForRetention(long nowMs) {
    try {
      roll(nowMs);
      return true;
    } catch (LogFailedException e) {
      if (e.kind() == LogFailedException.Kind.DISK_FULL) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Makes a later offset the first that can be read; a lower one than it is changes nothing.
   *
   * @param offset at most the log end offset; the caller keeps it at or below the high watermark
   */
  @Override
  public void advanceLogStartOffset(long offset) {
    if (offset > log.logEndOffset) {
      throw new IllegalArgumentException(
          "log start offset " + offset + " past the end of the log at " + log.logEndOffset);
    }
    if (offset > log.logStartOffset) {
      log.moveLogStart(offset);
      log.publish();
    }
  }

  /**
   * Takes back everything from an offset on.
   *
   * @param offset the new log end offset; when it lies within a batch, that batch goes as a whole,
   *     but the end never lies before the log start offset
   * @return the log end offset now
   */
  @Override
  public long truncateTo(long offset) {
    return LogTruncation.truncateTo(log, offset);
  }

  /** Drops everything and begins anew, empty, at an offset. */
  @Override
  public void truncateFullyAndStartAt(long offset) {
    LogTruncation.startAnew(log, offset);
  }

  // ---- compaction

  /** The segments as compaction plans with them, the active one last. */
  List<CompactionSource> compactionSources() {
    return SegmentReplacement.sources(log);
  }

  /** The last batch of every producer, for compaction. */
  Map<Long, ProducerStates.LastBatch> lastBatches() {
    return log.producers.lastBatches();
  }

  /**
   * Puts a compacted segment, finished as {@code .cleaned} files, in the place of the segments it
   * was made from. Safe to kill at any step: opening the log finishes or undoes it.
   *
   * @param baseOffsets of the old segments, ascending, all sealed; the first is the new one's too
   * @param directory of the log when they were compacted: where the files are
   * @param endOffset exclusive end of what the new segment stands for
   * @return false when the log no longer has exactly these segments; nothing was changed
   */
  boolean replaceSegments(Path directory, List<Long> baseOffsets, long endOffset, long nowMs) {
    return log.directory.equals(directory)
        && SegmentReplacement.replace(log, baseOffsets, endOffset, nowMs);
  }

  /** Deletes the files that left the log more than {@code file.delete.delay.ms} ago. */
  public void deleteExpiredFiles(long nowMs) {
    takeExpiredFiles(nowMs).run();
  }

  /**
   * Takes the files that left the log more than {@code file.delete.delay.ms} ago out of the owner's
   * hands.
   *
   * @return deletes them; for any one thread, as large files take their time
   */
  public Runnable takeExpiredFiles(long nowMs) {
    List<Segment> taken = log.segments.takeExpired(nowMs);
    Path where = log.directory;
    return () -> {
      try {
        for (Segment segment : taken) {
          segment.dispose();
        }
      } catch (IOException e) {
        throw LogFailedException.of(where, "deleting files of old segments", e);
      }
    };
  }

  /** Wall-clock time at which the next files have waited long enough; empty when none wait. */
  public OptionalLong nextExpiryMs() {
    return log.segments.nextExpiryMs();
  }

  // ---- moving to another directory

  /** How often something has been taken back from the end, since the log was opened. */
  int truncations() {
    return log.truncations;
  }

  /**
   * Knows the producers that another log knows, which ends where this one does: also those whose
   * batches have been deleted from its start, and more than the last batch of each.
   */
  void adoptProducers(PartitionLog other) {
    try {
      log.snapshots.delete(log.logEndOffset);
      log.producers = other.log.producers;
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "replacing a producer snapshot", e);
    }
  }

  /**
   * Goes on with the files of another log, which holds the same and has no other owner. Nothing of
   * the old ones is written any more.
   *
   * @param highWatermark exclusive
   * @return the old files; whoever reads from an older view goes on until they are deleted
   */
  LeftBehind switchTo(PartitionLog other, long highWatermark) {
    LogState old = log;
    other.updateConfig(old.config);
    other.log.producers = old.producers;
    other.onHighWatermark(highWatermark);
    for (Segment segment : old.segments.array()) {
      segment.retire();
    }
    appender = other.appender;
    log = other.log;
    return new LeftBehind(old);
  }

  /** The files of a log that goes on elsewhere. One thread at a time, any. */
  public static final class LeftBehind {
    private final LogState old;

    LeftBehind(LogState old) {
      this.old = old;
    }

    /** Wall-clock time, in milliseconds, for which readers of older views may need the files. */
    public long delayMs() {
      return old.config.fileDeleteDelayMs();
    }

    /** Gives the directory the name that marks a deleted log's: a crash does not bring it back. */
    public void setAside() {
      renameForDeletion(old);
      for (Segment segment : old.segments.array()) {
        segment.movedTo(old.directory);
      }
    }

    /** Closes the files and deletes the directory. */
    public void delete() {
      PartitionLog.delete(old);
    }
  }

  // ---- the end

  /** Brings everything to disk and closes the files; the log cannot be used afterwards. */
  public void close() {
    try {
      appender.discardPartialWrite();
      flush(log.logEndOffset);
      log.saveEpochs();
      if (log.logEndOffset > log.logStartOffset) {
        log.snapshots.take(log.producers, true);
      }
      log.snapshots.retain(log.segments.baseOffsets());
      deleteExpiredFiles(Long.MAX_VALUE);
      for (Segment segment : log.segments.array()) {
        segment.close();
      }
      LogFiles.forceDirectory(log.directory);
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "closing it", e);
    }
  }

  /**
   * Gives the directory the name that marks a deleted topic's, so that a crash does not bring it
   * back. Nothing can be appended afterwards; readers go on until {@link #delete()}.
   */
  public void renameForDeletion() {
    renameForDeletion(log);
  }

  private static void renameForDeletion(LogState log) {
    String name = LogFiles.deletedName(log.partition);
    Path target = log.directory.resolveSibling(name);
    try {
      Files.move(log.directory, target, StandardCopyOption.ATOMIC_MOVE);
      log.directory = target;
      LogFiles.forceDirectory(target.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "renaming it to " + name, e);
    }
  }

  /** Closes the files and deletes the directory with all it holds. */
  public void delete() {
    delete(log);
  }

  private static void delete(LogState log) {
    try {
      log.segments.closeQuietly();
      LogFiles.deleteRecursively(log.directory);
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "deleting it", e);
    }
  }

  /**
   * Reads everything and checks every batch.
   *
   * @return what is wrong with the first bad batch, or empty
   */
  public Optional<String> verify() {
    try {
      PublishedView current = log.view;
      for (int i = 0; i < current.segments().length; i++) {
        SegmentReader reader = current.reader(i);
        BatchScanner scanner =
            BatchScanner.verifying(reader.segment().channel(), 0, reader.sizeBytes());
        BatchHeader batch;
        do {
          batch = scanner.next();
        } while (batch != null);
        if (scanner.fault() != null) {
          return Optional.of(reader.segment().file() + ": " + scanner.fault());
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw LogFailedException.of(log.directory, "verifying it", e);
    }
  }
}
