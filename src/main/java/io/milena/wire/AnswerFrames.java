package io.milena.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what another node sends into frames: {@code int32 size | size bytes}. Whole frames are
 * handed over where they were read, in the loop's buffer; one that comes in pieces is gathered in
 * memory of its own, into which the socket is then read directly. So at most one frame is held.
 */
final class AnswerFrames {
  static final int SIZE_FIELD_BYTES = 4;

  /** Takes frames. */
  @FunctionalInterface
  interface Sink {
    /**
     * @param memory that the frame lies in: retained by who needs it after this call
     * @param from where the frame begins, behind its size field
     * @param to where it ends, exclusive
     * @return false when nothing more is wanted
     */
    boolean frame(PooledBuffer memory, int from, int to);
  }

  private final BufferPool pool;
  private final int frameBytesMin;
  private final int frameBytesMax;
  private final Sink sink;

  /** The beginning of a frame, its size field with it, up to its buffer's position. */
  private @Nullable PooledBuffer begun;

  /** The beginning of a size field. */
  private final byte[] sizeField = new byte[SIZE_FIELD_BYTES];

  private int sizeFieldBytes;

  /**
   * @param frameBytesMin smallest frame taken, without its size field
   * @param frameBytesMax largest frame taken, without its size field; lowered to what fits into one
   *     buffer with it
   */
  AnswerFrames(BufferPool pool, int frameBytesMin, int frameBytesMax, Sink sink) {
    this.pool = pool;
    this.frameBytesMin = frameBytesMin;
    this.frameBytesMax = Math.min(frameBytesMax, Integer.MAX_VALUE - SIZE_FIELD_BYTES);
    this.sink = sink;
  }

  /**
   * Reads once, and hands over every frame that is whole by then.
   *
   * @param shared memory to read into; what it had before is lost
   * @return bytes read, -1 at the end of the stream
   * @throws IOException also when a frame has no size that is taken
   */
  long read(Transport transport, PooledBuffer shared) throws IOException {
    ByteBuffer target = shared.bytes.clear();
    PooledBuffer partial = begun;
    if (partial == null) {
      target.put(sizeField, 0, sizeFieldBytes);
      long count = transport.read(target);
      if (count > 0) {
        sizeFieldBytes = 0;
        take(shared, target.position());
      }
      return count;
    }
    long count = transport.read(partial.bytes, target);
    if (!partial.bytes.hasRemaining()) {
      begun = null;
      boolean goesOn;
      try {
        goesOn = sink.frame(partial, SIZE_FIELD_BYTES, partial.bytes.limit());
      } finally {
        partial.release();
      }
      if (goesOn) {
        take(shared, target.position());
      }
    }
    return count;
  }

  private void take(PooledBuffer shared, int to) throws IOException {
    ByteBuffer bytes = shared.bytes.clear();
    int next = 0;
    while (to - next >= SIZE_FIELD_BYTES) {
      int sizeBytes = bytes.getInt(next);
      if (sizeBytes < frameBytesMin || sizeBytes > frameBytesMax) {
        throw new IOException(
            "it sent a frame of %d bytes; %d to %d are taken"
                .formatted(sizeBytes, frameBytesMin, frameBytesMax));
      }
      if (to - next - SIZE_FIELD_BYTES < sizeBytes) {
        PooledBuffer partial = pool.acquire(SIZE_FIELD_BYTES + sizeBytes);
        partial
            .bytes
            .clear()
            .put(0, bytes, next, to - next)
            .position(to - next)
            .limit(SIZE_FIELD_BYTES + sizeBytes);
        begun = partial;
        return;
      }
      int end = next + SIZE_FIELD_BYTES + sizeBytes;
      if (!sink.frame(shared, next + SIZE_FIELD_BYTES, end)) {
        return;
      }
      next = end;
    }
    sizeFieldBytes = to - next;
    bytes.get(next, sizeField, 0, sizeFieldBytes);
  }

  /** Gives back what is held. */
  void close() {
    PooledBuffer partial = begun;
    begun = null;
    if (partial != null) {
      partial.release();
    }
  }
}
