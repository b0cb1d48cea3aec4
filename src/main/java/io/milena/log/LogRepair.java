package io.milena.log;

import io.milena.log.LogCondition.Finding;
import io.milena.log.LogCondition.Kind;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * Mends the directory of a log that no node has open: removes damaged files that can be made anew
 * from the records (the next start of the node makes them), and where it may, cuts the log after
 * the last sound batch before the first damage.
 */
public final class LogRepair {

  private final Path directory;
  private final List<String> done = new ArrayList<>();

  private LogRepair(Path directory) {
    this.directory = directory;
  }

  /**
   * Mends one log as it was found.
   *
   * @param found by {@link LogCheck} just now
   * @param cut whether the log may be cut, which loses everything from {@link
   *     LogCondition#endOffset()} on; without it damaged records stay as they are
   * @return what was done, one sentence each
   * @throws LogFailedException when a file cannot be changed
   */
  public static List<String> repair(LogCondition found, boolean cut) {
    LogRepair repair = new LogRepair(found.directory());
    try {
      if (cut && found.has(Kind.DAMAGED)) {
        repair.cut(found);
      }
      repair.removeSideFiles(found);
      LogFiles.forceDirectory(found.directory());
      return List.copyOf(repair.done);
    } catch (IOException e) {
      throw LogFailedException.of(found.directory(), "repairing it", e);
    }
  }

  private void removeSideFiles(LogCondition found) throws IOException {
    for (Finding finding : found.findings()) {
      if (finding.kind() != Kind.SIDE_FILE) {
        continue;
      }
      if (finding.file().equals(LogLoader.EPOCHS_FILE)) {
        CheckpointFile.writeEpochs(directory.resolve(finding.file()), found.epochs());
        done.add("wrote " + finding.file() + " anew from the records");
      } else if (Files.deleteIfExists(directory.resolve(finding.file()))) {
        done.add("removed " + finding.file() + ": the next start makes it anew from the records");
      }
    }
  }

  private void cut(LogCondition found) throws IOException {
    long end = found.endOffset();
    for (long baseOffset : baseOffsets().reversed()) {
      if (baseOffset >= end && baseOffset > found.startOffset()) {
        deleteSegment(baseOffset);
      } else {
        cutSegment(baseOffset, end);
        break;
      }
    }
    lowerCheckpoint(LogDirectory.RECOVERY_POINTS, end);
    lowerCheckpoint(LogDirectory.HIGH_WATERMARKS, end);
  }

  /** A checkpoint of the directory above must not promise what has been cut off. */
  private void lowerCheckpoint(String name, long end) throws IOException {
    Path above = directory.getParent();
    TopicPartition partition = LogFiles.partitionOf(directory.getFileName().toString());
    if (above == null || partition == null) {
      return;
    }
    Path file = above.resolve(name);
    Map<TopicPartition, Long> offsets = CheckpointFile.readOffsets(file);
    if (offsets.getOrDefault(partition, 0L) > end) {
      offsets.put(partition, end);
      CheckpointFile.writeOffsets(file, offsets);
    }
  }

  private List<Long> baseOffsets() throws IOException {
    List<Long> baseOffsets = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + LogFiles.LOG)) {
      for (Path file : files) {
        long offset = LogFiles.offsetOf(file.getFileName().toString());
        if (offset >= 0) {
          baseOffsets.add(offset);
        }
      }
    }
    baseOffsets.sort(null);
    return baseOffsets;
  }

  /** The log file last: a repair that is cut short finds the segment again. */
  private void deleteSegment(long baseOffset) throws IOException {
    deleteIndexes(baseOffset);
    Path file = LogFiles.file(directory, baseOffset, LogFiles.LOG);
    long size = Files.size(file);
    Files.delete(file);
    done.add("deleted " + file.getFileName() + " with " + size + " bytes");
  }

  private void cutSegment(long baseOffset, long end) throws IOException {
    SegmentCheck segment = new SegmentCheck(directory, baseOffset);
    segment.run();
    if (segment.fault == null) {
      return;
    }
    if (segment.endOffset > end) {
      throw new IOException(
          LogFiles.prefix(baseOffset) + LogFiles.LOG + " has changed since it was checked");
    }
    Path transactions = LogFiles.file(directory, baseOffset, LogFiles.TRANSACTION_INDEX);
    if (Files.exists(transactions)) {
      try (TransactionIndex index = TransactionIndex.open(transactions, baseOffset)) {
        index.truncateTo(end);
      }
    }
    Path file = LogFiles.file(directory, baseOffset, LogFiles.LOG);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(segment.soundBytes);
      channel.force(true);
    }
    // They may point past the new end; the next start makes them from the batches.
    Files.deleteIfExists(LogFiles.file(directory, baseOffset, LogFiles.OFFSET_INDEX));
    Files.deleteIfExists(LogFiles.file(directory, baseOffset, LogFiles.TIME_INDEX));
    done.add(
        "cut "
            + file.getFileName()
            + " from "
            + segment.sizeBytes
            + " to "
            + segment.soundBytes
            + " bytes");
  }

  private void deleteIndexes(long baseOffset) throws IOException {
    for (String kind :
        List.of(LogFiles.OFFSET_INDEX, LogFiles.TIME_INDEX, LogFiles.TRANSACTION_INDEX)) {
      Files.deleteIfExists(LogFiles.file(directory, baseOffset, kind));
    }
  }
}
