package io.milena.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;

/** A TCP connection without encryption; file regions go from the page cache to the socket. */
final class PlainTransport implements Transport {
  private final SocketChannel channel;
  private final ByteBuffer[] pair = new ByteBuffer[2];

  PlainTransport(SocketChannel channel) {
    this.channel = channel;
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    return channel.read(target);
  }

  @Override
  public long read(ByteBuffer first, ByteBuffer rest) throws IOException {
    pair[0] = first;
    pair[1] = rest;
    return channel.read(pair);
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    return channel.write(source);
  }

  @Override
  public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
    return channel.write(sources, offset, length);
  }

  @Override
  public long write(ByteBuffer[] sources) throws IOException {
    return channel.write(sources);
  }

  @Override
  public long transferFrom(FileChannel file, long positionBytes, long countBytes)
      throws IOException {
    return file.transferTo(positionBytes, countBytes, channel);
  }

  /** Nothing is held back here: what a write did not take is still the caller's. */
  @Override
  public boolean hasPendingWrites() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
