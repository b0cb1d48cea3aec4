package io.milena.replication.actor;

import io.milena.common.Clock;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import io.milena.log.LogMove;
import io.milena.log.PartitionLog;
import io.milena.log.ThrottledPace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves logs between the directories of a node (AlterReplicaLogDirs, KIP-113), one after the other
 * on a thread of its own that ends with the last. Reading and writing the log go on meanwhile. A
 * move that fails is given up with one line in the node's log, and the log stays where it is.
 * Upstream: ReplicaAlterLogDirsThread.
 */
final class LogMoves {

  private static final Logger LOG = LoggerFactory.getLogger(LogMoves.class);

  /** Attempts at a log that was truncated while it was read, or grows too fast to be caught. */
  private static final int ATTEMPTS_MAX = 100;

  /** How long stopping waits for the thread; a copy notices within 0.1 s. */
  private static final long STOP_TIMEOUT_MS = 5_000;

  private final ReplicaCheckpoints checkpoints;
  private final Clock clock;
  private final Executor io;

  /** Guarded by this, as all that follows. */
  private long bytesPerSecond;

  /** In the order in which they were asked for. */
  private final Map<TopicPartition, Move> moves = new LinkedHashMap<>();

  private @Nullable Thread thread;
  private boolean stopped;

  /** A log on its way, or waiting for its turn. */
  private static final class Move {
    final ReplicaHandle handle;
    final LogDirectory target;
    final ThrottledPace pace;
    volatile @Nullable LogMove running;
    volatile boolean cancelled;

    Move(ReplicaHandle handle, LogDirectory target, ThrottledPace pace) {
      this.handle = handle;
      this.target = target;
      this.pace = pace;
    }
  }

  /**
   * A log on its way.
   *
   * @param target where it goes
   * @param copiedBytes so far
   * @param offsetLag offsets that the copy is behind the log
   */
  record Moving(TopicPartition partition, LogDirectory target, long copiedBytes, long offsetLag) {}

  /**
   * @param bytesPerSecond {@code replica.alter.log.dirs.io.max.bytes.per.second}
   * @param io deletes what has been left behind
   */
  LogMoves(ReplicaCheckpoints checkpoints, Clock clock, Executor io, long bytesPerSecond) {
    this.checkpoints = checkpoints;
    this.clock = clock;
    this.io = io;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Copies no faster from now on. */
  synchronized void bytesPerSecond(long newest) {
    bytesPerSecond = newest;
    moves.values().forEach(move -> move.pace.bytesPerSecond((double) newest));
  }

  /** Has a log moved; one that is on its way elsewhere goes there instead. Returns at once. */
  synchronized void move(ReplicaHandle handle, LogDirectory target) {
    Move present = moves.get(handle.partition());
    if (present != null && present.handle == handle && present.target.equals(target)) {
      return;
    }
    cancel(handle.partition());
    if (stopped || target.equals(handle.directory())) {
      return;
    }
    moves.put(
        handle.partition(),
        new Move(handle, target, new ThrottledPace(clock, (double) bytesPerSecond)));
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name("milena-move").start(this::work);
    }
  }

  /** A log stays where it is. */
  synchronized void cancel(TopicPartition partition) {
    Move move = moves.remove(partition);
    if (move != null) {
      move.cancelled = true;
      move.pace.stop();
    }
  }

  /** The logs on their way. */
  synchronized Collection<Moving> moving() {
    List<Moving> all = new ArrayList<>();
    for (Move move : moves.values()) {
      LogMove running = move.running;
      long end = move.handle.view().log().logEndOffset();
      all.add(
          running == null
              ? new Moving(move.handle.partition(), move.target, 0, end)
              : new Moving(
                  move.handle.partition(),
                  move.target,
                  running.copiedBytes(),
                  Math.max(0, end - running.copiedToOffset())));
    }
    return all;
  }

  /** Gives every move up; what has been copied is removed at the next start, which goes on. */
  void stop() {
    Thread running;
    synchronized (this) {
      stopped = true;
      moves.values().forEach(move -> move.pace.stop());
      running = thread;
    }
    if (running != null) {
      try {
        running.join(STOP_TIMEOUT_MS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void work() {
    for (Move move = next(); move != null; move = next()) {
      try {
        run(move);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      } catch (IOException | RuntimeException failure) {
        LOG.error(
            "{} stays in {}, moving it to {} failed: {}",
            move.handle.partition(),
            pathOf(move.handle.directory()),
            move.target.path(),
            failure.getMessage(),
            failure instanceof LogFailedException || failure instanceof IOException
                ? null
                : failure);
      } finally {
        move.handle.movingTo(null);
        synchronized (this) {
          moves.remove(move.handle.partition(), move);
        }
      }
    }
  }

  /** The next to run; null, and the end of the thread, when there is none. */
  private synchronized @Nullable Move next() {
    if (stopped || moves.isEmpty()) {
      thread = null;
      return null;
    }
    return moves.values().iterator().next();
  }

  private synchronized boolean goesOn(Move move) {
    return !stopped && !move.cancelled;
  }

  private void run(Move move) throws IOException, InterruptedException {
    ReplicaHandle handle = move.handle;
    LogMove[] begun = new LogMove[1];
    handle.onActor(log -> begun[0] = new LogMove(log, handle.topicId(), move.target, clock));
    LogMove running = begun[0];
    move.running = running;
    boolean moved = false;
    try {
      for (int attempt = 0; !moved && goesOn(move); attempt++) {
        if (attempt == ATTEMPTS_MAX) {
          throw new IOException("it grows faster than it can be copied");
        }
        moved = running.copy(move.pace) && goesOn(move) && finish(move, running);
      }
    } finally {
      if (!moved) {
        running.abandon();
      }
    }
  }

  private boolean finish(Move move, LogMove running) throws IOException, InterruptedException {
    ReplicaHandle handle = move.handle;
    LogDirectory from = handle.directory();
    // Before it has the name of a log: a crash would bring back what was deleted from its start.
    handle.movingTo(move.target);
    if (!checkpoints.writeAll(move.target)) {
      throw new IOException("its checkpoints cannot be written");
    }
    PartitionLog.LeftBehind[] left = new PartitionLog.LeftBehind[1];
    Exception[] failed = new Exception[1];
    handle.onActor(log -> {
      try {
        var _ =
            running.finish(
                log,
                handle.view().highWatermark(),
                old -> {
                  left[0] = old;
                  handle.directory(move.target);
                });
      } catch (IOException | RuntimeException failure) {
        // What failed is the copy: the log goes on.
        failed[0] = failure;
      }
    });
    if (failed[0] != null) {
      throw new IOException(failed[0].getMessage(), failed[0]);
    }
    if (left[0] == null) {
      return false;
    }
    checkpoints.writeRecoveryPoints();
    LOG.info("{} has moved from {} to {}", handle.partition(), pathOf(from), move.target.path());
    remove(left[0]);
    return true;
  }

  private static String pathOf(@Nullable LogDirectory directory) {
    return directory == null ? "its directory" : directory.path().toString();
  }

  private void remove(PartitionLog.LeftBehind left) {
    try {
      left.setAside();
    } catch (LogFailedException failure) {
      LOG.warn("the next start removes it: {}", failure.getMessage());
    }
    CompletableFuture.delayedExecutor(left.delayMs(), TimeUnit.MILLISECONDS, io)
        .execute(() -> {
          try {
            left.delete();
          } catch (LogFailedException failure) {
            LOG.warn("the next start removes it: {}", failure.getMessage());
          }
        });
  }
}
