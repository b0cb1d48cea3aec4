package io.milena.wire.handler;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/** The directories in which this node keeps its replicas. Any thread may ask. */
public interface LogDirectories {

  /** In place of a number of bytes: not known. */
  long UNKNOWN_BYTES = -1;

  /** Every directory as it is now. */
  List<LogDirectory> list();

  /** The path, as in {@link LogDirectory#path()}, of the directory that holds a replica. */
  String pathOf(TopicPartition partition);

  /**
   * @param path absolute
   * @param error NONE, or KAFKA_STORAGE_ERROR for a directory that cannot be used
   * @param totalBytes of the volume the directory is on, or {@link #UNKNOWN_BYTES}
   * @param usableBytes of them for this process, or {@link #UNKNOWN_BYTES}
   */
  record LogDirectory(String path, Errors error, long totalBytes, long usableBytes) {}
}
