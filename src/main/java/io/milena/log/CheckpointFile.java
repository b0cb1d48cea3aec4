package io.milena.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * Kafka's checkpoint files: text, replaced as a whole.
 *
 * <pre>
 *   0                       version
 *   2                       number of entries
 *   topic-a 0 4711          topic, partition, offset      (offset checkpoints)
 *   3 1200                  leader epoch, start offset    (leader-epoch-checkpoint)
 * </pre>
 */
final class CheckpointFile {

  private static final String VERSION = "0";

  private CheckpointFile() {}

  static Map<TopicPartition, Long> readOffsets(Path file) throws IOException {
    Map<TopicPartition, Long> offsets = new LinkedHashMap<>();
    for (String line : readEntries(file)) {
      String[] parts = line.split(" ", -1);
      if (parts.length != 3) {
        throw malformed(file, line);
      }
      try {
        offsets.put(
            new TopicPartition(parts[0], Integer.parseInt(parts[1])), Long.parseLong(parts[2]));
      } catch (NumberFormatException e) {
        throw malformed(file, line);
      }
    }
    return offsets;
  }

  static void writeOffsets(Path file, Map<TopicPartition, Long> offsets) throws IOException {
    List<String> lines = new ArrayList<>(offsets.size());
    offsets.forEach((partition, offset) ->
        lines.add(partition.topic() + " " + partition.partition() + " " + offset));
    writeEntries(file, lines);
  }

  static LeaderEpochHistory readEpochs(Path file) throws IOException {
    List<LeaderEpochHistory.Entry> entries = new ArrayList<>();
    for (String line : readEntries(file)) {
      String[] parts = line.split(" ", -1);
      if (parts.length != 2) {
        throw malformed(file, line);
      }
      try {
        entries.add(
            new LeaderEpochHistory.Entry(Integer.parseInt(parts[0]), Long.parseLong(parts[1])));
      } catch (NumberFormatException e) {
        throw malformed(file, line);
      }
    }
    return new LeaderEpochHistory(entries);
  }

  static void writeEpochs(Path file, LeaderEpochHistory history) throws IOException {
    writeEntries(
        file,
        history.entries().stream()
            .map(entry -> entry.epoch() + " " + entry.startOffset())
            .toList());
  }

  private static void writeEntries(Path file, List<String> lines) throws IOException {
    StringBuilder text = new StringBuilder(VERSION + "\n" + lines.size() + "\n");
    lines.forEach(line -> text.append(line).append('\n'));
    LogFiles.replace(file, text.toString());
  }

  private static List<String> readEntries(Path file) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      return List.of();
    }
    if (lines.isEmpty()) {
      return List.of();
    }
    if (lines.size() < 2 || !lines.get(0).equals(VERSION)) {
      throw malformed(file, lines.get(0));
    }
    List<String> entries = lines.subList(2, lines.size());
    if (!lines.get(1).equals(Integer.toString(entries.size()))) {
      throw malformed(file, lines.get(1));
    }
    return entries;
  }

  private static IOException malformed(Path file, String line) {
    return new IOException("checkpoint file " + file + " cannot be read: line '" + line + "'");
  }
}
