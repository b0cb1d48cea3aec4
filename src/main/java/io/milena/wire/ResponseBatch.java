package io.milena.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Responses serialised one after the other for one connection, to be sent with one gathering write.
 * A loop has one, uses it for a connection after the other, and owns the memory.
 */
final class ResponseBatch {
  /** A batch this large is sent before the next response is added. */
  static final int FLUSH_BYTES = 128 * 1024;

  private static final int BUFFER_BYTES = 2 * FLUSH_BYTES;

  /** Size field and correlation id, and the empty tagged fields of a flexible header. */
  private static final int HEADER_BYTES_MAX = 9;

  private final BufferPool pool;
  private final PooledBuffer memory;
  private final ArrayList<OutputPart> parts = new ArrayList<>();
  private final ResponseWriter writer = new ResponseWriter(this);
  private long sizeBytes;

  /** Bytes of the memory before this index are already in {@link #parts}, or written. */
  private int sealed;

  ResponseBatch(BufferPool pool) {
    this.pool = pool;
    this.memory = pool.acquireUncharged(BUFFER_BYTES);
  }

  boolean isEmpty() {
    return sizeBytes == 0;
  }

  boolean isFull() {
    return sizeBytes >= FLUSH_BYTES;
  }

  /** Serialises a response; nothing is added when it fails. */
  void add(int correlationId, short headerVersion, ApiMessage body, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    MessageSizeAccumulator size = new MessageSizeAccumulator();
    body.addSize(size, cache, version);
    int headerBytes = headerVersion >= 1 ? 5 : 4;
    int frameBytes = Math.addExact(headerBytes, size.totalSize());
    int inMemoryBytes = size.sizeExcludingZeroCopy() + HEADER_BYTES_MAX;
    int partsBefore = parts.size();
    int positionBefore = memory.bytes.position();
    int sealedBefore = sealed;
    PooledBuffer overflow = null;
    if (inMemoryBytes > memory.bytes.remaining()) {
      seal();
      overflow = pool.acquire(inMemoryBytes);
    }
    try {
      ByteBuffer target = overflow == null ? memory.bytes : overflow.bytes;
      target.putInt(frameBytes).putInt(correlationId);
      if (headerVersion >= 1) {
        target.put((byte) 0);
      }
      writer.write(target, overflow, body, cache, version);
      sizeBytes += 4L + frameBytes;
    } catch (RuntimeException e) {
      while (parts.size() > partsBefore) {
        if (parts.removeLast() instanceof OutputPart.Bytes(_, PooledBuffer owner, _)
            && owner != null) {
          owner.release();
        }
      }
      memory.bytes.position(positionBefore);
      sealed = sealedBefore;
      throw e;
    } finally {
      if (overflow != null) {
        overflow.release();
      }
    }
  }

  /**
   * Sends the batch; what the socket does not take moves to {@code queue}, which is empty.
   *
   * @return the bytes written
   */
  long flush(Transport transport, OutputQueue queue) throws IOException {
    long written;
    if (parts.isEmpty()) {
      ByteBuffer bytes = memory.bytes.flip();
      written = transport.write(bytes);
      if (bytes.hasRemaining()) {
        queue.add(new OutputPart.Bytes(bytes, null, true));
        queue.leaveLoopBuffer(pool);
      }
    } else {
      seal();
      queue.addAll(parts);
      parts.clear();
      written = queue.writeTo(transport);
      queue.leaveLoopBuffer(pool);
    }
    reset();
    return written;
  }

  /** Forgets what has not been flushed. */
  void discard() {
    for (OutputPart part : parts) {
      if (part instanceof OutputPart.Bytes(_, PooledBuffer owner, _) && owner != null) {
        owner.release();
      }
    }
    reset();
  }

  void close() {
    discard();
    memory.release();
  }

  void addPart(OutputPart part) {
    parts.add(part);
  }

  /** Makes a part of what was written to the loop's memory since the last one. */
  void seal() {
    int end = memory.bytes.position();
    if (end > sealed) {
      parts.add(new OutputPart.Bytes(memory.bytes.slice(sealed, end - sealed), null, true));
      sealed = end;
    }
  }

  private void reset() {
    parts.clear();
    memory.bytes.clear();
    sealed = 0;
    sizeBytes = 0;
  }
}
