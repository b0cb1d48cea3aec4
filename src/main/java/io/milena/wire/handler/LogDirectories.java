package io.milena.wire.handler;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The directories in which this node keeps its replicas. Any thread may ask. */
public interface LogDirectories {

  /** In place of a number of bytes: not known. */
  long UNKNOWN_BYTES = -1;

  /** Every directory as it is now. */
  List<LogDirectory> list();

  /** The logs that are being moved between directories. */
  List<FutureLog> futureLogs();

  /**
   * The path, as in {@link LogDirectory#path()}, of the directory that holds a replica; null when
   * it is not known.
   */
  @Nullable String pathOf(TopicPartition partition);

  /**
   * Has a replica moved to a directory.
   *
   * @return NONE when it has begun, or is there already; LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR, or
   *     REPLICA_NOT_AVAILABLE when there is none yet: a later one goes to that directory
   */
  Errors move(TopicPartition partition, String path);

  /**
   * @param path absolute
   * @param error NONE, or KAFKA_STORAGE_ERROR for a directory that cannot be used
   * @param totalBytes of the volume the directory is on, or {@link #UNKNOWN_BYTES}
   * @param usableBytes of them for this process, or {@link #UNKNOWN_BYTES}
   */
  record LogDirectory(String path, Errors error, long totalBytes, long usableBytes) {}

  /**
   * @param path of the directory it is being moved to
   * @param sizeBytes copied so far
   * @param offsetLag offsets that the copy is behind the log
   */
  record FutureLog(TopicPartition partition, String path, long sizeBytes, long offsetLag) {}
}
