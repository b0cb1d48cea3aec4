package io.milena.log;

import io.milena.log.LogCondition.Finding;
import io.milena.log.LogCondition.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads one segment of a log that nobody has open: every batch with its checksum, and whether the
 * indexes say the same as the batches.
 */
final class SegmentCheck {

  private final Path directory;
  private final long baseOffset;
  private final Path file;
  private final List<Finding> findings = new ArrayList<>();

  long sizeBytes;
  long batches;
  long records;

  /** Bytes from the start of the file that are sound. */
  long soundBytes;

  /** Exclusive end of the offsets in the sound bytes. */
  long endOffset;

  /** Exclusive end of the offsets that batches behind the damage hold; the same without any. */
  long knownEndOffset;

  /** What is wrong after {@link #soundBytes}, or null. */
  @Nullable String fault;

  LeaderEpochHistory epochs = LeaderEpochHistory.EMPTY;

  SegmentCheck(Path directory, long baseOffset) {
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.file = LogFiles.file(directory, baseOffset, LogFiles.LOG);
    this.endOffset = baseOffset;
  }

  long baseOffset() {
    return baseOffset;
  }

  /** What is wrong with the indexes. */
  List<Finding> findings() {
    return findings;
  }

  void run() throws IOException {
    IndexCursor offsets = new IndexCursor(SegmentIndex.Kind.OFFSET, LogFiles.OFFSET_INDEX);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      sizeBytes = channel.size();
      BatchScanner scanner = BatchScanner.verifying(channel, 0, sizeBytes);
      for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
        if (batch.baseOffset() < baseOffset
            || batch.lastOffset() - baseOffset > Integer.MAX_VALUE) {
          fault = "base offset " + batch.baseOffset() + " does not belong here";
          break;
        }
        batches++;
        records += batch.recordCount();
        epochs = epochs.with(batch.leaderEpoch(), batch.baseOffset());
        offsets.onBatch(scanner.position(), batch);
        soundBytes = scanner.validEnd();
        endOffset = batch.nextOffset();
      }
      if (fault == null) {
        fault = scanner.fault();
      }
      knownEndOffset = endOffset;
      if (fault != null) {
        lookBehind(channel);
      }
    }
    offsets.finish();
    checkTimeIndex();
    checkTransactionIndex();
  }

  /**
   * Counts what is sound behind a damaged batch, as far as its length can be believed. The offsets
   * it claims for itself count when they agree with its record count: its checksum is wrong.
   */
  private void lookBehind(FileChannel channel) throws IOException {
    long at = soundBytes;
    while (sizeBytes - at >= BatchLayout.HEADER_BYTES) {
      ByteBuffer header = SegmentReader.readFully(channel, at, BatchLayout.HEADER_BYTES);
      BatchHeader damaged = BatchHeader.read(header, 0);
      if (damaged.magic() != BatchLayout.CURRENT_MAGIC
          || damaged.sizeBytes() < BatchLayout.HEADER_BYTES
          || damaged.baseOffset() < knownEndOffset) {
        return;
      }
      if (damaged.baseOffset() == knownEndOffset
          && damaged.recordCount() == damaged.lastOffsetDelta() + 1) {
        knownEndOffset = damaged.nextOffset();
      }
      if (damaged.sizeBytes() > sizeBytes - at) {
        return;
      }
      BatchScanner behind = BatchScanner.verifying(channel, at + damaged.sizeBytes(), sizeBytes);
      for (BatchHeader batch = behind.next(); batch != null; batch = behind.next()) {
        batches++;
        records += batch.recordCount();
        knownEndOffset = Math.max(knownEndOffset, batch.nextOffset());
      }
      at = behind.validEnd();
    }
  }

  private void checkTimeIndex() throws IOException {
    SegmentIndex times = read(SegmentIndex.Kind.TIME, LogFiles.TIME_INDEX);
    if (times != null && times.count() > 0 && fault == null) {
      long last = baseOffset + times.relativeOffset(times.count() - 1);
      if (last >= endOffset) {
        wrongIndex(LogFiles.TIME_INDEX, "it points at offset " + last + ", past the segment's end");
      }
    }
  }

  private void checkTransactionIndex() throws IOException {
    Path index = LogFiles.file(directory, baseOffset, LogFiles.TRANSACTION_INDEX);
    if (!Files.exists(index)) {
      return;
    }
    long last = baseOffset - 1;
    for (TransactionIndex.Entry entry : TransactionIndex.read(index)) {
      if (entry.lastOffset() <= last || entry.firstOffset() > entry.lastOffset()) {
        findings.add(
            new Finding(
                Kind.LOST,
                index.getFileName().toString(),
                "entries after the transaction that ends at offset "
                    + last
                    + " make no sense: readers of committed records may see aborted ones"));
        return;
      }
      last = entry.lastOffset();
    }
  }

  /** An index by itself; null when it is not there or is damaged, which has been noted. */
  private @Nullable SegmentIndex read(SegmentIndex.Kind kind, String suffix) throws IOException {
    Path index = LogFiles.file(directory, baseOffset, suffix);
    try {
      if (Files.size(index) % kind.entryBytes != 0) {
        wrongIndex(suffix, "it ends within an entry");
        return null;
      }
    } catch (NoSuchFileException e) {
      findings.add(
          new Finding(
              Kind.NOTE, index.getFileName().toString(), "not there: the next start makes it"));
      return null;
    }
    SegmentIndex entries = SegmentIndex.map(kind, index);
    String wrong = entries.fault();
    if (wrong != null) {
      wrongIndex(suffix, wrong);
      return null;
    }
    return entries;
  }

  private void wrongIndex(String suffix, String what) {
    findings.add(
        new Finding(
            Kind.SIDE_FILE,
            LogFiles.file(directory, baseOffset, suffix).getFileName().toString(),
            what + ": the index is wrong"));
  }

  /** Goes through the offset index beside the batches. */
  private final class IndexCursor {
    private final @Nullable SegmentIndex entries;
    private final String suffix;
    private int next;
    private boolean wrong;

    IndexCursor(SegmentIndex.Kind kind, String suffix) throws IOException {
      this.suffix = suffix;
      this.entries = read(kind, suffix);
    }

    void onBatch(long position, BatchHeader batch) {
      if (entries == null || wrong || next == entries.count()) {
        return;
      }
      long entryPosition = entries.position(next);
      if (entryPosition > position) {
        return;
      }
      long offset = baseOffset + entries.relativeOffset(next);
      if (entryPosition < position || offset < batch.baseOffset() || offset > batch.lastOffset()) {
        wrong = true;
        wrongIndex(
            suffix,
            "entry "
                + next
                + " says that offset "
                + offset
                + " is at byte "
                + entryPosition
                + ", where it is not");
      }
      next++;
    }

    void finish() {
      if (entries != null && !wrong && fault == null && next < entries.count()) {
        wrongIndex(suffix, "entry " + next + " points past the end of the log file");
      }
    }
  }
}
