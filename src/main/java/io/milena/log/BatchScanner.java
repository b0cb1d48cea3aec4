package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Walks over the batches of a stretch of a segment file, header by header, through one buffer. It
 * stops at the end or at the first batch that is not whole and sound, and says what is wrong there.
 * When asked to verify it also reads every byte and checks each checksum.
 */
final class BatchScanner {

  /** What a look-up reads at once: some dozen small batches, or the header of one large one. */
  private static final int LOOKUP_BUFFER_BYTES = 4 * 1024;

  /** Small enough to stay in the processor's cache between copying and checking. */
  private static final int VERIFY_BUFFER_BYTES = 512 * 1024;

  private final FileChannel channel;
  private final long end;
  private final boolean verify;
  private final ByteBuffer buffer;
  private final CRC32C crc = new CRC32C();

  /** File position of the buffer's first byte; the buffer holds bytes from 0 to its limit. */
  private long bufferPosition;

  private long position = -1;
  private long nextPosition;
  private long lastOffset = -1;
  private @Nullable String fault;
  private final ByteBuffer headerCopy = ByteBuffer.allocate(BatchLayout.HEADER_BYTES);
  private @Nullable BatchHeader current;

  private BatchScanner(
      FileChannel channel, long from, long end, boolean verify, ByteBuffer buffer) {
    this.channel = channel;
    this.end = end;
    this.verify = verify;
    this.buffer = buffer.limit(0);
    this.bufferPosition = from;
    this.nextPosition = from;
  }

  /** Reads headers only. */
  static BatchScanner headers(FileChannel channel, long from, long end) {
    int bytes = Math.clamp(end - from, BatchLayout.HEADER_BYTES, LOOKUP_BUFFER_BYTES);
    return new BatchScanner(channel, from, end, false, ByteBuffer.allocate(bytes));
  }

  /** Reads and checks everything. */
  static BatchScanner verifying(FileChannel channel, long from, long end) {
    int bytes = Math.clamp(end - from, BatchLayout.HEADER_BYTES, VERIFY_BUFFER_BYTES);
    return new BatchScanner(channel, from, end, true, ByteBuffer.allocateDirect(bytes));
  }

  /** The next batch, or null at the end or at the first bad one ({@link #fault()}). */
  @Nullable BatchHeader next() throws IOException {
    if (fault != null || nextPosition >= end) {
      return null;
    }
    long left = end - nextPosition;
    if (left < BatchLayout.HEADER_BYTES) {
      return bad("only " + left + " bytes are left, less than a batch header");
    }
    ensure(nextPosition, BatchLayout.HEADER_BYTES);
    BatchHeader header = BatchHeader.read(buffer, (int) (nextPosition - bufferPosition));
    String reason = check(header, left);
    if (reason != null) {
      return bad(reason);
    }
    headerCopy.put(0, buffer, (int) (nextPosition - bufferPosition), BatchLayout.HEADER_BYTES);
    if (verify && checksum(header.sizeBytes()) != header.crc()) {
      return bad("the checksum of the batch with base offset " + header.baseOffset() + " is wrong");
    }
    position = nextPosition;
    nextPosition += header.sizeBytes();
    lastOffset = header.lastOffset();
    current = header;
    return header;
  }

  /** File position of the batch that {@link #next()} returned last. */
  long position() {
    return position;
  }

  /**
   * The bytes, from index 0 on, that producer state needs of the batch that {@link #next()}
   * returned last: its header, and all of it when it is a control batch.
   */
  ByteBuffer producerBytes() throws IOException {
    BatchHeader header = current;
    return header != null && header.control()
        ? SegmentReader.readFully(channel, position, header.sizeBytes())
        : headerCopy;
  }

  /** File position after the last good batch. */
  long validEnd() {
    return nextPosition;
  }

  /** What is wrong at {@link #validEnd()}, or null. */
  @Nullable String fault() {
    return fault;
  }

  private @Nullable String check(BatchHeader header, long left) {
    if (header.sizeBytes() < BatchLayout.HEADER_BYTES) {
      return "a batch claims to be " + header.sizeBytes() + " bytes long";
    }
    if (header.sizeBytes() > left) {
      return "a batch of " + header.sizeBytes() + " bytes is cut after " + left;
    }
    if (header.magic() != BatchLayout.CURRENT_MAGIC) {
      return "a batch has format " + header.magic() + " instead of " + BatchLayout.CURRENT_MAGIC;
    }
    if (header.baseOffset() < 0
        || header.lastOffsetDelta() < 0
        || header.baseOffset() <= lastOffset) {
      return "a batch has base offset " + header.baseOffset() + " after offset " + lastOffset;
    }
    return null;
  }

  private @Nullable BatchHeader bad(String reason) {
    fault = reason + " (at byte " + nextPosition + ")";
    return null;
  }

  private int checksum(int sizeBytes) throws IOException {
    crc.reset();
    long from = nextPosition + BatchLayout.ATTRIBUTES;
    long to = nextPosition + sizeBytes;
    while (from < to) {
      ensure(from, 1);
      int index = (int) (from - bufferPosition);
      int bytes = (int) Math.min(buffer.limit() - index, to - from);
      crc.update(buffer.duplicate().limit(index + bytes).position(index));
      from += bytes;
    }
    return (int) crc.getValue();
  }

  /** Makes the buffer hold at least so many bytes from a file position on. */
  private void ensure(long from, int bytes) throws IOException {
    if (from >= bufferPosition && from + bytes <= bufferPosition + buffer.limit()) {
      return;
    }
    bufferPosition = from;
    buffer.clear().limit((int) Math.min(buffer.capacity(), end - from));
    while (buffer.position() < bytes) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        throw new IOException("the file ends before byte " + (from + bytes));
      }
    }
    buffer.flip();
  }
}
