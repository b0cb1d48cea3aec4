package io.milena.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A directory that holds the logs of one disk of a node ({@code log.dirs} may name several), and
 * the files that Kafka keeps beside them.
 *
 * <pre>
 *   meta.properties                    which cluster, node and directory this is
 *   recovery-point-offset-checkpoint   below it everything is on disk
 *   log-start-offset-checkpoint        first offset that may be read
 *   replication-offset-checkpoint      high watermarks
 *   .kafka_cleanshutdown               present when every log was closed
 *   .boot-id                           in which life of the machine the logs were last written
 *   .lock                              held while a node uses the directory
 *   topic-0/ ...                       the logs
 *   topic-0.<id>-delete/               a log that was deleted, or has moved away
 *   topic-0.<id>-future/               a log that is being moved here
 *   topic-0.<id>-stray/                an outdated copy, left to the operator
 * </pre>
 *
 * <p>Checkpoints are replaced as a whole and forced: a crash leaves the old or the new one. One
 * thread at a time.
 */
public final class LogDirectory implements AutoCloseable {

  static final String RECOVERY_POINTS = "recovery-point-offset-checkpoint";
  private static final String LOG_START_OFFSETS = "log-start-offset-checkpoint";
  static final String HIGH_WATERMARKS = "replication-offset-checkpoint";
  static final String CLEAN_SHUTDOWN = ".kafka_cleanshutdown";
  private static final String BOOT_ID = ".boot-id";
  private static final String META_PROPERTIES = "meta.properties";
  private static final String LOCK = ".lock";
  private static final String PROBE = ".probe";

  private final Path path;
  private final FileChannel lockFile;
  private final Optional<String> bootId;

  private LogDirectory(Path path, FileChannel lockFile, Optional<String> bootId) {
    this.path = path;
    this.lockFile = lockFile;
    this.bootId = bootId;
  }

  /**
   * Who a directory belongs to (KIP-631, KIP-858).
   *
   * @param clusterId of the cluster
   * @param nodeId of the node
   * @param directoryId of this directory
   */
  public record Meta(String clusterId, int nodeId, Uuid directoryId) {}

  /**
   * Takes a directory into use, making it if there is none.
   *
   * @throws LogFailedException also when another process uses it, caused by a {@link
   *     DirectoryInUseException}
   */
  public static LogDirectory open(Path path) {
    return open(path, BootId.current());
  }

  /** The same in a life of the machine; empty if it cannot be told from others. */
  static LogDirectory open(Path path, Optional<String> bootId) {
    try {
      Files.createDirectories(path);
      FileChannel channel =
          FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock(channel) == null) {
        channel.close();
        throw new DirectoryInUseException(path.resolve(LOCK));
      }
      return new LogDirectory(path, channel, bootId);
    } catch (IOException e) {
      throw LogFailedException.of(path, "taking it into use", e);
    }
  }

  private static @Nullable FileLock lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  /** Whether a node has ever used this directory for logs. */
  public static boolean isOne(Path path) {
    return Files.exists(path.resolve(LOCK));
  }

  /** Whether there are logs at a path, which may be in use or no directory at all. */
  public static boolean hasLogs(Path path) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path, Files::isDirectory)) {
      for (Path entry : entries) {
        if (LogFiles.partitionOf(entry.getFileName().toString()) != null) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return false;
    }
  }

  public Path path() {
    return path;
  }

  /** Where the log of a partition lies. */
  public Path logPath(TopicPartition partition) {
    return path.resolve(partition.toString());
  }

  /** Whether a partition has a directory here. */
  public boolean has(TopicPartition partition) {
    return Files.isDirectory(logPath(partition));
  }

  /** The partitions that have a log here, and the topic id each directory names. */
  public Map<TopicPartition, Optional<Uuid>> partitions() {
    Map<TopicPartition, Optional<Uuid>> found =
        new TreeMap<>(
            Comparator.comparing(TopicPartition::topic)
                .thenComparingInt(TopicPartition::partition));
    try {
      for (Path directory : directories()) {
        TopicPartition partition = LogFiles.partitionOf(directory.getFileName().toString());
        if (partition != null) {
          found.put(partition, PartitionMetadataFile.read(directory));
        }
      }
    } catch (IOException e) {
      throw LogFailedException.of(path, "listing its logs", e);
    }
    return found;
  }

  /** The topic id that a partition's directory names; empty without one, or without a directory. */
  public Optional<Uuid> topicId(TopicPartition partition) {
    try {
      return PartitionMetadataFile.read(logPath(partition));
    } catch (IOException e) {
      throw LogFailedException.of(logPath(partition), "reading its partition.metadata", e);
    }
  }

  /**
   * Gives a partition's directory, which no log has open, the name of a deleted topic's: it is out
   * of the way at once, and {@link #deleteLeftovers} removes it.
   */
  public void setAside(TopicPartition partition) {
    rename(partition, LogFiles.deletedName(partition));
  }

  /**
   * Gives a partition's directory, which no log has open, a name that keeps it out of the way and
   * leaves it to the operator.
   *
   * @return the new name
   */
  public Path setAsideStray(TopicPartition partition) {
    return rename(partition, LogFiles.uniqueName(partition, LogFiles.STRAY_DIRECTORY));
  }

  private Path rename(TopicPartition partition, String newName) {
    Path target = path.resolve(newName);
    try {
      Files.move(logPath(partition), target, StandardCopyOption.ATOMIC_MOVE);
      LogFiles.forceDirectory(path);
      return target;
    } catch (NoSuchFileException e) {
      // It is gone, which is what was wanted.
      return target;
    } catch (IOException e) {
      throw LogFailedException.of(logPath(partition), "setting it aside", e);
    }
  }

  /**
   * Which of two directories of the same partition in different log directories is ahead: the one
   * with the newer leader epoch, else with more in it. A crash amid a move leaves two, as does a
   * disk that comes back after its log was copied from another node.
   *
   * @param latestEpoch of the leader epoch checkpoint, -1 without one
   * @param lastBaseOffset of the last segment, -1 without one
   * @param lastSegmentBytes of its log file
   */
  public record Freshness(int latestEpoch, long lastBaseOffset, long lastSegmentBytes)
      implements Comparable<Freshness> {
    @Override
    public int compareTo(Freshness other) {
      return Comparator.comparingInt(Freshness::latestEpoch)
          .thenComparingLong(Freshness::lastBaseOffset)
          .thenComparingLong(Freshness::lastSegmentBytes)
          .compare(this, other);
    }
  }

  /** How far the log of a partition, which no one has open, has come. */
  public Freshness freshness(TopicPartition partition) {
    Path directory = logPath(partition);
    try {
      int epoch = CheckpointFile.readEpochs(directory.resolve(LogLoader.EPOCHS_FILE)).latestEpoch();
      long lastBase = -1;
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + LogFiles.LOG)) {
        for (Path file : files) {
          lastBase = Math.max(lastBase, LogFiles.offsetOf(file.getFileName().toString()));
        }
      }
      long bytes = lastBase < 0 ? 0 : Files.size(LogFiles.file(directory, lastBase, LogFiles.LOG));
      return new Freshness(epoch, lastBase, bytes);
    } catch (IOException e) {
      throw LogFailedException.of(directory, "looking how far it is", e);
    }
  }

  /**
   * Makes sure that the directory can be written, by writing a small file and forcing it. A full
   * disk is fine: what is there can be read. So is a process that has too many files open.
   *
   * @throws LogFailedException when it cannot
   */
  public void probe() {
    try {
      LogFiles.replace(path.resolve(PROBE), "");
    } catch (IOException e) {
      if (!LogFailedException.isDiskFull(e) && !LogFailedException.isOutOfFiles(e)) {
        throw LogFailedException.of(path, "writing to it", e);
      }
    }
  }

  /**
   * Removes the unfinished copies of logs that were being moved here.
   *
   * @return their partitions
   */
  public List<TopicPartition> removeFutures() {
    try {
      List<TopicPartition> found = new ArrayList<>();
      for (Path directory : directories()) {
        TopicPartition partition =
            LogFiles.partitionOf(directory.getFileName().toString(), LogFiles.FUTURE_DIRECTORY);
        if (partition != null) {
          LogFiles.deleteRecursively(directory);
          found.add(partition);
        }
      }
      return found;
    } catch (IOException e) {
      throw LogFailedException.of(path, "removing unfinished copies of logs", e);
    }
  }

  /**
   * Deletes the directories of deleted topics that a crash left behind.
   *
   * @return how many there were
   */
  public int deleteLeftovers() {
    try {
      int count = 0;
      for (Path directory : directories()) {
        if (directory.getFileName().toString().endsWith(LogFiles.DELETED_DIRECTORY)) {
          LogFiles.deleteRecursively(directory);
          count++;
        }
      }
      return count;
    } catch (IOException e) {
      throw LogFailedException.of(path, "deleting the logs of deleted topics", e);
    }
  }

  private List<Path> directories() throws IOException {
    List<Path> directories = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path, Files::isDirectory)) {
      entries.forEach(directories::add);
    }
    return directories;
  }

  /** Whether every log was closed when the directory was last used. */
  public boolean wasShutDownCleanly() {
    return Files.exists(path.resolve(CLEAN_SHUTDOWN));
  }

  /**
   * Whether logs may lack what was written but not on disk: they were not closed, and the machine
   * was started since. True where that is not known.
   */
  public boolean mayHaveLostRecords() {
    if (wasShutDownCleanly()) {
      return false;
    }
    try {
      return bootId.isEmpty()
          || !Files.exists(path.resolve(BOOT_ID))
          || !Files.readString(path.resolve(BOOT_ID)).trim().equals(bootId.get());
    } catch (IOException e) {
      throw LogFailedException.of(path, "reading " + BOOT_ID, e);
    }
  }

  /**
   * Removes the mark of a clean stop, and says in which life of the machine the logs are written;
   * before the first log is written to.
   */
  public void markInUse() {
    // First: a crash amid this leaves the mark of the clean stop, which is still true.
    replace(BOOT_ID, bootId.orElse(""));
    try {
      if (Files.deleteIfExists(path.resolve(CLEAN_SHUTDOWN))) {
        LogFiles.forceDirectory(path);
      }
    } catch (IOException e) {
      throw LogFailedException.of(path, "removing " + CLEAN_SHUTDOWN, e);
    }
  }

  /** Leaves the mark of a clean stop; after the last log and checkpoint have been written. */
  public void markCleanShutdown() {
    // Kafka writes JSON here since KIP-966; the broker epoch is not known at this level.
    replace(CLEAN_SHUTDOWN, "{\"version\":0,\"brokerEpoch\":-1}");
  }

  public Map<TopicPartition, Long> recoveryPoints() {
    return read(RECOVERY_POINTS);
  }

  public void writeRecoveryPoints(Map<TopicPartition, Long> offsets) {
    write(RECOVERY_POINTS, offsets);
  }

  public Map<TopicPartition, Long> logStartOffsets() {
    return read(LOG_START_OFFSETS);
  }

  public void writeLogStartOffsets(Map<TopicPartition, Long> offsets) {
    write(LOG_START_OFFSETS, offsets);
  }

  public Map<TopicPartition, Long> highWatermarks() {
    return read(HIGH_WATERMARKS);
  }

  public void writeHighWatermarks(Map<TopicPartition, Long> offsets) {
    write(HIGH_WATERMARKS, offsets);
  }

  /** How far compaction has come in each log. */
  public Map<TopicPartition, Long> cleanerOffsets() {
    return read(CompactionPlanner.CHECKPOINT_FILE);
  }

  public void writeCleanerOffsets(Map<TopicPartition, Long> offsets) {
    write(CompactionPlanner.CHECKPOINT_FILE, offsets);
  }

  /** What the checkpoints say about one log, to open it with. */
  public PartitionLog.OpenState openState(
      TopicPartition partition,
      Map<TopicPartition, Long> recoveryPoints,
      Map<TopicPartition, Long> logStartOffsets) {
    return new PartitionLog.OpenState(
        recoveryPoints.getOrDefault(partition, 0L),
        logStartOffsets.getOrDefault(partition, 0L),
        wasShutDownCleanly());
  }

  /** Whose directory this is; empty when it is new. */
  public Optional<Meta> meta() {
    Path file = path.resolve(META_PROPERTIES);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (var reader = Files.newBufferedReader(file)) {
      Properties properties = new Properties();
      properties.load(reader);
      return Optional.of(
          new Meta(
              properties.getProperty("cluster.id", ""),
              Integer.parseInt(properties.getProperty("node.id", "-1")),
              Uuid.fromString(properties.getProperty("directory.id", Uuid.ZERO_UUID.toString()))));
    } catch (IllegalArgumentException e) {
      throw LogFailedException.corrupt(path, META_PROPERTIES + ": " + e.getMessage());
    } catch (IOException e) {
      throw LogFailedException.of(path, "reading " + META_PROPERTIES, e);
    }
  }

  public void writeMeta(Meta meta) {
    replace(
        META_PROPERTIES,
        "version=1\ncluster.id="
            + meta.clusterId()
            + "\nnode.id="
            + meta.nodeId()
            + "\ndirectory.id="
            + meta.directoryId()
            + "\n");
  }

  /** Lets another process use the directory. */
  @Override
  public void close() {
    try {
      lockFile.close();
    } catch (IOException e) {
      throw LogFailedException.of(path, "releasing its lock", e);
    }
  }

  private Map<TopicPartition, Long> read(String name) {
    try {
      return CheckpointFile.readOffsets(path.resolve(name));
    } catch (IOException e) {
      throw LogFailedException.of(path, "reading " + name, e);
    }
  }

  private void write(String name, Map<TopicPartition, Long> offsets) {
    try {
      CheckpointFile.writeOffsets(path.resolve(name), offsets);
    } catch (IOException e) {
      throw LogFailedException.of(path, "writing " + name, e);
    }
  }

  private void replace(String name, String text) {
    try {
      LogFiles.replace(path.resolve(name), text);
    } catch (IOException e) {
      throw LogFailedException.of(path, "writing " + name, e);
    }
  }
}
