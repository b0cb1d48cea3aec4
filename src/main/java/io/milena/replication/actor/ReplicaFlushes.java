package io.milena.replication.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The flushes of one replica, at most one at a time: what is wanted while one runs shares the next
 * (group commit). The part of a {@link ReplicaActor} that knows when its log goes to disk.
 */
final class ReplicaFlushes {

  /** {@code flush.ms} where it is not set. */
  private static final long NEVER_MS = Long.MAX_VALUE;

  /** How long after a flush that a full disk prevented the next one is tried. */
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final PartitionLog log;
  private final ActorRef<ReplicaCommand> self;
  private final TimerScheduler<ReplicaCommand> timers;
  private boolean running;
  private boolean wanted;

  ReplicaFlushes(
      PartitionLog log, ActorRef<ReplicaCommand> self, TimerScheduler<ReplicaCommand> timers) {
    this.log = log;
    this.self = self;
    this.timers = timers;
  }

  boolean isRunning() {
    return running;
  }

  /** Whether one was wanted while one ran. */
  boolean isWanted() {
    return wanted;
  }

  /**
   * Brings everything below an offset to disk, or whatever there is once the flush that runs has
   * ended. {@link ReplicaCommand.Flushed} or {@link ReplicaCommand.FlushFailed} follows.
   *
   * @param threads runs it
   */
  void want(long upToOffset, Executor threads) {
    if (running) {
      wanted = true;
      return;
    }
    PartitionLog.PendingFlush flush;
    try {
      flush = log.prepareFlush(upToOffset);
    } catch (LogFailedException failure) {
      retryLater(failure);
      return;
    }
    running = true;
    wanted = false;
    threads.execute(() -> {
      try {
        flush.run();
        self.tell(new ReplicaCommand.Flushed(flush));
      } catch (RuntimeException | Error failure) {
        self.tell(new ReplicaCommand.FlushFailed(failure));
      }
    });
  }

  /**
   * A segment that is complete goes to disk in the background, as in Kafka: a crash leaves only the
   * active one to be checked, and its indexes leave the heap.
   */
  void wantSealed(Executor threads) {
    if (!running
        && log.recoveryPoint() < log.activeBaseOffset()
        && !timers.isTimerActive(ReplicaCommand.RetryFlush.class)) {
      want(log.activeBaseOffset(), threads);
    }
  }

  void onFlushed(PartitionLog.PendingFlush flush) {
    running = false;
    log.completeFlush(flush);
  }

  /**
   * Tries again where only space was missing.
   *
   * @throws RuntimeException where more has failed: after a failed fsync the kernel may have
   *     dropped the pages, and what is on disk is not known any more
   */
  void onFailed(Throwable cause) {
    running = false;
    if (cause instanceof LogFailedException failure) {
      retryLater(failure);
    } else {
      throw cause instanceof RuntimeException failure ? failure : new IllegalStateException(cause);
    }
  }

  /**
   * An index or the epochs found no space; the records were not forced yet, or have been. Whoever
   * waits for a flush goes on waiting, for as long as it said.
   */
  private void retryLater(LogFailedException failure) {
    if (failure.kind() != LogFailedException.Kind.DISK_FULL) {
      throw failure;
    }
    timers.startSingleTimer(
        ReplicaCommand.RetryFlush.class, new ReplicaCommand.RetryFlush(), RETRY);
  }

  /** Follows {@code flush.ms}. */
  void schedule(long flushMs) {
    if (flushMs == NEVER_MS) {
      timers.cancel(ReplicaCommand.FlushDue.class);
    } else {
      timers.startTimerWithFixedDelay(
          ReplicaCommand.FlushDue.class,
          new ReplicaCommand.FlushDue(),
          Duration.ofMillis(Math.max(1, flushMs)));
    }
  }
}
