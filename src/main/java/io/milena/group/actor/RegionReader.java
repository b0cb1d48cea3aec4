package io.milena.group.actor;

import io.milena.log.FileRegion;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Reads a file region into memory, by way of the one thing a region can do: write to a channel. */
public final class RegionReader implements TransferableChannel {

  private final ByteBuffer buffer;

  private RegionReader(int sizeBytes) {
    buffer = ByteBuffer.allocate(sizeBytes);
  }

  /** The batches of the region; a last partial one is left out by whoever iterates them. */
  public static MemoryRecords read(FileRegion region) throws IOException {
    int sizeBytes = region.sizeInBytes();
    RegionReader reader = new RegionReader(sizeBytes);
    int position = 0;
    while (position < sizeBytes) {
      int written = region.writeTo(reader, position, sizeBytes - position);
      if (written <= 0) {
        throw new EOFException("region of " + sizeBytes + " bytes ended after " + position);
      }
      position += written;
    }
    return MemoryRecords.readableRecords(reader.buffer.flip());
  }

  @Override
  public long transferFrom(FileChannel file, long position, long count) throws IOException {
    ByteBuffer target = buffer.slice(buffer.position(), (int) Math.min(count, buffer.remaining()));
    int read = file.read(target, position);
    if (read > 0) {
      buffer.position(buffer.position() + read);
    }
    return Math.max(0, read);
  }

  @Override
  public int write(ByteBuffer source) {
    int sizeBytes = Math.min(source.remaining(), buffer.remaining());
    buffer.put(source.slice(source.position(), sizeBytes));
    source.position(source.position() + sizeBytes);
    return sizeBytes;
  }

  @Override
  public long write(ByteBuffer[] sources, int offset, int length) {
    long total = 0;
    for (int i = offset; i < offset + length; i++) {
      total += write(sources[i]);
    }
    return total;
  }

  @Override
  public long write(ByteBuffer[] sources) {
    return write(sources, 0, sources.length);
  }

  @Override
  public boolean hasPendingWrites() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() {}
}
