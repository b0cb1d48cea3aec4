package io.milena.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;

/**
 * What a connection's socket has not taken yet, in order. Bounded because nothing is serialised for
 * a connection while this holds something: at most one {@link ResponseBatch} is in it.
 */
final class OutputQueue {
  /**
   * How many buffers one gathering write takes at most; Linux takes 1,024, the JDK 16 at a time.
   */
  private static final int GATHER_MAX = 16;

  private final ArrayDeque<OutputPart> parts = new ArrayDeque<>();
  private final ByteBuffer[] gather = new ByteBuffer[GATHER_MAX];

  boolean isEmpty() {
    return parts.isEmpty();
  }

  void add(OutputPart part) {
    parts.addLast(part);
  }

  void addAll(Collection<OutputPart> more) {
    parts.addAll(more);
  }

  /** Writes until the socket takes no more or everything is written; returns the bytes written. */
  long writeTo(Transport transport) throws IOException {
    long total = 0;
    while (!parts.isEmpty()) {
      long written =
          parts.peekFirst() instanceof OutputPart.Region region
              ? writeRegion(region, transport)
              : writeBytes(transport);
      if (written <= 0 && !parts.isEmpty()) {
        break;
      }
      total += written;
    }
    return total;
  }

  /** Copies what lies in the loop's write buffer, which the loop is about to use again. */
  void leaveLoopBuffer(BufferPool pool) {
    int count = parts.size();
    for (int i = 0; i < count; i++) {
      OutputPart part = parts.removeFirst();
      if (part instanceof OutputPart.Bytes(ByteBuffer bytes, _, boolean ofLoop) && ofLoop) {
        PooledBuffer copy = pool.acquire(bytes.remaining());
        copy.bytes.put(bytes).flip();
        part = new OutputPart.Bytes(copy.bytes, copy, false);
      }
      parts.addLast(part);
    }
  }

  void clear() {
    while (!parts.isEmpty()) {
      release(parts.removeFirst());
    }
  }

  private long writeRegion(OutputPart.Region region, Transport transport) throws IOException {
    long written = 0;
    while (region.writtenBytes < region.sizeBytes) {
      int sent =
          region.records.writeTo(
              transport, region.writtenBytes, region.sizeBytes - region.writtenBytes);
      if (sent <= 0) {
        return written;
      }
      region.writtenBytes += sent;
      written += sent;
    }
    parts.removeFirst();
    return written;
  }

  private long writeBytes(Transport transport) throws IOException {
    int count = 0;
    for (OutputPart part : parts) {
      if (count == GATHER_MAX || !(part instanceof OutputPart.Bytes bytes)) {
        break;
      }
      gather[count++] = bytes.bytes();
    }
    long written = count == 1 ? transport.write(gather[0]) : transport.write(gather, 0, count);
    while (parts.peekFirst() instanceof OutputPart.Bytes first && !first.bytes().hasRemaining()) {
      release(parts.removeFirst());
    }
    return written;
  }

  private static void release(OutputPart part) {
    if (part instanceof OutputPart.Bytes(_, PooledBuffer owner, _) && owner != null) {
      owner.release();
    }
  }
}
