package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts a compacted segment in the place of the segments it was made from, so that a crash at any
 * step leaves, after {@link #recover}, either all the old ones or the new one.
 *
 * <ol>
 *   <li>The new segment is whole and forced to disk as {@code .cleaned} files. A crash: they are
 *       deleted.
 *   <li>{@link #commit}: they become {@code .swap} files, the log file last. Once there is a {@code
 *       .log.swap}, the new segment counts. A crash before: all are deleted.
 *   <li>The caller puts the old segments aside (renames them to {@code .deleted}, or deletes them).
 *   <li>{@link #finish}: the {@code .swap} files take their final names, the log file last. A crash
 *       meanwhile: {@link #recover} does steps 3 and 4 again.
 * </ol>
 *
 * Steps 2 to 4 belong to the owner of the log. Kafka's protocol and file names.
 */
final class SegmentSwap {

  /** In the order in which they are renamed: the log file is what decides, so it is the last. */
  private static final List<String> KINDS =
      List.of(LogFiles.OFFSET_INDEX, LogFiles.TIME_INDEX, LogFiles.TRANSACTION_INDEX, LogFiles.LOG);

  private SegmentSwap() {}

  /** Makes the {@code .cleaned} segment with this base offset the one that counts. */
  static void commit(Path directory, long baseOffset) throws IOException {
    commit(directory, baseOffset, () -> {});
  }

  /**
   * @param beforeEachStep lets a test end the process, so to speak, anywhere
   */
  static void commit(Path directory, long baseOffset, Runnable beforeEachStep) throws IOException {
    for (String kind : KINDS) {
      if (kind.equals(LogFiles.LOG)) {
        // The indexes' new names must be on disk before the name that makes them count.
        LogFiles.forceDirectory(directory);
      }
      beforeEachStep.run();
      move(directory, baseOffset, kind + LogFiles.CLEANED, kind + LogFiles.SWAP);
    }
    LogFiles.forceDirectory(directory);
  }

  /** Gives the committed segment its final names. The old ones are out of the way by now. */
  static void finish(Path directory, long baseOffset) throws IOException {
    finish(directory, baseOffset, () -> {});
  }

  /**
   * @param beforeEachStep as for commit
   */
  static void finish(Path directory, long baseOffset, Runnable beforeEachStep) throws IOException {
    for (String kind : KINDS) {
      if (kind.equals(LogFiles.LOG)) {
        LogFiles.forceDirectory(directory);
      }
      beforeEachStep.run();
      move(directory, baseOffset, kind + LogFiles.SWAP, kind);
    }
    beforeEachStep.run();
    Path transactions = LogFiles.file(directory, baseOffset, LogFiles.TRANSACTION_INDEX);
    if (Files.exists(transactions) && Files.size(transactions) == 0) {
      Files.delete(transactions);
    }
    LogFiles.forceDirectory(directory);
  }

  /** Deletes what an unfinished compaction has left of a segment. */
  static void deleteCleaned(Path directory, long baseOffset) throws IOException {
    for (String kind : KINDS) {
      Files.deleteIfExists(LogFiles.file(directory, baseOffset, kind + LogFiles.CLEANED));
    }
  }

  /**
   * Before a log is opened: completes swaps that had been committed, removes all else that a
   * compaction left behind.
   *
   * @return base offsets of the segments that were swapped in now
   */
  static List<Long> recover(Path directory) throws IOException {
    List<Long> committed = new ArrayList<>();
    for (Path file : list(directory)) {
      String name = file.getFileName().toString();
      long baseOffset = LogFiles.offsetOf(name);
      if (baseOffset < 0) {
        continue;
      }
      if (name.endsWith(LogFiles.CLEANED)) {
        Files.delete(file);
      } else if (name.endsWith(LogFiles.LOG + LogFiles.SWAP)) {
        committed.add(baseOffset);
      }
    }
    committed.sort(null);
    for (long baseOffset : committed) {
      long endOffset =
          endOffset(LogFiles.file(directory, baseOffset, LogFiles.LOG + LogFiles.SWAP), baseOffset);
      deleteReplaced(directory, baseOffset, endOffset);
      finish(directory, baseOffset);
    }
    for (Path file : list(directory)) {
      String name = file.getFileName().toString();
      if (name.endsWith(LogFiles.SWAP) && LogFiles.offsetOf(name) >= 0) {
        Files.delete(file);
      }
    }
    LogFiles.forceDirectory(directory);
    return committed;
  }

  /**
   * Deletes the old segments that the new one covers. One at its end whose records have all been
   * compacted away is not recognised and stays: its records are outdated, but still right, and the
   * next compaction drops them again.
   */
  private static void deleteReplaced(Path directory, long baseOffset, long endOffset)
      throws IOException {
    for (Path file : list(directory)) {
      String name = file.getFileName().toString();
      long offset = LogFiles.offsetOf(name);
      boolean ofSegment = KINDS.stream().anyMatch(name::endsWith);
      // The new indexes may have their final names already; finish() replaces the rest.
      boolean replaced =
          (offset > baseOffset && offset < endOffset)
              || (offset == baseOffset && name.endsWith(LogFiles.LOG));
      if (ofSegment && replaced) {
        Files.delete(file);
      }
    }
  }

  /** Offset after the last batch of a log file. */
  private static long endOffset(Path logFile, long baseOffset) throws IOException {
    long endOffset = baseOffset;
    try (FileChannel channel = FileChannel.open(logFile, StandardOpenOption.READ)) {
      ByteBuffer header = ByteBuffer.allocate(BatchLayout.HEADER_BYTES);
      long size = channel.size();
      long position = 0;
      while (position + BatchLayout.HEADER_BYTES <= size) {
        header.clear();
        while (header.hasRemaining()) {
          if (channel.read(header, position + header.position()) < 0) {
            throw new IOException(logFile + " ended while it was read");
          }
        }
        int batchBytes = BatchLayout.sizeBytes(header, 0);
        if (batchBytes < BatchLayout.HEADER_BYTES || position + batchBytes > size) {
          throw new IOException(
              logFile + " is damaged at byte " + position + ": no whole batch is there");
        }
        endOffset = BatchLayout.lastOffset(header, 0) + 1;
        position += batchBytes;
      }
    }
    return endOffset;
  }

  private static void move(Path directory, long baseOffset, String from, String to)
      throws IOException {
    Path source = LogFiles.file(directory, baseOffset, from);
    if (Files.exists(source)) {
      Files.move(
          source,
          LogFiles.file(directory, baseOffset, to),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(files::add);
    }
    return files;
  }
}
