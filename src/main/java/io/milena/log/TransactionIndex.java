package io.milena.log;

import io.milena.log.LogView.AbortedTransaction;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The aborted transactions whose marker lies in one segment, in the order of their markers: the
 * segment's {@code .txnindex} file in Kafka's format. There is no file while there is no entry.
 *
 * <pre>
 *  0 version            int16  0
 *  2 producer id        int64
 * 10 first offset       int64
 * 18 last offset        int64  of the marker
 * 26 last stable offset int64  when the marker was written
 * </pre>
 *
 * One thread writes; any thread reads what is complete. Upstream: TransactionIndex, AbortedTxn.
 */
final class TransactionIndex implements Closeable {

  static final String SUFFIX = ".txnindex";

  private static final short VERSION = 0;
  private static final int ENTRY_BYTES = 34;

  /** Entries read from the file at a time. */
  private static final int READ_CHUNK_ENTRIES = 128;

  private Path file;
  private @Nullable FileChannel channel;
  private volatile int entryCount;
  private long lastEntryOffset = -1;
  private boolean damaged;

  private TransactionIndex(Path file) {
    this.file = file;
  }

  /**
   * An aborted transaction as the index keeps it.
   *
   * @param producerId of the transaction
   * @param firstOffset of its first record
   * @param lastOffset of its marker
   * @param lastStableOffset once it had been decided: readers bounded by it need look no further
   */
  record Entry(long producerId, long firstOffset, long lastOffset, long lastStableOffset) {

    AbortedTransaction toAbortedTransaction() {
      return new AbortedTransaction(producerId, firstOffset);
    }
  }

  /**
   * Opens the index in this file, if the file exists. A torn or nonsensical tail is cut off; then
   * {@link #wasDamaged} is true and the caller must replay the segment to add what is missing.
   *
   * @param segmentBaseOffset no marker lies before it
   */
  static TransactionIndex open(Path file, long segmentBaseOffset) throws IOException {
    TransactionIndex index = new TransactionIndex(file);
    if (Files.exists(file)) {
      long sizeBytes = index.channel().size();
      index.entryCount = (int) (sizeBytes / ENTRY_BYTES);
      int sane = 0;
      long lastOffset = segmentBaseOffset - 1;
      for (Entry entry : index.entries()) {
        if (entry.lastOffset() <= lastOffset || entry.firstOffset() > entry.lastOffset()) {
          break;
        }
        lastOffset = entry.lastOffset();
        sane++;
      }
      index.damaged = (long) sane * ENTRY_BYTES != sizeBytes;
      index.cutTo(sane);
    }
    return index;
  }

  /** The entries of the index in this file, which must exist; opens nothing for longer. */
  static List<Entry> read(Path file) throws IOException {
    try (TransactionIndex index = new TransactionIndex(file)) {
      index.entryCount = (int) (index.channel().size() / ENTRY_BYTES);
      return index.entries();
    }
  }

  /** True when opening had to cut something off. */
  boolean wasDamaged() {
    return damaged;
  }

  /** Adds a transaction; markers come in offset order. */
  void append(Entry entry) throws IOException {
    if (entry.lastOffset() <= lastEntryOffset) {
      throw new IllegalArgumentException(
          entry + " is not past the last marker in " + file + ", at " + lastEntryOffset);
    }
    ByteBuffer bytes = ByteBuffer.allocate(ENTRY_BYTES);
    bytes
        .putShort(VERSION)
        .putLong(entry.producerId())
        .putLong(entry.firstOffset())
        .putLong(entry.lastOffset())
        .putLong(entry.lastStableOffset())
        .flip();
    long position = (long) entryCount * ENTRY_BYTES;
    FileChannel target = channel();
    while (bytes.hasRemaining()) {
      position += target.write(bytes, position);
    }
    lastEntryOffset = entry.lastOffset();
    int published = (int) (position / ENTRY_BYTES);
    entryCount = published;
  }

  /**
   * Adds to {@code found} the aborted transactions that overlap a range of offsets.
   *
   * @param startOffset inclusive
   * @param upperBoundOffset exclusive
   * @return true when no later segment can have any more of them
   */
  boolean collect(long startOffset, long upperBoundOffset, List<AbortedTransaction> found)
      throws IOException {
    for (Entry entry : entries()) {
      if (entry.lastOffset() >= startOffset && entry.firstOffset() < upperBoundOffset) {
        found.add(entry.toAbortedTransaction());
      }
      if (entry.lastStableOffset() >= upperBoundOffset) {
        return true;
      }
    }
    return false;
  }

  /** All entries, in order. */
  List<Entry> entries() throws IOException {
    int count = entryCount;
    List<Entry> entries = new ArrayList<>(count);
    if (count == 0) {
      return entries;
    }
    FileChannel source = channel();
    ByteBuffer chunk = ByteBuffer.allocate(Math.min(count, READ_CHUNK_ENTRIES) * ENTRY_BYTES);
    while (entries.size() < count) {
      chunk.clear();
      chunk.limit(Math.min(chunk.capacity(), (count - entries.size()) * ENTRY_BYTES));
      long position = (long) entries.size() * ENTRY_BYTES;
      while (chunk.hasRemaining()) {
        int read = source.read(chunk, position + chunk.position());
        if (read < 0) {
          throw new IOException(file + " is shorter than its " + count + " entries");
        }
      }
      chunk.flip();
      while (chunk.hasRemaining()) {
        chunk.getShort(); // the version: there is only one
        entries.add(new Entry(chunk.getLong(), chunk.getLong(), chunk.getLong(), chunk.getLong()));
      }
    }
    return entries;
  }

  boolean isEmpty() {
    return entryCount == 0;
  }

  /** Drops the transactions whose marker lies at or past an offset. */
  void truncateTo(long offset) throws IOException {
    if (lastEntryOffset < offset) {
      return;
    }
    int kept = 0;
    for (Entry entry : entries()) {
      if (entry.lastOffset() >= offset) {
        break;
      }
      kept++;
    }
    cutTo(kept);
  }

  private void cutTo(int entries) throws IOException {
    entryCount = entries;
    if (channel != null) {
      channel.truncate((long) entries * ENTRY_BYTES);
    }
    List<Entry> all = entries();
    lastEntryOffset = all.isEmpty() ? -1 : all.getLast().lastOffset();
  }

  /** Forces what was appended to disk. */
  void flush() throws IOException {
    if (channel != null) {
      channel.force(true);
    }
  }

  /** Gives the file, if there is one, a new name. */
  void renameTo(Path target) throws IOException {
    if (Files.exists(file)) {
      Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
    }
    file = target;
  }

  /** Closes and deletes the file, if there is one. */
  void delete() throws IOException {
    close();
    Files.deleteIfExists(file);
    entryCount = 0;
    lastEntryOffset = -1;
  }

  private synchronized FileChannel channel() throws IOException {
    FileChannel current = channel;
    if (current == null) {
      current =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      channel = current;
    }
    return current;
  }

  @Override
  public synchronized void close() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
  }
}
