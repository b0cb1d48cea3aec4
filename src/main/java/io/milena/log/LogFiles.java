package io.milena.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Names of a log's files, which are Kafka's, and the ways to replace and force files. */
final class LogFiles {

  static final String LOG = ".log";
  static final String OFFSET_INDEX = ".index";
  static final String TIME_INDEX = ".timeindex";
  static final String TRANSACTION_INDEX = ".txnindex";
  static final String PRODUCER_SNAPSHOT = ".snapshot";

  /** Added to the name of a file that waits for its deletion. */
  static final String DELETED = ".deleted";

  /** Added to the name of a file that compaction is still writing. */
  static final String CLEANED = ".cleaned";

  /** Added to the name of a file that compaction has finished, before it takes its place. */
  static final String SWAP = ".swap";

  /** Ends the name of a directory whose topic has been deleted. */
  static final String DELETED_DIRECTORY = "-delete";

  /** Ends the name of a directory into which a log is being moved from another disk. */
  static final String FUTURE_DIRECTORY = "-future";

  /** Ends the name of a directory that was found to be outdated, and is left to the operator. */
  static final String STRAY_DIRECTORY = "-stray";

  private static final int OFFSET_DIGITS = 20;

  /** Ids of files where the file system has none. */
  private static final AtomicLong NEXT_FILE_ID = new AtomicLong();

  private LogFiles() {}

  /**
   * Tells a file from another that takes its name; the same after a restart where there are inodes.
   */
  static long fileId(Path file) throws IOException {
    try {
      return Files.getAttribute(file, "unix:ino") instanceof Long inode
          ? inode
          : NEXT_FILE_ID.incrementAndGet();
    } catch (UnsupportedOperationException withoutInodes) {
      return NEXT_FILE_ID.incrementAndGet();
    }
  }

  /** The file of the given kind of the segment that starts at {@code baseOffset}. */
  static Path file(Path directory, long baseOffset, String suffix) {
    return directory.resolve(prefix(baseOffset) + suffix);
  }

  /** The base offset as the first part of a file name: 20 digits. */
  static String prefix(long baseOffset) {
    String digits = Long.toString(baseOffset);
    return "0".repeat(OFFSET_DIGITS - digits.length()) + digits;
  }

  /** The offset that a file name starts with, or -1 when it does not look like a segment's file. */
  static long offsetOf(String fileName) {
    if (fileName.length() <= OFFSET_DIGITS || fileName.charAt(OFFSET_DIGITS) != '.') {
      return -1;
    }
    try {
      return Long.parseLong(fileName, 0, OFFSET_DIGITS, 10);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** The partition that a directory name stands for, or null when it is not a partition's. */
  static @Nullable TopicPartition partitionOf(String directoryName) {
    int dash = directoryName.lastIndexOf('-');
    if (dash <= 0 || dash == directoryName.length() - 1) {
      return null;
    }
    for (int i = dash + 1; i < directoryName.length(); i++) {
      if (directoryName.charAt(i) < '0' || directoryName.charAt(i) > '9') {
        return null;
      }
    }
    try {
      return new TopicPartition(
          directoryName.substring(0, dash), Integer.parseInt(directoryName.substring(dash + 1)));
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** A new name for the directory of a partition whose topic has been deleted. */
  static String deletedName(TopicPartition partition) {
    return uniqueName(partition, DELETED_DIRECTORY);
  }

  /**
   * A new name for a directory of a partition that is not, or not yet, the partition's log: Kafka's
   * {@code <topic>-<partition>.<id>-<state>}.
   */
  static String uniqueName(TopicPartition partition, String state) {
    return partition + "." + UUID.randomUUID().toString().replace("-", "") + state;
  }

  /** The partition of such a directory, or null when the name is none of this state. */
  static @Nullable TopicPartition partitionOf(String directoryName, String state) {
    int dot = directoryName.lastIndexOf('.');
    return dot > 0 && directoryName.endsWith(state)
        ? partitionOf(directoryName.substring(0, dot))
        : null;
  }

  /**
   * Replaces a small text file so that a crash leaves the old or the new text, whole and forced.
   */
  static void replace(Path file, String text) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      writeFully(channel, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
      channel.force(true);
    }
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    forceDirectory(file.toAbsolutePath().getParent());
  }

  /** Deletes a directory with everything in it; one that is not there is fine. */
  static void deleteRecursively(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (UncheckedIOException e) {
      if (!(e.getCause() instanceof NoSuchFileException)) {
        throw e.getCause();
      }
      // Somebody else deletes it too.
    }
  }

  /** Forces the entries of a directory: names created, renamed and removed. */
  static void forceDirectory(@Nullable Path directory) throws IOException {
    if (directory == null) {
      return;
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (NoSuchFileException e) {
      // Deleted meanwhile: nothing left to force.
    }
  }

  /** Writes all that remains in a buffer at the channel's position. */
  static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
