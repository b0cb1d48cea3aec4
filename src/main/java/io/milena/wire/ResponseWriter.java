package io.milena.wire;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.TransferableRecords;
import org.apache.kafka.common.record.internal.UnalignedMemoryRecords;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.jspecify.annotations.Nullable;

/**
 * Writes a response body into memory and leaves records where they are: as parts of the batch of
 * their own, between the bytes before and after them.
 */
final class ResponseWriter implements Writable {
  private static final ByteBuffer NONE = ByteBuffer.allocate(0);

  private final ResponseBatch batch;
  private ByteBuffer target = NONE;
  private @Nullable PooledBuffer overflow;
  private int overflowSealed;
  private long partsBytes;

  ResponseWriter(ResponseBatch batch) {
    this.batch = batch;
  }

  /**
   * @param target has room for all of the body that is not records or a zero-copy field
   * @param overflow the owner of {@code target} when that is not the loop's memory; each part made
   *     of it holds it once
   * @return bytes that were left where they are, and so are not in {@code target}
   */
  long write(ByteBuffer target, @Nullable PooledBuffer overflow, Consumer<Writable> body) {
    this.target = target;
    this.overflow = overflow;
    this.overflowSealed = 0;
    this.partsBytes = 0;
    try {
      body.accept(this);
      if (overflow != null) {
        seal();
      }
      return partsBytes;
    } finally {
      this.target = NONE;
      this.overflow = null;
    }
  }

  @Override
  public void writeRecords(BaseRecords records) {
    switch (records) {
      case MemoryRecords memory -> writeByteBuffer(memory.buffer());
      case UnalignedMemoryRecords memory -> writeByteBuffer(memory.buffer());
      case TransferableRecords file -> {
        if (file.sizeInBytes() > 0) {
          seal();
          partsBytes += file.sizeInBytes();
          batch.addPart(new OutputPart.Region(file));
        }
      }
      default ->
          throw new IllegalArgumentException(
              "Records that cannot be sent as they are: " + records.getClass().getName());
    }
  }

  @Override
  public void writeByteBuffer(ByteBuffer bytes) {
    if (bytes.hasRemaining()) {
      seal();
      partsBytes += bytes.remaining();
      batch.addPart(new OutputPart.Bytes(bytes.duplicate(), null, false));
    }
  }

  private void seal() {
    PooledBuffer owner = overflow;
    if (owner == null) {
      batch.seal();
      return;
    }
    int end = target.position();
    if (end > overflowSealed) {
      ByteBuffer bytes = target.slice(overflowSealed, end - overflowSealed);
      batch.addPart(new OutputPart.Bytes(bytes, Objects.requireNonNull(owner).retain(), false));
      overflowSealed = end;
    }
  }

  @Override
  public void writeByte(byte value) {
    target.put(value);
  }

  @Override
  public void writeShort(short value) {
    target.putShort(value);
  }

  @Override
  public void writeInt(int value) {
    target.putInt(value);
  }

  @Override
  public void writeLong(long value) {
    target.putLong(value);
  }

  @Override
  public void writeDouble(double value) {
    target.putDouble(value);
  }

  @Override
  public void writeByteArray(byte[] value) {
    target.put(value);
  }

  @Override
  public void writeUnsignedVarint(int value) {
    ByteUtils.writeUnsignedVarint(value, target);
  }

  @Override
  public void writeVarint(int value) {
    ByteUtils.writeVarint(value, target);
  }

  @Override
  public void writeVarlong(long value) {
    ByteUtils.writeVarlong(value, target);
  }
}
