package io.milena.log;

import io.milena.common.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
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
public final class PartitionLog {

  /** Kafka's {@code producer.id.expiration.ms}. */
  public static final long PRODUCER_EXPIRATION_MS = 86_400_000L;

  private final TopicPartition partition;
  private final ProducerStates producers;
  private final ProducerSnapshots snapshots;
  private final ArrayDeque<Expiring> expiring = new ArrayDeque<>();

  private Path directory;
  private LogConfig config;
  private BatchValidator validator;
  private long rollJitterMs;

  /** In offset order; the last is the active one. Replaced, never changed: views share it. */
  private Segment[] segments;

  private Segment active;
  private long sealedBytes;
  private long logStartOffset;
  private long logEndOffset;
  private volatile long recoveryPoint;
  private LeaderEpochHistory epochs;
  private LeaderEpochHistory savedEpochs;
  private boolean directoryDirty;
  private boolean partialWrite;
  private int truncations;
  private volatile PublishedView view;

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

  private record Expiring(Segment segment, long deadlineMs) {}

  private PartitionLog(
      Path directory, TopicPartition partition, LogConfig config, LogLoader loaded, long random) {
    this.directory = directory;
    this.partition = partition;
    this.config = config;
    this.validator = new BatchValidator(config);
    this.rollJitterMs = jitter(config, random);
    this.producers = loaded.producers;
    this.snapshots = loaded.snapshots;
    this.segments = loaded.segments.values().toArray(Segment[]::new);
    this.active = segments[segments.length - 1];
    this.sealedBytes = sealedBytes(segments);
    this.logStartOffset = loaded.logStartOffset;
    this.logEndOffset = loaded.logEndOffset;
    this.epochs = loaded.epochs;
    this.savedEpochs = loaded.savedEpochs;
    this.directoryDirty = true;
    this.view = newView();
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
          new LogLoader(directory, config, state, clock.wallClockMs(), PRODUCER_EXPIRATION_MS);
      loader.load();
      PartitionLog log =
          new PartitionLog(directory, partition, config, loader, clock.monotonicNanos());
      log.recoveryPoint =
          state.cleanShutdown()
              ? log.logEndOffset
              : Math.clamp(
                  state.recoveryPoint(),
                  Math.min(log.logStartOffset, log.logEndOffset),
                  log.logEndOffset);
      return new Opened(
          log,
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
    return partition;
  }

  public Path directory() {
    return directory;
  }

  public LogConfig config() {
    return config;
  }

  /** The newest view: one volatile read, from any thread. */
  public LogView view() {
    return view;
  }

  public long logStartOffset() {
    return logStartOffset;
  }

  public long logEndOffset() {
    return logEndOffset;
  }

  /** Everything below is on disk: what {@code recovery-point-offset-checkpoint} keeps. */
  public long recoveryPoint() {
    return recoveryPoint;
  }

  /** First offset of the active segment: everything below is in segments that are complete. */
  public long activeBaseOffset() {
    return active.baseOffset();
  }

  /** First offset of the first transaction that is open or not replicated yet (LSO). */
  public OptionalLong firstUnstableOffset() {
    return producers.firstUnstableOffset();
  }

  /** Transactions whose end lies below are stable from now on. */
  public void onHighWatermark(long highWatermark) {
    producers.onHighWatermark(highWatermark);
  }

  /** Forgets producers that have written nothing for {@link #PRODUCER_EXPIRATION_MS}. */
  public void removeExpiredProducers(long nowMs) {
    producers.removeExpired(nowMs, PRODUCER_EXPIRATION_MS);
  }

  /** Settings for what happens from now on. */
  public void updateConfig(LogConfig newConfig) {
    config = newConfig;
    validator = new BatchValidator(newConfig);
    rollJitterMs =
        Math.min(rollJitterMs, Math.min(newConfig.segmentJitterMs(), newConfig.rollMs()));
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
    return switch (validator.validate(records, origin, nowMs)) {
      case BatchValidation.Invalid(AppendOutcome.Rejected why) -> why;
      case BatchValidation.Valid valid -> appendValid(valid, leaderEpoch, origin, nowMs);
    };
  }

  private AppendOutcome appendValid(
      BatchValidation.Valid valid, int leaderEpoch, AppendOrigin origin, long nowMs) {
    ByteBuffer bytes = valid.records().buffer();
    int start = bytes.position();
    int end = bytes.limit();
    if (end - start > config.segmentBytes()) {
      return new AppendOutcome.Rejected(
          Errors.RECORD_LIST_TOO_LARGE,
          "the batches are "
              + (end - start)
              + " bytes together, more than a segment may have ("
              + config.segmentBytes()
              + ")");
    }
    long baseOffset = logEndOffset;
    long next = baseOffset;
    for (int at = start; at < end; at += BatchLayout.sizeBytes(bytes, at)) {
      AppendOutcome refusal = producers.check(bytes, at, origin);
      if (refusal != null) {
        return refusal;
      }
      bytes.putLong(at, next);
      bytes.putInt(at + BatchLayout.LEADER_EPOCH, leaderEpoch);
      next += BatchLayout.lastOffsetDelta(bytes, at) + 1L;
    }
    append(bytes, start, end, next - 1, valid.maxTimestampMs(), nowMs);
    publish();
    return new AppendOutcome.Appended(baseOffset, next - 1, valid.logAppendTimeMs());
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
  public AppendOutcome appendAsFollower(MemoryRecords records, long nowMs) {
    ByteBuffer bytes = records.buffer();
    long baseOffset = logEndOffset;
    int start = bytes.position();
    int at = start;
    long last = logEndOffset - 1;
    long maxTimestamp = Long.MIN_VALUE;
    AppendOutcome.Rejected refusal = null;
    try {
      while (bytes.limit() - at >= BatchHeader.SIZE_BYTES) {
        BatchHeader batch = BatchHeader.read(bytes, at);
        if (batch.sizeBytes() > bytes.limit() - at) {
          break;
        }
        refusal = checkFollowed(bytes, at, batch, last + 1);
        if (refusal != null) {
          break;
        }
        if (at > start
            && active.sizeBytes() + (at - start) > config.segmentBytes() - batch.sizeBytes()) {
          append(bytes, start, at, last, maxTimestamp, nowMs);
          start = at;
          maxTimestamp = Long.MIN_VALUE;
        }
        last = batch.lastOffset();
        maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp());
        at += batch.sizeBytes();
      }
      if (at > start) {
        append(bytes, start, at, last, maxTimestamp, nowMs);
      }
    } finally {
      publish();
    }
    return refusal != null ? refusal : new AppendOutcome.Appended(baseOffset, logEndOffset - 1, -1);
  }

  private AppendOutcome.@Nullable Rejected checkFollowed(
      ByteBuffer bytes, int at, BatchHeader batch, long expectedOffset) {
    if (batch.sizeBytes() < BatchHeader.SIZE_BYTES
        || batch.magic() != BatchHeader.MAGIC
        || batch.lastOffsetDelta() < 0
        || BatchHeader.crcOf(bytes, at, batch.sizeBytes()) != batch.crc()) {
      return new AppendOutcome.Rejected(
          Errors.CORRUPT_MESSAGE,
          "the batch that " + partition + " was sent for offset " + expectedOffset + " is damaged");
    }
    if (batch.baseOffset() < expectedOffset) {
      return new AppendOutcome.Rejected(
          Errors.OFFSET_OUT_OF_RANGE,
          "the batch that "
              + partition
              + " was sent begins at "
              + batch.baseOffset()
              + ", but its log ends at "
              + expectedOffset);
    }
    return null;
  }

  /** Writes whole batches whose offsets are set, and accounts for them. Does not publish. */
  private void append(
      ByteBuffer bytes, int start, int end, long lastOffset, long maxTimestamp, long nowMs) {
    int previousSize;
    long previousEnd = logEndOffset;
    LeaderEpochHistory previousEpochs = epochs;
    try {
      if (partialWrite) {
        active.discardPartialWrite();
        partialWrite = false;
      }
      if (mustRoll(end - start, lastOffset, maxTimestamp, nowMs)) {
        rollAt(bytes.getLong(start), nowMs);
      }
      previousSize = active.sizeBytes();
      partialWrite = true;
      active.write(bytes.duplicate().limit(end).position(start));
      partialWrite = false;
    } catch (IOException e) {
      discardPartialWrite();
      throw LogFailedException.of(directory, "appending " + (end - start) + " bytes", e);
    }
    try {
      int interval = config.indexIntervalBytes();
      for (int at = start; at < end; ) {
        BatchHeader batch = BatchHeader.read(bytes, at);
        active.noteBatch(batch, interval);
        ProducerReplay.note(producers, active, bytes, at);
        if (batch.leaderEpoch() > epochs.latestEpoch()) {
          epochs = epochs.with(batch.leaderEpoch(), batch.baseOffset());
        }
        at += batch.sizeBytes();
      }
      logEndOffset = lastOffset + 1;
    } catch (IOException e) {
      // Only a transaction marker gets here: its index entry could not be written.
      epochs = previousEpochs;
      undo(previousSize, previousEnd);
      throw LogFailedException.of(directory, "indexing an aborted transaction", e);
    }
  }

  private void discardPartialWrite() {
    try {
      if (partialWrite) {
        active.discardPartialWrite();
        partialWrite = false;
      }
    } catch (IOException e) {
      // Tried again before the next append; until then nobody reads past the end.
    }
  }

  private void undo(int previousSize, long previousEnd) {
    try {
      logEndOffset = previousEnd;
      active.truncate(previousSize, previousEnd);
      reloadProducers();
    } catch (IOException e) {
      throw LogFailedException.of(directory, "undoing a failed append", e);
    }
  }

  private boolean mustRoll(int appendBytes, long lastOffset, long maxTimestamp, long nowMs)
      throws IOException {
    int size = active.sizeBytes();
    if (size == 0) {
      return false;
    }
    if (size > config.segmentBytes() - appendBytes
        || lastOffset - active.baseOffset() > Integer.MAX_VALUE
        || full(active.offsetIndex())
        || full(active.timeIndex())) {
      return true;
    }
    long first = active.firstTimestamp();
    long waited =
        first >= 0 && maxTimestamp >= 0 ? maxTimestamp - first : nowMs - active.createdMs();
    return waited > config.rollMs() - rollJitterMs;
  }

  /** Two entries are left free: the one of the append, and the time index's last when it rolls. */
  private boolean full(SegmentIndex index) {
    return index.sizeBytes() + 2 * index.kind().entryBytes
        > Math.max(config.segmentIndexBytes(), 4 * index.kind().entryBytes);
  }

  /** Ends the active segment, unless it is empty, and begins a new one at the log end. */
  public void roll(long nowMs) {
    if (active.sizeBytes() == 0) {
      return;
    }
    try {
      rollAt(logEndOffset, nowMs);
    } catch (IOException e) {
      throw LogFailedException.of(directory, "rolling to a new segment", e);
    }
    publish();
  }

  /**
   * Ends the active segment when its first record is older than {@code max.compaction.lag.ms}, even
   * if nothing is appended any more; on a full disk it is left for later.
   */
  void rollForCompaction(long nowMs) {
    if (config.maxCompactionLagMs() == Long.MAX_VALUE || active.sizeBytes() == 0) {
      return;
    }
    try {
      long first = active.firstTimestamp();
      if (first >= 0 && nowMs - first > config.maxCompactionLagMs()) {
        roll(nowMs);
      }
    } catch (LogFailedException e) {
      if (e.kind() != LogFailedException.Kind.DISK_FULL) {
        throw e;
      }
    } catch (IOException e) {
      throw LogFailedException.of(directory, "looking at the age of its active segment", e);
    }
  }

  private void rollAt(long baseOffset, long nowMs) throws IOException {
    snapshots.take(producers, false);
    Segment next = Segment.create(directory, baseOffset, nowMs);
    directoryDirty = true;
    active.seal();
    sealedBytes += active.sizeBytes();
    Segment[] grown = Arrays.copyOf(segments, segments.length + 1);
    grown[segments.length] = next;
    segments = grown;
    active = next;
  }

  // ---- flushing

  /**
   * A flush that the owner has prepared, another thread may run, and the owner then completes.
   * Without anything to do {@link #isEmpty()} is true.
   */
  public final class PendingFlush {
    private final List<Segment> flushed;
    private final @Nullable Segment unsealed;
    private final long offset;
    private final int truncationsBefore;
    private final boolean forceDirectory;

    private PendingFlush(List<Segment> flushed, long offset, boolean forceDirectory) {
      this.flushed = flushed;
      this.unsealed = flushed.contains(active) ? active : null;
      this.offset = offset;
      this.truncationsBefore = truncations;
      this.forceDirectory = forceDirectory;
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
          LogFiles.forceDirectory(directory);
        }
      } catch (IOException e) {
        throw LogFailedException.of(directory, "flushing", e);
      }
    }
  }

  /**
   * Prepares to bring everything below an offset to disk.
   *
   * @param upToOffset exclusive; at most the log end offset counts
   */
  public PendingFlush prepareFlush(long upToOffset) {
    long offset = Math.min(upToOffset, logEndOffset);
    List<Segment> behind = new ArrayList<>();
    if (offset > recoveryPoint) {
      for (int i = view.floor(recoveryPoint); i < segments.length; i++) {
        if (segments[i].baseOffset() < offset) {
          behind.add(segments[i]);
        }
      }
      saveEpochs();
    }
    return new PendingFlush(behind, offset, directoryDirty);
  }

  /** Moves the recovery point after a prepared flush has run. */
  public void completeFlush(PendingFlush flush) {
    if (flush.isEmpty() || flush.truncationsBefore != truncations) {
      return;
    }
    long reached = flush.offset;
    if (flush.unsealed != null && flush.unsealed != active) {
      // It was rolled meanwhile, so its indexes are not on disk yet: leave it to the next flush.
      reached = Math.min(reached, flush.unsealed.baseOffset());
    }
    if (flush.forceDirectory) {
      directoryDirty = false;
    }
    recoveryPoint = Math.max(recoveryPoint, reached);
  }

  /** Brings everything below an offset to disk before it returns. */
  public void flush(long upToOffset) {
    PendingFlush flush = prepareFlush(upToOffset);
    if (!flush.isEmpty()) {
      flush.run();
      completeFlush(flush);
    }
  }

  private void saveEpochs() {
    if (!epochs.equals(savedEpochs)) {
      try {
        CheckpointFile.writeEpochs(directory.resolve(LogLoader.EPOCHS_FILE), epochs);
        savedEpochs = epochs;
      } catch (IOException e) {
        throw LogFailedException.of(directory, "writing " + LogLoader.EPOCHS_FILE, e);
      }
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
      int count = Retention.deletable(view, config, nowMs, highWatermark);
      if (count == 0) {
        return 0;
      }
      if (count == segments.length && !rollForRetention(nowMs)) {
        count--;
      }
      if (count == 0) {
        return 0;
      }
      long newStart = segments[count].baseOffset();
      removeSegments(0, count, nowMs);
      if (newStart > logStartOffset) {
        moveLogStart(newStart);
      }
      publish();
      return count;
    } catch (IOException e) {
      throw LogFailedException.of(directory, "deleting old segments", e);
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
  public void advanceLogStartOffset(long offset) {
    if (offset > logEndOffset) {
      throw new IllegalArgumentException(
          "log start offset " + offset + " past the end of the log at " + logEndOffset);
    }
    if (offset > logStartOffset) {
      moveLogStart(offset);
      publish();
    }
  }

  private void moveLogStart(long offset) {
    logStartOffset = offset;
    epochs = epochs.truncatedFromStart(offset);
    producers.onLogStartOffset(offset);
  }

  /**
   * Takes back everything from an offset on.
   *
   * @param offset the new log end offset; when it lies within a batch, that batch goes as a whole,
   *     but the end never lies before the log start offset
   * @return the log end offset now
   */
  public long truncateTo(long offset) {
    if (offset >= logEndOffset) {
      return logEndOffset;
    }
    if (offset < segments[0].baseOffset() || offset < logStartOffset) {
      truncateFullyAndStartAt(offset);
      return logEndOffset;
    }
    try {
      int last = view.floor(offset);
      SegmentReader.Located first = view.reader(last).find(offset);
      if (first != null && first.header().baseOffset() < logStartOffset) {
        // Only a batch that the log start offset cuts is left, and it goes.
        truncateFullyAndStartAt(logStartOffset);
        return logEndOffset;
      }
      truncations++;
      removeSegments(last + 1, segments.length, 0);
      active = segments[segments.length - 1];
      long end = offset;
      int position = active.sizeBytes();
      if (first != null) {
        end = Math.min(offset, first.header().baseOffset());
        position = first.positionBytes();
      }
      active.truncate(position, end);
      sealedBytes = sealedBytes(segments);
      logEndOffset = end;
      recoveryPoint = Math.min(recoveryPoint, end);
      epochs = epochs.truncatedToEnd(end);
      reloadProducers();
      saveEpochs();
      publish();
      return end;
    } catch (IOException e) {
      throw LogFailedException.of(directory, "truncating to offset " + offset, e);
    }
  }

  /** Drops everything and begins anew, empty, at an offset. */
  public void truncateFullyAndStartAt(long offset) {
    try {
      truncations++;
      Segment[] old = segments;
      for (Segment segment : old) {
        expire(segment, 0);
      }
      active = Segment.create(directory, offset, active.createdMs());
      segments = new Segment[] {active};
      sealedBytes = 0;
      partialWrite = false;
      directoryDirty = true;
      logStartOffset = offset;
      logEndOffset = offset;
      recoveryPoint = offset;
      epochs = LeaderEpochHistory.EMPTY;
      for (long snapshot : snapshots.offsets()) {
        snapshots.delete(snapshot);
      }
      producers.reset(offset);
      saveEpochs();
      publish();
    } catch (IOException e) {
      throw LogFailedException.of(directory, "starting anew at offset " + offset, e);
    }
  }

  private void reloadProducers() throws IOException {
    // Time plays no part: what had expired is gone from the snapshots, or will expire again.
    snapshots.reload(producers, logStartOffset, logEndOffset, 0, Long.MAX_VALUE);
    ProducerReplay.replay(List.of(segments), producers);
  }

  // ---- compaction

  /** The segments as compaction plans with them, the active one last. */
  List<CompactionSource> compactionSources() {
    try {
      List<CompactionSource> sources = new ArrayList<>(segments.length);
      for (Segment segment : segments) {
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
      throw LogFailedException.of(directory, "looking for what to compact", e);
    }
  }

  /** The last batch of every producer, for compaction. */
  Map<Long, ProducerStates.LastBatch> lastBatches() {
    return producers.lastBatches();
  }

  /**
   * Puts a compacted segment, finished as {@code .cleaned} files, in the place of the segments it
   * was made from. Safe to kill at any step: opening the log finishes or undoes it.
   *
   * @param baseOffsets of the old segments, ascending, all sealed; the first is the new one's too
   * @param endOffset exclusive end of what the new segment stands for
   * @return false when the log no longer has exactly these segments; nothing was changed
   */
  boolean replaceSegments(List<Long> baseOffsets, long endOffset, long nowMs) {
    int from = 0;
    while (from < segments.length && segments[from].baseOffset() != baseOffsets.getFirst()) {
      from++;
    }
    int to = from + baseOffsets.size();
    if (to >= segments.length || segments[to].baseOffset() != endOffset) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (segments[i].baseOffset() != baseOffsets.get(i - from)) {
        return false;
      }
    }
    try {
      long base = baseOffsets.getFirst();
      SegmentSwap.commit(directory, base);
      for (int i = from; i < to; i++) {
        expire(segments[i], nowMs);
      }
      SegmentSwap.finish(directory, base);
      Segment compacted = Segment.existing(directory, base);
      compacted.openTransactions();
      List<Segment> next = new ArrayList<>(List.of(segments));
      next.subList(from, to).clear();
      next.add(from, compacted);
      segments = next.toArray(Segment[]::new);
      sealedBytes = sealedBytes(segments);
      snapshots.retain(Stream.of(segments).map(Segment::baseOffset).toList());
      publish();
      return true;
    } catch (IOException e) {
      throw LogFailedException.of(directory, "replacing segments by a compacted one", e);
    }
  }

  /** Takes segments out of the log; their files go later. */
  private void removeSegments(int from, int to, long nowMs) throws IOException {
    if (from >= to) {
      return;
    }
    List<Segment> kept = new ArrayList<>(List.of(segments));
    List<Segment> removed = new ArrayList<>(kept.subList(from, to));
    kept.subList(from, to).clear();
    segments = kept.toArray(Segment[]::new);
    sealedBytes = sealedBytes(segments);
    for (Segment segment : removed) {
      snapshots.delete(segment.baseOffset());
      expire(segment, nowMs);
    }
  }

  private void expire(Segment segment, long nowMs) throws IOException {
    segment.rename(LogFiles.DELETED);
    expiring.add(new Expiring(segment, nowMs == 0 ? 0 : nowMs + config.fileDeleteDelayMs()));
  }

  /** Deletes the files that left the log more than {@code file.delete.delay.ms} ago. */
  public void deleteExpiredFiles(long nowMs) {
    try {
      while (!expiring.isEmpty() && expiring.peek().deadlineMs() <= nowMs) {
        expiring.remove().segment().dispose();
      }
    } catch (IOException e) {
      throw LogFailedException.of(directory, "deleting files of old segments", e);
    }
  }

  /**
   * Takes the files that left the log more than {@code file.delete.delay.ms} ago out of the owner's
   * hands.
   *
   * @return deletes them; for any one thread, as large files take their time
   */
  public Runnable takeExpiredFiles(long nowMs) {
    List<Segment> taken = new ArrayList<>();
    while (!expiring.isEmpty() && expiring.peek().deadlineMs() <= nowMs) {
      taken.add(expiring.remove().segment());
    }
    Path where = directory;
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
    Expiring next = expiring.peek();
    return next == null ? OptionalLong.empty() : OptionalLong.of(next.deadlineMs());
  }

  // ---- the end

  /** Brings everything to disk and closes the files; the log cannot be used afterwards. */
  public void close() {
    try {
      discardPartialWrite();
      flush(logEndOffset);
      saveEpochs();
      if (logEndOffset > logStartOffset) {
        snapshots.take(producers, true);
      }
      snapshots.retain(Stream.of(segments).map(Segment::baseOffset).toList());
      deleteExpiredFiles(Long.MAX_VALUE);
      for (Segment segment : segments) {
        segment.close();
      }
      LogFiles.forceDirectory(directory);
    } catch (IOException e) {
      throw LogFailedException.of(directory, "closing it", e);
    }
  }

  /**
   * Gives the directory the name that marks a deleted topic's, so that a crash does not bring it
   * back. Nothing can be appended afterwards; readers go on until {@link #delete()}.
   */
  public void renameForDeletion() {
    String name = LogFiles.deletedName(partition);
    Path target = directory.resolveSibling(name);
    try {
      Files.move(directory, target, StandardCopyOption.ATOMIC_MOVE);
      directory = target;
      LogFiles.forceDirectory(target.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw LogFailedException.of(directory, "renaming it to " + name, e);
    }
  }

  /** Closes the files and deletes the directory with all it holds. */
  public void delete() {
    try {
      for (Segment segment : segments) {
        segment.closeQuietly();
      }
      for (Expiring gone : expiring) {
        gone.segment().closeQuietly();
      }
      LogFiles.deleteRecursively(directory);
    } catch (IOException e) {
      throw LogFailedException.of(directory, "deleting it", e);
    }
  }

  /**
   * Reads everything and checks every batch.
   *
   * @return what is wrong with the first bad batch, or empty
   */
  public Optional<String> verify() {
    try {
      PublishedView current = view;
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
      throw LogFailedException.of(directory, "verifying it", e);
    }
  }

  // ---- views

  private void publish() {
    view = newView();
  }

  private PublishedView newView() {
    return new PublishedView(
        segments,
        sealedBytes,
        logStartOffset,
        logEndOffset,
        active.sizeBytes(),
        active.heapOffsetIndex(),
        active.heapTimeIndex(),
        epochs);
  }

  private static long sealedBytes(Segment[] segments) {
    long bytes = 0;
    for (int i = 0; i < segments.length - 1; i++) {
      bytes += segments[i].sizeBytes();
    }
    return bytes;
  }

  private static long jitter(LogConfig config, long seed) {
    return config.segmentJitterMs() == 0
        ? 0
        : new Random(seed).nextLong(Math.min(config.segmentJitterMs(), config.segmentMs()));
  }
}
