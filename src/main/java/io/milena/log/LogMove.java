package io.milena.log;

import io.milena.common.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * Moves a log to another directory of the node while it is read and written (KIP-113): copies it
 * into a {@code -future} directory as a follower would, checking every batch, until little is
 * missing; then its owner copies the rest and goes on with the copy.
 *
 * <p>A crash before the copy has its final name leaves the log where it was. One after that, before
 * the old directory has been set aside, leaves two of the same content; see {@link
 * LogDirectory#freshness}. {@link #copy} and {@link #abandon} belong to one thread, {@link #finish}
 * to the log's owner, while that thread waits.
 */
public final class LogMove {

  /** Bytes that the owner may still have to copy: some milliseconds of its time. */
  static final long REST_BYTES_MAX = 1 << 20;

  private static final int CHUNK_BYTES = 1 << 20;

  private final PartitionLog source;
  private final Uuid topicId;
  private final Path future;
  private final Path target;
  private final Clock clock;
  private volatile @Nullable PartitionLog copy;
  private int truncations = -1;

  /** How an attempt to finish ended. */
  public enum Finished {
    /** The log goes on with the copy. */
    MOVED,
    /** Too much was appended meanwhile, or the log was truncated: copy on, and try again. */
    NOT_YET
  }

  /**
   * @param target directory that holds the logs of another disk
   */
  public LogMove(PartitionLog source, Uuid topicId, LogDirectory target, Clock clock) {
    this.source = source;
    this.topicId = topicId;
    this.future =
        target.path().resolve(LogFiles.uniqueName(source.partition(), LogFiles.FUTURE_DIRECTORY));
    this.target = target.logPath(source.partition());
    this.clock = clock;
  }

  /** Bytes that have been copied so far. Any thread. */
  public long copiedBytes() {
    PartitionLog now = copy;
    return now == null ? 0 : now.view().sizeBytes();
  }

  /** Exclusive end of what has been copied so far. Any thread. */
  public long copiedToOffset() {
    PartitionLog now = copy;
    return now == null ? 0 : now.view().logEndOffset();
  }

  /**
   * Copies what the log has now, and brings the copy to disk.
   *
   * @return false when it was stopped
   * @throws LogFailedException when the copy cannot be written, or the log is damaged
   * @throws IOException when the log cannot be read
   */
  public boolean copy(CompactionPace pace) throws IOException {
    PartitionLog to = copy;
    if (to == null) {
      to = begin();
    }
    // What is appended meanwhile is left to the next round, or to the owner.
    long end = source.view().logEndOffset();
    while (true) {
      LogView from = source.view();
      if (from.logStartOffset() > to.logEndOffset()) {
        startAnew(to, from);
      }
      if (to.logEndOffset() >= Math.min(end, from.logEndOffset())) {
        break;
      }
      if (!pace.proceed(copyChunk(from, to))) {
        return false;
      }
    }
    to.flush(to.logEndOffset());
    return true;
  }

  private PartitionLog begin() {
    PartitionLog opened =
        PartitionLog.open(
                future,
                source.partition(),
                Optional.of(topicId),
                source.config(),
                clock,
                PartitionLog.OpenState.UNKNOWN)
            .log();
    copy = opened;
    truncations = source.truncations();
    return opened;
  }

  /** Where the log begins within a batch, the copy has that batch as a whole, as the log has. */
  private static void startAnew(PartitionLog to, LogView from) throws IOException {
    long start = from.logStartOffset();
    FileRegion first = from.read(start, 1, from.logEndOffset(), false);
    to.truncateFullyAndStartAt(Math.min(start, first.firstBatchBaseOffset()));
  }

  private int copyChunk(LogView from, PartitionLog to) throws IOException {
    // Where the log begins within a batch, the copy ends before that batch.
    long next = Math.max(to.logEndOffset(), from.logStartOffset());
    FileRegion region = from.read(next, CHUNK_BYTES, from.logEndOffset(), true);
    if (!(region instanceof SegmentRegion(FileChannel channel, long position, int size, long _))
        || channel == null
        || size == 0) {
      throw new IOException(
          source.directory() + " has no batch at offset " + to.logEndOffset() + ", within the log");
    }
    ByteBuffer bytes = SegmentReader.readFully(channel, position, size);
    long before = to.logEndOffset();
    AppendOutcome outcome =
        to.appendAsFollower(MemoryRecords.readableRecords(bytes), clock.wallClockMs());
    if (outcome instanceof AppendOutcome.Rejected(var _, String message, var _)) {
      throw new IOException(source.directory() + ": " + message);
    }
    if (to.logEndOffset() == before) {
      throw new IOException(
          source.directory() + " has no whole batch at offset " + before + ", within the log");
    }
    return size;
  }

  /**
   * Copies what is still missing and has the log go on with the copy, at its final place.
   *
   * @param owned the log, on its owner
   * @param highWatermark exclusive
   * @param onMoved given the old files, which are no longer the log's
   * @throws LogFailedException when the copy cannot be written; the log is as it was
   * @throws IOException when the log cannot be read, or the copy not be renamed
   */
  public Finished finish(
      PartitionLog owned,
      long highWatermark,
      java.util.function.Consumer<PartitionLog.LeftBehind> onMoved)
      throws IOException {
    PartitionLog to = copy;
    if (owned != source || to == null) {
      throw new IllegalStateException(owned.partition() + " is not what was copied");
    }
    LogView from = owned.view();
    if (owned.truncations() != truncations) {
      // Nothing of the copy can be trusted any more.
      to.truncateFullyAndStartAt(0);
      truncations = owned.truncations();
      return Finished.NOT_YET;
    }
    if (from.logStartOffset() > to.logEndOffset()
        || (to.logEndOffset() < from.logEndOffset()
            && from.availableBytes(to.logEndOffset(), from.logEndOffset()) > REST_BYTES_MAX)) {
      return Finished.NOT_YET;
    }
    while (to.logEndOffset() < from.logEndOffset()) {
      copyChunk(from, to);
    }
    to.advanceLogStartOffset(from.logStartOffset());
    to.adoptProducers(owned);
    to.close();
    rename(future, target);
    PartitionLog reopened;
    try {
      reopened =
          PartitionLog.open(
                  target,
                  owned.partition(),
                  Optional.of(topicId),
                  owned.config(),
                  clock,
                  new PartitionLog.OpenState(from.logEndOffset(), from.logStartOffset(), true))
              .log();
    } catch (LogFailedException failure) {
      rename(target, future);
      throw failure;
    }
    onMoved.accept(owned.switchTo(reopened, highWatermark));
    return Finished.MOVED;
  }

  private static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    LogFiles.forceDirectory(to.getParent());
  }

  /** Removes what has been copied; after the log has moved, does nothing. */
  public void abandon() {
    PartitionLog now = copy;
    copy = null;
    try {
      if (now != null && Files.exists(future)) {
        now.delete();
      }
    } catch (LogFailedException failure) {
      // The next start of the node removes it.
    }
  }
}
