package io.milena.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.kafka.common.Uuid;

/** Kafka's {@code partition.metadata}: which topic, by id, a directory belongs to (KIP-516). */
final class PartitionMetadataFile {

  static final String NAME = "partition.metadata";

  private static final String TOPIC_ID = "topic_id: ";

  private PartitionMetadataFile() {}

  static Optional<Uuid> read(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    try {
      for (String line : Files.readAllLines(file)) {
        if (line.startsWith(TOPIC_ID)) {
          return Optional.of(Uuid.fromString(line.substring(TOPIC_ID.length()).trim()));
        }
      }
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " has a topic id that cannot be read", e);
    }
    throw new IOException(file + " names no topic id");
  }

  static void write(Path directory, Uuid topicId) throws IOException {
    LogFiles.replace(directory.resolve(NAME), "version: 0\n" + TOPIC_ID + topicId);
  }
}
