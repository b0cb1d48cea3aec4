package io.milena.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;

/** Writes the segment that takes the place of others, with its indexes, as .cleaned files. */
final class CompactedSegmentWriter implements Closeable {

  private final Path directory;
  private final long baseOffset;
  private final int indexIntervalBytes;
  private final FileChannel channel;
  private final TransactionIndex transactions;
  private SegmentIndex offsets = SegmentIndex.empty(SegmentIndex.Kind.OFFSET);
  private SegmentIndex times = SegmentIndex.empty(SegmentIndex.Kind.TIME);
  private long sizeBytes;
  private int bytesSinceIndexEntry;
  private long maxTimestampMs = -1;
  private long maxTimestampOffset;

  CompactedSegmentWriter(Path directory, long baseOffset, int indexIntervalBytes)
      throws IOException {
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.indexIntervalBytes = indexIntervalBytes;
    SegmentSwap.deleteCleaned(directory, baseOffset);
    this.channel =
        FileChannel.open(
            file(LogFiles.LOG), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    this.transactions = TransactionIndex.open(file(LogFiles.TRANSACTION_INDEX), baseOffset);
  }

  private Path file(String kind) {
    return LogFiles.file(directory, baseOffset, kind + LogFiles.CLEANED);
  }

  /** Appends whole batches: all that remains in the buffer. */
  void append(ByteBuffer batches) throws IOException {
    for (int at = batches.position(); at < batches.limit(); ) {
      int batchBytes = BatchLayout.sizeBytes(batches, at);
      note(batches, at, batchBytes);
      at += batchBytes;
    }
    LogFiles.writeFully(channel, batches);
  }

  private void note(ByteBuffer batches, int at, int batchBytes) throws IOException {
    if (sizeBytes + batchBytes > Integer.MAX_VALUE) {
      throw new IOException("the compacted segment " + file(LogFiles.LOG) + " grows too large");
    }
    long lastOffset = BatchLayout.lastOffset(batches, at);
    long timestampMs = BatchLayout.maxTimestamp(batches, at);
    if (timestampMs > maxTimestampMs) {
      maxTimestampMs = timestampMs;
      maxTimestampOffset = lastOffset;
    }
    if (bytesSinceIndexEntry > indexIntervalBytes) {
      offsets = offsets.withOffset((int) (lastOffset - baseOffset), (int) sizeBytes);
      addTimeEntry();
      bytesSinceIndexEntry = 0;
    }
    bytesSinceIndexEntry += batchBytes;
    sizeBytes += batchBytes;
  }

  private void addTimeEntry() {
    if (maxTimestampMs >= 0
        && (times.count() == 0 || maxTimestampMs > times.timestamp(times.count() - 1))) {
      times = times.withTimestamp(maxTimestampMs, (int) (maxTimestampOffset - baseOffset));
    }
  }

  /** Keeps an aborted transaction whose marker stays in this segment. */
  void addAborted(TransactionIndex.Entry entry) throws IOException {
    transactions.append(entry);
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /**
   * Writes the indexes and forces everything to disk.
   *
   * @param lastModifiedMs given to the log file: retention goes by it where records have no time
   */
  void finish(long lastModifiedMs) throws IOException {
    addTimeEntry();
    offsets.writeTo(file(LogFiles.OFFSET_INDEX), true);
    times.writeTo(file(LogFiles.TIME_INDEX), true);
    if (transactions.isEmpty()) {
      // There must be a file, so that a swap replaces the old one whatever it finds.
      Files.createFile(file(LogFiles.TRANSACTION_INDEX));
    }
    transactions.flush();
    channel.force(true);
    close();
    Files.setLastModifiedTime(file(LogFiles.LOG), FileTime.fromMillis(lastModifiedMs));
  }

  @Override
  public void close() throws IOException {
    transactions.close();
    channel.close();
  }
}
