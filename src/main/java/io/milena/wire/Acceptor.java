package io.milena.wire;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listening socket: hands each connection to the loop that serves the fewest. Runs on the thread
 * of one loop.
 */
final class Acceptor implements Runnable {
  /** Connections taken at once before the loop's other work has its turn. */
  private static final int ACCEPTS_MAX = 64;

  /** How long to leave new connections in the backlog after accepting failed. */
  private static final long RETRY_MS = 1_000;

  private static final Logger log = LoggerFactory.getLogger(Acceptor.class);

  private final KafkaServer server;
  private final ListenAddress address;
  private final ServerSocketChannel channel;
  private final NetworkLoop loop;
  private final SelectionKey key;

  private Acceptor(
      KafkaServer server, ListenAddress address, ServerSocketChannel channel, NetworkLoop loop)
      throws IOException {
    this.server = server;
    this.address = address;
    this.channel = channel;
    this.loop = loop;
    this.key = channel.register(loop.selector(), 0, this);
  }

  static Acceptor bind(
      KafkaServer server, ListenAddress address, WireConfig config, NetworkLoop loop)
      throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      if (config.receiveBufferBytes() > 0) {
        channel.setOption(StandardSocketOptions.SO_RCVBUF, config.receiveBufferBytes());
      }
      InetSocketAddress local =
          address.host().isEmpty()
              ? new InetSocketAddress(address.port())
              : new InetSocketAddress(InetAddress.getByName(address.host()), address.port());
      channel.bind(local, config.backlog());
      return new Acceptor(server, address, channel, loop);
    } catch (BindException e) {
      channel.close();
      throw bindFailure(address, e);
    } catch (IOException e) {
      channel.close();
      throw new IOException("Cannot listen on " + address + ": " + e.getMessage(), e);
    }
  }

  private static BindException bindFailure(ListenAddress address, BindException cause) {
    String text = cause.getMessage() == null ? "" : cause.getMessage();
    BindException failure =
        new BindException(
            text.contains("in use")
                ? "Kafka port %s is in use by another process: stop it or choose another with --kafka HOST:PORT"
                    .formatted(address)
                : "Cannot listen on %s (%s): choose another address with --kafka HOST:PORT"
                    .formatted(address, text));
    failure.initCause(cause);
    return failure;
  }

  int port() {
    return channel.socket().getLocalPort();
  }

  String listenerName() {
    return address.listenerName();
  }

  /** Takes connections, or leaves them in the backlog; from any thread. */
  void accepting(boolean accepts) {
    loop.execute(() -> {
      if (key.isValid()) {
        key.interestOps(accepts ? SelectionKey.OP_ACCEPT : 0);
      }
    });
  }

  @Override
  public void run() {
    for (int i = 0; i < ACCEPTS_MAX && server.hasRoomForConnection(); i++) {
      try {
        SocketChannel accepted = channel.accept();
        if (accepted == null) {
          return;
        }
        server.accepted(accepted, listenerName());
        long waitMs = server.waitAfterConnectionMs();
        if (waitMs > 0) {
          key.interestOps(0);
          loop.schedule(waitMs, () -> accepting(true));
          return;
        }
      } catch (ClosedChannelException e) {
        // The server is stopping.
        return;
      } catch (IOException e) {
        log.warn(
            "Accepting a connection on {}:{} failed ({}); trying again in {} ms",
            address.host(),
            port(),
            e.getMessage(),
            RETRY_MS);
        key.interestOps(0);
        loop.schedule(RETRY_MS, () -> accepting(true));
        return;
      }
    }
    if (!server.hasRoomForConnection() && key.isValid()) {
      key.interestOps(0);
      server.backlogged();
    }
  }

  void close() {
    key.cancel();
    try {
      channel.close();
    } catch (IOException e) {
      log.warn("The listener on {} could not be closed", address, e);
    }
  }
}
