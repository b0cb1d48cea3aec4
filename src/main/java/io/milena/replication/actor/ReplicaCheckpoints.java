package io.milena.replication.actor;

import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
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

  private final LogDirectory directory;
  private final Supplier<Collection<ReplicaHandle>> replicas;
  private final Executor io;
  private final AtomicBoolean logStartsWanted = new AtomicBoolean();
  private boolean failing;

  ReplicaCheckpoints(
      LogDirectory directory, Supplier<Collection<ReplicaHandle>> replicas, Executor io) {
    this.directory = directory;
    this.replicas = replicas;
    this.io = io;
  }

  /** Writes {@code replication-offset-checkpoint}; false when that failed. */
  synchronized boolean writeHighWatermarks() {
    return attempt(
        () -> directory.writeHighWatermarks(offsets(ReplicaHandle.Offsets::highWatermark)));
  }

  /**
   * Writes {@code recovery-point-offset-checkpoint} and {@code log-start-offset-checkpoint}; false
   * when that failed.
   */
  synchronized boolean writeRecoveryPoints() {
    return attempt(() -> {
      directory.writeRecoveryPoints(offsets(ReplicaHandle.Offsets::recoveryPoint));
      directory.writeLogStartOffsets(offsets(ReplicaHandle.Offsets::logStartOffset));
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
    attempt(() -> directory.writeLogStartOffsets(offsets(ReplicaHandle.Offsets::logStartOffset)));
  }

  private Map<TopicPartition, Long> offsets(ToLongFunction<ReplicaHandle.Offsets> which) {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (ReplicaHandle handle : replicas.get()) {
      offsets.put(handle.partition(), which.applyAsLong(handle.offsets()));
    }
    return offsets;
  }

  private boolean attempt(Runnable write) {
    try {
      write.run();
      if (failing) {
        LOG.info("checkpoints can be written again");
        failing = false;
      }
      return true;
    } catch (LogFailedException failure) {
      if (!failing) {
        LOG.warn(
            "a checkpoint could not be written, which is tried again: {}", failure.getMessage());
        failing = true;
      }
      return false;
    }
  }
}
