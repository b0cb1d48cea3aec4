package io.milena.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.BiConsumer;

/** One file of frames; the last one of a journal is written to, the others are sealed. */
final class JournalSegment implements Closeable {
  private static final String SUFFIX = ".journal";

  /** Where a frame is. */
  record Location(JournalSegment segment, long positionBytes, int sizeBytes) {}

  private final long number;
  private final Path file;
  private final FileChannel channel;
  private long sizeBytes;

  /** Exclusive end of the file: what lies behind the frames are zeros, see {@link #reserve}. */
  private long reservedTo;

  /** Frames of events that were not deleted; kept by {@link JournalIndex}. */
  int liveFrames;

  private JournalSegment(long number, Path file, FileChannel channel) throws IOException {
    this.number = number;
    this.file = file;
    this.channel = channel;
    sizeBytes = channel.size();
    reservedTo = sizeBytes;
  }

  static JournalSegment open(Path directory, long number) throws IOException {
    Path file = directory.resolve("%020d%s".formatted(number, SUFFIX));
    return new JournalSegment(
        number,
        file,
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
  }

  /** Numbers of the segments in a directory, ascending. */
  static List<Long> numbersIn(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(SUFFIX))
          .map(name -> Long.parseLong(name.substring(0, name.length() - SUFFIX.length())))
          .sorted()
          .toList();
    }
  }

  long number() {
    return number;
  }

  Path file() {
    return file;
  }

  FileChannel channel() {
    return channel;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /**
   * Visits every frame from the start.
   *
   * @return how many bytes are whole, intact frames; what follows them is a torn write, or damage
   */
  long scan(BiConsumer<JournalFrame, Location> visitor) throws IOException {
    var bytes = ByteBuffer.allocate(Math.toIntExact(sizeBytes));
    readFully(bytes, 0);
    bytes.flip();
    int position = 0;
    while (bytes.limit() - position >= JournalFrame.HEADER_BYTES) {
      int bodyBytes = bytes.getInt(position);
      long end = (long) position + JournalFrame.HEADER_BYTES + bodyBytes;
      if (bodyBytes <= 0 || end > bytes.limit()) {
        break;
      }
      var frame = bytes.slice(position, (int) end - position);
      if (!JournalFrame.isIntact(frame)) {
        break;
      }
      visitor.accept(JournalFrame.decode(frame), new Location(this, position, frame.limit()));
      position = (int) end;
    }
    return position;
  }

  /** Cuts off what follows the last intact frame. */
  void truncate(long toBytes) throws IOException {
    channel.truncate(toBytes);
    sizeBytes = toBytes;
    reservedTo = toBytes;
  }

  /** Whether there is nothing but zeros from a position on: a reserve that was not used up. */
  boolean isZeroFrom(long position) throws IOException {
    var bytes = ByteBuffer.allocate(Math.toIntExact(sizeBytes - position));
    readFully(bytes, position);
    bytes.flip();
    while (bytes.hasRemaining()) {
      if (bytes.get() != 0) {
        return false;
      }
    }
    return true;
  }

  /** The frames end here; what follows is a reserve. */
  void endsAt(long position) {
    sizeBytes = position;
  }

  /** Bytes that can be written without the file system having to find space. */
  long reservedBytes() {
    return reservedTo - sizeBytes;
  }

  /**
   * Writes zeros behind the frames, so that there is space for more when there is none elsewhere.
   * Where the file system overwrites in place, that is: one that copies on write needs some.
   *
   * @throws IOException also on a full disk, which may have given a part
   */
  void reserve(int bytes) throws IOException {
    long to = sizeBytes + bytes;
    channel.position(reservedTo);
    while (reservedTo < to) {
      ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(64 << 10, to - reservedTo));
      while (zeros.hasRemaining()) {
        reservedTo += channel.write(zeros);
      }
    }
  }

  /** Gives a reserve back: a sealed segment ends with its last frame. */
  void trim() throws IOException {
    if (reservedTo > sizeBytes) {
      truncate(sizeBytes);
    }
  }

  /** Writes frames at the end, not yet forced; each location as if it were. */
  Location[] append(ByteBuffer[] frames) throws IOException {
    var locations = new Location[frames.length];
    long position = sizeBytes;
    for (int i = 0; i < frames.length; i++) {
      locations[i] = new Location(this, position, frames[i].remaining());
      position += frames[i].remaining();
    }
    channel.position(sizeBytes);
    while (sizeBytes < position) {
      sizeBytes += channel.write(frames);
    }
    reservedTo = Math.max(reservedTo, sizeBytes);
    return locations;
  }

  JournalFrame read(Location location) throws IOException {
    var frame = ByteBuffer.allocate(location.sizeBytes());
    readFully(frame, location.positionBytes());
    frame.flip();
    boolean isWhole =
        frame.limit() == location.sizeBytes()
            && frame.getInt(0) == location.sizeBytes() - JournalFrame.HEADER_BYTES
            && JournalFrame.isIntact(frame);
    if (!isWhole) {
      throw new JournalDamagedException(
          file
              + " is damaged at byte "
              + location.positionBytes()
              + ": restore this node's data from another replica");
    }
    return JournalFrame.decode(frame);
  }

  void delete() throws IOException {
    close();
    Files.delete(file);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void readFully(ByteBuffer into, long position) throws IOException {
    while (into.hasRemaining()) {
      int read = channel.read(into, position + into.position());
      if (read < 0) {
        return;
      }
    }
  }
}
