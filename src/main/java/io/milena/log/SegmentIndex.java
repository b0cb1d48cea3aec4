package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one index of a segment, in Kafka's layout. A value: a later entry makes a new
 * {@code SegmentIndex} over the same buffer, so a reader sees exactly the entries its own value
 * counts.
 *
 * <pre>
 *   .index      relative offset (4) | position in the log file (4)
 *   .timeindex  timestamp (8)       | relative offset (4)
 * </pre>
 *
 * <p>Entries of an active segment live on the heap and reach the file when the segment is flushed,
 * rolled or closed; those of older segments are mapped on first use.
 */
record SegmentIndex(Kind kind, ByteBuffer buffer, int count) {

  /** Which index, and with it the size of an entry. */
  enum Kind {
    OFFSET(8),
    TIME(12);

    final int entryBytes;

    Kind(int entryBytes) {
      this.entryBytes = entryBytes;
    }
  }

  private static final ByteBuffer NO_ENTRIES = ByteBuffer.allocate(0);
  private static final int FIRST_ENTRIES = 16;

  /** An index without entries; takes no memory until the first. */
  static SegmentIndex empty(Kind kind) {
    return new SegmentIndex(kind, NO_ENTRIES, 0);
  }

  /** Maps the entries of an index file; the mapping goes when the value is no longer referenced. */
  static SegmentIndex map(Kind kind, Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      int count = (int) (channel.size() / kind.entryBytes);
      return count == 0
          ? empty(kind)
          : new SegmentIndex(
              kind,
              channel.map(FileChannel.MapMode.READ_ONLY, 0, (long) count * kind.entryBytes),
              count);
    }
  }

  /** Relative offset of an entry of an offset index, or of a time index. */
  int relativeOffset(int entry) {
    return kind == Kind.OFFSET
        ? buffer.getInt(entry * kind.entryBytes)
        : buffer.getInt(entry * kind.entryBytes + Long.BYTES);
  }

  /** Position of an entry of an offset index. */
  int position(int entry) {
    return buffer.getInt(entry * kind.entryBytes + Integer.BYTES);
  }

  /** Timestamp of an entry of a time index. */
  long timestamp(int entry) {
    return buffer.getLong(entry * kind.entryBytes);
  }

  /** The last entry whose relative offset is at most the one given, or -1. */
  int floorByOffset(long relativeOffset) {
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (relativeOffset(middle) <= relativeOffset) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  /** The last entry of a time index whose timestamp is below the one given, or -1. */
  int lastBelowTimestamp(long timestampMs) {
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (timestamp(middle) < timestampMs) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  /** With one more entry of an offset index; shares the buffer where it has room. */
  SegmentIndex withOffset(int relativeOffset, int position) {
    ByteBuffer target = withRoom();
    target.putInt(count * kind.entryBytes, relativeOffset);
    target.putInt(count * kind.entryBytes + Integer.BYTES, position);
    return new SegmentIndex(kind, target, count + 1);
  }

  /** With one more entry of a time index; shares the buffer where it has room. */
  SegmentIndex withTimestamp(long timestampMs, int relativeOffset) {
    ByteBuffer target = withRoom();
    target.putLong(count * kind.entryBytes, timestampMs);
    target.putInt(count * kind.entryBytes + Long.BYTES, relativeOffset);
    return new SegmentIndex(kind, target, count + 1);
  }

  /**
   * The first entries only, in a buffer of their own: entries added to the result must not change
   * what holders of this value see.
   */
  SegmentIndex truncated(int entries) {
    ByteBuffer copy = ByteBuffer.allocate(entries * kind.entryBytes);
    copy.put(0, buffer, 0, entries * kind.entryBytes);
    return new SegmentIndex(kind, copy, entries);
  }

  /** The same entries in memory that more can be added to. */
  SegmentIndex onHeap() {
    return buffer.isReadOnly() ? truncated(count) : this;
  }

  int sizeBytes() {
    return count * kind.entryBytes;
  }

  /**
   * What is wrong with the entries by themselves, or null: offsets and timestamps never go back.
   */
  @Nullable String fault() {
    for (int i = 0; i < count; i++) {
      if (relativeOffset(i) < 0 || (i > 0 && relativeOffset(i) < relativeOffset(i - 1))) {
        return "entry " + i + " has relative offset " + relativeOffset(i);
      }
      if (kind == Kind.OFFSET && i > 0 && position(i) <= position(i - 1)) {
        return "entry " + i + " has position " + position(i);
      }
      if (kind == Kind.TIME && i > 0 && timestamp(i) < timestamp(i - 1)) {
        return "entry " + i + " has timestamp " + timestamp(i);
      }
    }
    return null;
  }

  /** Writes the entries as the whole of a file; forces it when asked. */
  void writeTo(Path file, boolean force) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      LogFiles.writeFully(channel, buffer.duplicate().clear().limit(sizeBytes()));
      if (force) {
        channel.force(true);
      }
    }
  }

  private ByteBuffer withRoom() {
    int needed = (count + 1) * kind.entryBytes;
    if (!buffer.isReadOnly() && buffer.capacity() >= needed) {
      return buffer;
    }
    ByteBuffer larger =
        ByteBuffer.allocate(Math.max(FIRST_ENTRIES * kind.entryBytes, buffer.capacity() * 2));
    larger.put(0, buffer, 0, sizeBytes());
    return larger;
  }
}
