package io.milena.http.transport;

import io.milena.common.Clock;
import io.milena.log.FileRegion;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.function.Consumer;
import org.apache.kafka.common.network.TransferableChannel;
import org.jspecify.annotations.Nullable;

/**
 * One accepted connection. The stage that owns it reads and writes without blocking and asks to be
 * told when it can go on; the loop tells it, and of deadlines that have passed.
 */
public final class HttpSocket {

  /** What the loop tells the stage. */
  enum Signal {
    READABLE,
    WRITABLE,
    /** A deadline has passed, or the port is being closed. */
    EXPIRED
  }

  private static final long NEVER = Long.MAX_VALUE;

  private final SocketChannel channel;
  private final InetSocketAddress peer;
  private final SelectionKey key;
  private final HttpLimits limits;
  private final Clock clock;
  private final FileSends files = new FileSends();
  private final Sink sink;

  private volatile @Nullable Consumer<Signal> listener;
  private volatile long idleSince;
  private volatile long headSince = NEVER;
  private volatile long stalledSince = NEVER;
  private volatile boolean bodyOpen;
  private volatile boolean endless;
  private volatile long closeAt = NEVER;

  HttpSocket(SocketChannel channel, SelectionKey key, HttpLimits limits, Clock clock)
      throws IOException {
    this.channel = channel;
    this.key = key;
    this.limits = limits;
    this.clock = clock;
    this.peer = (InetSocketAddress) channel.getRemoteAddress();
    this.idleSince = clock.monotonicNanos();
    this.sink = new Sink(channel);
  }

  /** Address the connection comes from. */
  public InetSocketAddress peer() {
    return peer;
  }

  /** The file regions to be sent on this connection. */
  public FileSends files() {
    return files;
  }

  /** The headers of a request are complete: what follows is not a slow head. */
  public void headComplete() {
    headSince = NEVER;
  }

  /**
   * Says that the body of a request is still coming while its answer is being sent, or that it has
   * ended: what arrives meanwhile is no slow head either.
   */
  public void bodyOpen(boolean open) {
    bodyOpen = open;
  }

  /** The answer has no end: a peer that closes its half is gone, and does not wait for the rest. */
  public void endless() {
    endless = true;
  }

  boolean isEndless() {
    return endless;
  }

  void listen(Consumer<Signal> signals) {
    listener = signals;
  }

  void signal(Signal signal) {
    Consumer<Signal> told = listener;
    if (told != null) {
      told.accept(signal);
    }
  }

  /** Bytes read, 0 when there are none now, -1 at the end. */
  int read(ByteBuffer target) throws IOException {
    int count = channel.read(target);
    if (count > 0) {
      idleSince = clock.monotonicNanos();
    }
    return count;
  }

  void headBegins() {
    if (headSince == NEVER && !bodyOpen) {
      headSince = clock.monotonicNanos();
    }
  }

  long write(ByteBuffer[] buffers, int from) throws IOException {
    return sent(channel.write(buffers, from, buffers.length - from));
  }

  long transfer(FileRegion region, int offset, int length) throws IOException {
    return sent(region.writeTo(sink, offset, length));
  }

  private long sent(long count) {
    if (count > 0) {
      idleSince = clock.monotonicNanos();
      stalledSince = NEVER;
    }
    return count;
  }

  void awaitReadable() {
    await(SelectionKey.OP_READ);
  }

  void awaitWritable() {
    if (stalledSince == NEVER) {
      stalledSince = clock.monotonicNanos();
    }
    await(SelectionKey.OP_WRITE);
  }

  private void await(int operation) {
    if (key.isValid()) {
      var _ = key.interestOpsOr(operation);
      key.selector().wakeup();
    }
  }

  /** Sends the end of the stream; what the peer still sends is read and dropped for a while. */
  void finish(Duration lingering) throws IOException {
    channel.shutdownOutput();
    closeWithin(lingering);
  }

  /** Expires after this time, whatever happens on the connection. */
  void closeWithin(Duration time) {
    closeAt = clock.monotonicNanos() + time.toNanos();
  }

  /**
   * Why the connection has to end now, or null. A stalled one is not idle: it has its own limit.
   */
  @Nullable String expired(long now) {
    if (closeAt != NEVER && now - closeAt >= 0) {
      return "its time is up";
    }
    if (headSince != NEVER && now - headSince > limits.headTimeout().toNanos()) {
      return "the headers of a request took longer than " + limits.headTimeout();
    }
    if (stalledSince != NEVER) {
      return now - stalledSince > limits.stallTimeout().toNanos()
          ? "the client has read nothing for " + limits.stallTimeout()
          : null;
    }
    return now - idleSince > limits.idleTimeout().toNanos()
        ? "nothing came or went for " + limits.idleTimeout()
        : null;
  }

  void close() {
    try {
      channel.close();
    } catch (IOException ignored) {
      // The peer is gone already; there is nothing else to release.
    }
    key.cancel();
    key.selector().wakeup();
  }

  /** The socket as a file region wants it. */
  private record Sink(SocketChannel channel) implements TransferableChannel {
    @Override
    public boolean hasPendingWrites() {
      return false;
    }

    @Override
    public long transferFrom(FileChannel file, long position, long count) throws IOException {
      return file.transferTo(position, count, channel);
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
    public int write(ByteBuffer source) throws IOException {
      return channel.write(source);
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
}
