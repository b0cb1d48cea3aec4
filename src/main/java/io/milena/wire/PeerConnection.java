package io.milena.wire;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that this node opened to another, for private requests (see {@link
 * io.milena.wire.handler.PrivateApi}): requests out, answers in, in the same order. Lives on one
 * event loop; every method runs on its thread. It is opened once: who wants to try again opens
 * another.
 *
 * <p>Answers are handed over where they were read, see {@link AnswerFrames}. Requests that the
 * socket does not take wait in memory: nothing bounds them but the sender, who looks at {@link
 * #hasUnsent} first.
 */
public final class PeerConnection implements Runnable {

  /** What becomes of the connection. Everything is called on the loop's thread. */
  public interface Listener {
    /** Requests can be sent. */
    void connected();

    /**
     * An answer came.
     *
     * @param body of the answer, from its position to its limit
     * @param memory that the body lies in: retained by who needs it after this call
     */
    void answered(int correlationId, ByteBuffer body, ReceivedBytes memory);

    /** The socket has taken all requests that waited: see {@link PeerConnection#hasUnsent}. */
    void drained();

    /**
     * The connection has ended, or could not be opened; nothing else is called after it.
     *
     * @param reason one clause, for the log
     */
    void closed(String reason);
  }

  private static final int SIZE_FIELD_BYTES = AnswerFrames.SIZE_FIELD_BYTES;
  private static final int ANSWER_HEADER_BYTES = 4;

  private static final Logger log = LoggerFactory.getLogger(PeerConnection.class);

  private final NetworkLoop loop;
  private final InetSocketAddress address;
  private final Listener listener;
  private final SocketChannel channel;
  private final Transport transport;
  private final AnswerFrames frames;
  private final OutputQueue output = new OutputQueue();
  private @Nullable SelectionKey key;

  private boolean connected;
  private boolean closed;
  private long lastHeardNanos;

  private PeerConnection(
      NetworkLoop loop,
      InetSocketAddress address,
      int answerMaxBytes,
      Listener listener,
      SocketChannel channel) {
    this.loop = loop;
    this.address = address;
    this.listener = listener;
    this.channel = channel;
    this.transport = new PlainTransport(channel);
    this.frames = new AnswerFrames(loop.pool, ANSWER_HEADER_BYTES, answerMaxBytes, this::take);
    this.lastHeardNanos = loop.nowNanos();
  }

  /**
   * Begins to connect.
   *
   * @param address of a Kafka listener of the other node, resolved
   * @param answerMaxBytes largest answer taken, with its header
   * @throws IOException when it cannot even begin; the listener is told nothing then
   */
  public static PeerConnection connect(
      NetworkLoop loop, InetSocketAddress address, int answerMaxBytes, Listener listener)
      throws IOException {
    if (loop.isDraining()) {
      throw new IOException("this node stops");
    }
    SocketChannel channel = SocketChannel.open();
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      PeerConnection connection =
          new PeerConnection(loop, address, answerMaxBytes, listener, channel);
      boolean atOnce = channel.connect(address);
      connection.key =
          channel.register(
              loop.selector(), atOnce ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, connection);
      loop.peerOpened(connection);
      if (atOnce) {
        loop.execute(connection::onConnected);
      }
      return connection;
    } catch (UnresolvedAddressException e) {
      channel.close();
      throw new IOException("the name " + address.getHostString() + " is not known", e);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Whether requests wait for the socket to take them. */
  public boolean hasUnsent() {
    return !output.isEmpty();
  }

  /** When the peer was heard of last, by the loop's monotonic clock; at first, the creation. */
  public long lastHeardNanos() {
    return lastHeardNanos;
  }

  /**
   * Sends a request; does nothing once the connection has ended.
   *
   * @param body is copied
   */
  public void send(short apiKey, short version, int correlationId, ByteBuffer body) {
    if (closed || !connected) {
      return;
    }
    int sizeBytes = PrivateRequest.HEADER_BYTES + body.remaining();
    PooledBuffer frame = loop.pool.acquire(SIZE_FIELD_BYTES + sizeBytes);
    frame
        .bytes
        .clear()
        .putInt(sizeBytes)
        .putShort(apiKey)
        .putShort(version)
        .putInt(correlationId)
        .put(body)
        .flip();
    output.add(new OutputPart.Bytes(frame.bytes, frame, false));
    try {
      write();
    } catch (IOException e) {
      // Not from within the caller, who is not prepared for the end.
      loop.execute(() -> close(reason(e)));
    }
  }

  @Override
  public void run() {
    try {
      SelectionKey ready = key;
      if (closed || ready == null) {
        return;
      }
      if (!ready.isValid()) {
        close("its channel was closed");
        return;
      }
      int operations = ready.readyOps();
      if ((operations & SelectionKey.OP_CONNECT) != 0 && channel.finishConnect()) {
        ready.interestOps(SelectionKey.OP_READ);
        onConnected();
      }
      if ((operations & SelectionKey.OP_WRITE) != 0 && !closed) {
        write();
        if (output.isEmpty()) {
          listener.drained();
        }
      }
      if ((operations & SelectionKey.OP_READ) != 0 && !closed) {
        read();
      }
    } catch (IOException e) {
      close(reason(e));
    } catch (RuntimeException | Error e) {
      log.error("The connection to {} is closed: serving it failed", address, e);
      close("serving it failed");
    }
  }

  private void onConnected() {
    if (!closed) {
      connected = true;
      lastHeardNanos = loop.nowNanos();
      listener.connected();
    }
  }

  private void write() throws IOException {
    loop.metrics.bytesOut.add(output.writeTo(transport));
    SelectionKey registered = key;
    if (registered != null && registered.isValid()) {
      int wanted = SelectionKey.OP_READ | (output.isEmpty() ? 0 : SelectionKey.OP_WRITE);
      if (registered.interestOps() != wanted) {
        registered.interestOps(wanted);
      }
    }
  }

  private void read() throws IOException {
    long count = frames.read(transport, loop.readBuffer());
    if (count < 0) {
      close("it was closed by the other node");
      return;
    }
    loop.metrics.bytesIn.add(count);
    lastHeardNanos = loop.nowNanos();
    loop.renewReadBufferIfKept();
  }

  private boolean take(PooledBuffer memory, int from, int to) {
    ByteBuffer frame = memory.bytes.duplicate().clear().limit(to).position(from);
    int correlationId = frame.getInt();
    listener.answered(correlationId, frame, memory);
    return !closed;
  }

  /** Ends the connection; the listener is told the reason. Does nothing the second time. */
  public void close(String reason) {
    if (closed) {
      return;
    }
    closed = true;
    loop.peerClosed(this);
    if (key != null) {
      key.cancel();
    }
    try {
      transport.close();
    } catch (IOException e) {
      log.debug("Closing the connection to {} failed", address, e);
    }
    output.clear();
    frames.close();
    listener.closed(reason);
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
