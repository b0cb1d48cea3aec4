package io.milena.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Reads a sealed log file from its start in pieces of whole batches, each checked against its
 * checksum. Holds one buffer, as large as a piece or the largest batch.
 */
final class SegmentBatches implements Closeable {

  private final Path file;
  private final FileChannel channel;
  private final long endPosition;
  private ByteBuffer buffer;
  private long position;

  /**
   * @param sizeBytes of the file that are to be read
   * @param buffer to read into first; {@link #buffer()} is what it has become
   */
  SegmentBatches(Path file, long sizeBytes, ByteBuffer buffer) throws IOException {
    this.file = file;
    this.channel = FileChannel.open(file, StandardOpenOption.READ);
    this.endPosition = sizeBytes;
    this.buffer = buffer;
  }

  ByteBuffer buffer() {
    return buffer;
  }

  /**
   * The next piece, from position 0 to limit of the buffer, valid until the next call; null at the
   * end.
   *
   * @throws IOException naming file and byte, when a batch there is damaged
   */
  @Nullable ByteBuffer next() throws IOException {
    if (position >= endPosition) {
      return null;
    }
    fill();
    int whole = checkedBytes();
    if (whole == 0) {
      int needed = firstBatchBytes();
      buffer = ByteBuffer.allocate(needed);
      fill();
      whole = checkedBytes();
    }
    position += whole;
    return buffer.position(0).limit(whole);
  }

  private void fill() throws IOException {
    buffer.clear().limit((int) Math.min(buffer.capacity(), endPosition - position));
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException(file + " is shorter than the " + endPosition + " bytes of its log");
      }
    }
    buffer.flip();
  }

  /** Bytes of the whole, sound batches that the buffer begins with. */
  private int checkedBytes() throws IOException {
    int at = 0;
    while (buffer.limit() - at >= BatchLayout.HEADER_BYTES) {
      int batchBytes = batchBytes(at);
      if (batchBytes > buffer.limit() - at) {
        break;
      }
      if (BatchLayout.storedCrc(buffer, at) != BatchLayout.computedCrc(buffer, at, batchBytes)) {
        throw damaged(at, "the checksum of a batch is wrong");
      }
      at += batchBytes;
    }
    return at;
  }

  private int firstBatchBytes() throws IOException {
    if (buffer.limit() < BatchLayout.HEADER_BYTES) {
      throw damaged(0, "there is no whole batch");
    }
    return batchBytes(0);
  }

  private int batchBytes(int at) throws IOException {
    int batchBytes = BatchLayout.sizeBytes(buffer, at);
    if (batchBytes < BatchLayout.HEADER_BYTES
        || batchBytes > endPosition - position - at
        || BatchLayout.magic(buffer, at) != BatchLayout.CURRENT_MAGIC) {
      throw damaged(at, "there is no whole batch");
    }
    return batchBytes;
  }

  private IOException damaged(int at, String what) {
    return new IOException(file + " is damaged at byte " + (position + at) + ": " + what);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
