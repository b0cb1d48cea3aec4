package io.milena.log;

import io.milena.log.LogCondition.Finding;
import io.milena.log.LogCondition.Kind;
import io.milena.log.ProducerSnapshots.CorruptSnapshotException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads the directory of a log that no node has open, from end to end, and says what is wrong with
 * it. Changes nothing. What the checkpoints of the directory above say of the log is taken into
 * account where they are there, so a copy of a single log can be checked as well.
 */
public final class LogCheck {

  private final Path directory;
  private final List<Finding> findings = new ArrayList<>();
  private final List<SegmentCheck> segments = new ArrayList<>();

  private boolean cleanShutdown;
  private long recoveryPoint;
  private boolean compacted;

  private LogCheck(Path directory) {
    this.directory = directory;
  }

  /**
   * Checks one log.
   *
   * @param directory {@code <topic>-<partition>}
   * @throws LogFailedException when it cannot be read
   */
  public static LogCondition check(Path directory) {
    try {
      return new LogCheck(directory.toAbsolutePath().normalize()).run();
    } catch (IOException e) {
      throw LogFailedException.of(directory, "checking it", e);
    }
  }

  /** The logs in a directory of logs, in the order of their names. */
  public static List<Path> logsIn(Path directory) {
    List<Path> logs = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, Files::isDirectory)) {
      entries.forEach(entry -> {
        if (isLog(entry)) {
          logs.add(entry);
        }
      });
    } catch (IOException e) {
      throw LogFailedException.of(directory, "listing its logs", e);
    }
    logs.sort(null);
    return logs;
  }

  /** Whether a directory is one of a partition's log, by its name. */
  public static boolean isLog(Path directory) {
    Path name = directory.getFileName();
    return name != null && LogFiles.partitionOf(name.toString()) != null;
  }

  private LogCondition run() throws IOException {
    readCheckpoints();
    SortedSet<Long> baseOffsets = list();
    LeaderEpochHistory epochs = LeaderEpochHistory.EMPTY;
    long endOffset = baseOffsets.isEmpty() ? 0 : baseOffsets.first();
    long knownEndOffset = Math.max(endOffset, recoveryPoint);
    boolean damaged = false;
    for (long baseOffset : baseOffsets) {
      SegmentCheck segment = new SegmentCheck(directory, baseOffset);
      segment.run();
      segments.add(segment);
      if (!damaged) {
        checkGap(endOffset, baseOffset);
        for (LeaderEpochHistory.Entry entry : segment.epochs.entries()) {
          epochs = epochs.with(entry.epoch(), entry.startOffset());
        }
        endOffset = Math.max(endOffset, segment.endOffset);
      }
      knownEndOffset = Math.max(knownEndOffset, segment.knownEndOffset);
      findings.addAll(segment.findings());
      if (segment.fault != null) {
        damaged |= onFault(segment, baseOffset == baseOffsets.last());
      }
    }
    if (!damaged && endOffset < recoveryPoint) {
      lost(endOffset, recoveryPoint, "the log ends before them, though they were on disk");
    }
    checkEpochs(epochs);
    checkSnapshots();
    checkTopicId();
    return new LogCondition(
        directory,
        baseOffsets.isEmpty() ? 0 : baseOffsets.first(),
        endOffset,
        Math.max(endOffset, knownEndOffset),
        segments.size(),
        segments.stream().mapToLong(segment -> segment.sizeBytes).sum(),
        segments.stream().mapToLong(segment -> segment.batches).sum(),
        segments.stream().mapToLong(segment -> segment.records).sum(),
        epochs,
        findings);
  }

  /** The offsets that the logs' common checkpoints name, where the directory has them above it. */
  private void readCheckpoints() throws IOException {
    Path above = directory.getParent();
    Path name = directory.getFileName();
    TopicPartition partition = name == null ? null : LogFiles.partitionOf(name.toString());
    if (above == null || partition == null) {
      return;
    }
    cleanShutdown = Files.exists(above.resolve(LogDirectory.CLEAN_SHUTDOWN));
    recoveryPoint =
        CheckpointFile.readOffsets(above.resolve(LogDirectory.RECOVERY_POINTS))
            .getOrDefault(partition, 0L);
    compacted =
        CheckpointFile.readOffsets(above.resolve(CompactionPlanner.CHECKPOINT_FILE))
            .containsKey(partition);
  }

  private SortedSet<Long> list() throws IOException {
    TreeSet<Long> baseOffsets = new TreeSet<>();
    List<String> others = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        long offset = LogFiles.offsetOf(name);
        if (offset >= 0 && name.endsWith(LogFiles.LOG)) {
          baseOffsets.add(offset);
        } else {
          others.add(name);
        }
      }
    }
    others.sort(null);
    for (String name : others) {
      long offset = LogFiles.offsetOf(name);
      boolean index =
          name.endsWith(LogFiles.OFFSET_INDEX)
              || name.endsWith(LogFiles.TIME_INDEX)
              || name.endsWith(LogFiles.TRANSACTION_INDEX);
      if (offset >= 0 && index && !baseOffsets.contains(offset)) {
        note(name, "an index without its log file, which is missing or was deleted");
      } else if (name.endsWith(LogFiles.DELETED)
          || name.endsWith(LogFiles.CLEANED)
          || name.endsWith(LogFiles.SWAP)
          || name.endsWith(".tmp")) {
        note(name, "left over: the next start finishes or removes it");
      }
    }
    return baseOffsets;
  }

  private void checkGap(long endOffset, long nextBase) {
    if (segments.size() > 1 && nextBase > endOffset) {
      if (compacted) {
        note("", "no segment has offsets " + endOffset + " to " + (nextBase - 1) + ": compaction");
      } else {
        lost(endOffset, nextBase, "no segment has them; compaction leaves such gaps too");
      }
    }
  }

  /** Returns whether the log, or its readers, will stop there. */
  private boolean onFault(SegmentCheck segment, boolean last) {
    String name = LogFiles.prefix(segment.baseOffset()) + LogFiles.LOG;
    long behind = segment.sizeBytes - segment.soundBytes;
    if (last && !cleanShutdown && segment.endOffset >= recoveryPoint) {
      note(
          name,
          segment.fault
              + "; it was not flushed yet: the next start cuts off these "
              + behind
              + " bytes by itself");
      return false;
    }
    findings.add(
        new Finding(
            Kind.DAMAGED,
            name,
            segment.fault
                + "; what is sound ends at offset "
                + segment.endOffset
                + ", "
                + behind
                + " bytes of the file lie behind"));
    return true;
  }

  private void checkEpochs(LeaderEpochHistory fromBatches) {
    LeaderEpochHistory saved;
    try {
      saved = CheckpointFile.readEpochs(directory.resolve(LogLoader.EPOCHS_FILE));
    } catch (IOException e) {
      findings.add(
          new Finding(Kind.SIDE_FILE, LogLoader.EPOCHS_FILE, String.valueOf(e.getMessage())));
      return;
    }
    for (LeaderEpochHistory.Entry entry : fromBatches.entries()) {
      // What was appended after the last flush is not in the file yet; retention moves a start.
      int known = saved.epochAt(entry.startOffset());
      if (known != entry.epoch()
          && (known > entry.epoch() || entry.startOffset() < recoveryPoint)) {
        findings.add(
            new Finding(
                Kind.SIDE_FILE,
                LogLoader.EPOCHS_FILE,
                "it has leader epoch "
                    + known
                    + " at offset "
                    + entry.startOffset()
                    + ", where the batch has "
                    + entry.epoch()));
        return;
      }
    }
  }

  private void checkSnapshots() throws IOException {
    for (long offset : ProducerSnapshots.open(directory).offsets()) {
      String name = LogFiles.prefix(offset) + LogFiles.PRODUCER_SNAPSHOT;
      try {
        ProducerSnapshots.decode(Files.readAllBytes(directory.resolve(name)));
      } catch (CorruptSnapshotException e) {
        findings.add(
            new Finding(Kind.SIDE_FILE, name, "a snapshot of producers: " + e.getMessage()));
      }
    }
  }

  private void checkTopicId() {
    try {
      if (PartitionMetadataFile.read(directory).isEmpty()) {
        note(PartitionMetadataFile.NAME, "not there: which topic the log belongs to goes by name");
      }
    } catch (IOException e) {
      findings.add(
          new Finding(
              Kind.LOST,
              PartitionMetadataFile.NAME,
              e.getMessage() + "; 'bin/milena topics describe' shows a topic's id"));
    }
  }

  private void lost(long from, long to, String why) {
    findings.add(
        new Finding(Kind.LOST, "", "offsets " + from + " to " + (to - 1) + " are missing: " + why));
  }

  private void note(String file, String what) {
    findings.add(new Finding(Kind.NOTE, file, what));
  }
}
