package io.milena.replication.actor;

import io.milena.log.LogDirectory;
import io.milena.log.PartitionLog;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * What the checkpoint files of a log directory said when the node started: logs that were there
 * then are opened by it.
 */
final class StartCheckpoints {

  /** Nothing is known. */
  static final StartCheckpoints NONE = new StartCheckpoints();

  private final boolean cleanShutdown;
  private volatile Map<TopicPartition, Long> recoveryPoints;
  private volatile Map<TopicPartition, Long> logStartOffsets;
  private volatile Map<TopicPartition, Long> highWatermarks;

  private StartCheckpoints() {
    this.cleanShutdown = false;
    this.recoveryPoints = Map.of();
    this.logStartOffsets = Map.of();
    this.highWatermarks = Map.of();
  }

  private StartCheckpoints(LogDirectory directory) {
    this.cleanShutdown = directory.wasShutDownCleanly();
    this.recoveryPoints = directory.recoveryPoints();
    this.logStartOffsets = directory.logStartOffsets();
    this.highWatermarks = directory.highWatermarks();
  }

  static StartCheckpoints read(LogDirectory directory) {
    return new StartCheckpoints(directory);
  }

  /** Whether anything was said of a partition. */
  boolean knows(TopicPartition partition) {
    return recoveryPoints.containsKey(partition)
        || logStartOffsets.containsKey(partition)
        || highWatermarks.containsKey(partition);
  }

  /** Whether the last run closed every log. */
  boolean cleanShutdown() {
    return cleanShutdown;
  }

  PartitionLog.OpenState openState(TopicPartition partition) {
    return new PartitionLog.OpenState(
        recoveryPoints.getOrDefault(partition, 0L),
        logStartOffsets.getOrDefault(partition, 0L),
        cleanShutdown);
  }

  /** What the files said, to be kept for a log that cannot be opened. */
  ReplicaHandle.Offsets offsets(TopicPartition partition) {
    return new ReplicaHandle.Offsets(
        recoveryPoints.getOrDefault(partition, 0L),
        logStartOffsets.getOrDefault(partition, 0L),
        highWatermark(partition));
  }

  long highWatermark(TopicPartition partition) {
    return highWatermarks.getOrDefault(partition, 0L);
  }

  /**
   * The node serves: a log opened from now on is a new one, and what was said of its name is of no
   * use.
   */
  void forget() {
    recoveryPoints = Map.of();
    logStartOffsets = Map.of();
    highWatermarks = Map.of();
  }
}
