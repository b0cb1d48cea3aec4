package io.milena.node;

import io.milena.replication.actor.LocalReplicas;
import io.milena.replication.actor.LogDirectories;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** A node's log directories and replicas, as the handlers ask for them. */
record NodeLogDirectories(LogDirectories directories, LocalReplicas replicas)
    implements io.milena.wire.handler.LogDirectories {

  @Override
  public List<LogDirectory> list() {
    Set<Path> usable =
        directories.usable().stream()
            .map(io.milena.log.LogDirectory::path)
            .collect(Collectors.toSet());
    return directories.paths().stream().map(path -> describe(path, usable.contains(path))).toList();
  }

  private static LogDirectory describe(Path path, boolean usable) {
    if (usable) {
      try {
        FileStore store = Files.getFileStore(path);
        return new LogDirectory(
            path.toString(), Errors.NONE, store.getTotalSpace(), store.getUsableSpace());
      } catch (IOException e) {
        // It has just failed.
      }
    }
    return new LogDirectory(
        path.toString(), Errors.KAFKA_STORAGE_ERROR, UNKNOWN_BYTES, UNKNOWN_BYTES);
  }

  @Override
  public List<FutureLog> futureLogs() {
    return replicas.arriving().stream()
        .map(log ->
            new FutureLog(log.partition(), log.directory(), log.copiedBytes(), log.offsetLag()))
        .toList();
  }

  @Override
  public @Nullable String pathOf(TopicPartition partition) {
    return replicas.directoryOf(partition);
  }

  @Override
  public Errors move(TopicPartition partition, String path) {
    return replicas.move(partition, path);
  }
}
