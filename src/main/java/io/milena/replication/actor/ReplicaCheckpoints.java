package io.milena.replication.actor;

import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the offset checkpoints of a node. A checkpoint that cannot be written (a full disk) is
 * reported once and written again when it is next due: a crash before that only makes the next
 * start check more.
 */
final class ReplicaCheckpoints {

  private static final Logger LOG = LoggerFactory.getLogger(ReplicaCheckpoints.class);

  private final LogDirectories directories;
  private final Supplier<Collection<ReplicaHandle>> replicas;
  private final Executor io;
  private final AtomicBoolean logStartsWanted = new AtomicBoolean();
  private final Set<LogDirectory> failing = new HashSet<>();

  ReplicaCheckpoints(
      LogDirectories directories, Supplier<Collection<ReplicaHandle>> replicas, Executor io) {
    this.directories = directories;
    this.replicas = replicas;
    this.io = io;
  }

  /** Writes {@code replication-offset-checkpoint} everywhere; false when that failed. */
  synchronized boolean writeHighWatermarks() {
    return everywhere(this::writeHighWatermarks);
  }

  private void writeHighWatermarks(LogDirectory directory) {
    directory.writeHighWatermarks(offsets(directory, ReplicaHandle.Offsets::highWatermark));
  }

  /**
   * Writes {@code recovery-point-offset-checkpoint} and {@code log-start-offset-checkpoint}
   * everywhere; false when that failed.
   */
  synchronized boolean writeRecoveryPoints() {
    return everywhere(this::writeRecoveryPoints);
  }

  private void writeRecoveryPoints(LogDirectory directory) {
    directory.writeRecoveryPoints(offsets(directory, ReplicaHandle.Offsets::recoveryPoint));
    writeLogStartOffsets(directory);
  }

  private void writeLogStartOffsets(LogDirectory directory) {
    directory.writeLogStartOffsets(offsets(directory, ReplicaHandle.Offsets::logStartOffset));
  }

  /** Writes what a log that is about to move needs where it goes; false when that failed. */
  synchronized boolean writeAll(LogDirectory directory) {
    return attempt(
        directory,
        to -> {
          writeHighWatermarks(to);
          writeLogStartOffsets(to);
        });
  }

  /**
   * Has {@code log-start-offset-checkpoint} written at once: records that somebody deleted must not
   * come back with a crash. All that ask while one write is due share it.
   */
  void writeLogStartOffsetsSoon() {
    if (logStartsWanted.compareAndSet(false, true)) {
      io.execute(() -> {
        logStartsWanted.set(false);
        writeLogStartOffsets();
      });
    }
  }

  private synchronized void writeLogStartOffsets() {
    everywhere(this::writeLogStartOffsets);
  }

  private Map<TopicPartition, Long> offsets(
      LogDirectory directory, ToLongFunction<ReplicaHandle.Offsets> which) {
    return LogDirectories.offsetsIn(directory, replicas.get(), which);
  }

  private boolean everywhere(Consumer<LogDirectory> write) {
    boolean written = true;
    for (LogDirectory directory : directories.usable()) {
      written &= attempt(directory, write);
    }
    return written;
  }

  private boolean attempt(LogDirectory directory, Consumer<LogDirectory> write) {
    try {
      write.accept(directory);
      if (failing.remove(directory)) {
        LOG.info("checkpoints can be written again in {}", directory.path());
      }
      return true;
    } catch (LogFailedException failure) {
      if (directories.check(directory) && failing.add(directory)) {
        LOG.warn(
            "a checkpoint could not be written, which is tried again: {}", failure.getMessage());
      }
      return false;
    }
  }
}
