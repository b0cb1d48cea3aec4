package io.milena.wire;

import io.milena.wire.handler.PrivateAnswer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Writable;

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
    boolean flexible = headerVersion >= 1;
    int frameBytes = Math.addExact(flexible ? 5 : 4, size.totalSize());
    add(
        correlationId,
        frameBytes,
        size.sizeExcludingZeroCopy(),
        out -> {
          if (flexible) {
            out.writeByte((byte) 0);
          }
          body.write(out, cache, version);
        });
  }

  /** Serialises an answer of a private API; nothing is added when it fails. */
  void add(int correlationId, PrivateAnswer answer) {
    int memoryBytes = answer.memoryBytes();
    int frameBytes = Math.addExact(4, Math.addExact(memoryBytes, answer.recordsBytes()));
    add(correlationId, frameBytes, memoryBytes, answer::write);
  }

  /**
   * @param frameBytes of the whole frame, without its size field
   * @param inMemoryBytes of the body
   */
  private void add(int correlationId, int frameBytes, int inMemoryBytes, Consumer<Writable> body) {
    int partsBefore = parts.size();
    int positionBefore = memory.bytes.position();
    int sealedBefore = sealed;
    PooledBuffer overflow = null;
    if (inMemoryBytes + HEADER_BYTES_MAX > memory.bytes.remaining()) {
      seal();
      overflow = pool.acquire(inMemoryBytes + HEADER_BYTES_MAX);
    }
    try {
      ByteBuffer target = overflow == null ? memory.bytes : overflow.bytes;
      int start = target.position();
      target.putInt(frameBytes).putInt(correlationId);
      long partsBytes = writer.write(target, overflow, body);
      if (target.position() - start + partsBytes != 4L + frameBytes) {
        throw new IllegalStateException(
            "An answer of %d bytes was announced with %d"
                .formatted(target.position() - start + partsBytes, 4L + frameBytes));
      }
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
