package io.milena.wire.handler;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/** One directory for every replica of the node. */
public final class SingleLogDirectory implements LogDirectories {

  private final Path path;

  public SingleLogDirectory(Path path) {
    this.path = path.toAbsolutePath().normalize();
  }

  @Override
  public List<LogDirectory> list() {
    try {
      FileStore store = Files.getFileStore(path);
      return List.of(
          new LogDirectory(
              path.toString(), Errors.NONE, store.getTotalSpace(), store.getUsableSpace()));
    } catch (IOException e) {
      return List.of(
          new LogDirectory(
              path.toString(), Errors.KAFKA_STORAGE_ERROR, UNKNOWN_BYTES, UNKNOWN_BYTES));
    }
  }

  @Override
  public String pathOf(TopicPartition partition) {
    return path.toString();
  }
}
