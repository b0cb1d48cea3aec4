package io.milena.http.transport;

import io.milena.common.Clock;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread of the HTTP port: accepts, says which sockets are ready, and once a second looks
 * for those whose time is up. It moves no bytes; the stages of the connections do.
 */
public final class HttpLoop {

  private static final Logger LOG = LoggerFactory.getLogger(HttpLoop.class);
  private static final int BACKLOG = 1024;
  private static final long LOOK_INTERVAL_MS = 500;
  private static final Duration STOP_GRACE = Duration.ofMillis(500);

  private final Selector selector;
  private final ServerSocketChannel listener;
  private final InetSocketAddress address;
  private final HttpLimits limits;
  private final Clock clock;
  private final Consumer<HttpSocket> accepted;
  private final Thread thread;

  private volatile int connections;
  private volatile boolean stopping;

  private HttpLoop(
      Selector selector,
      ServerSocketChannel listener,
      HttpLimits limits,
      Clock clock,
      Consumer<HttpSocket> accepted)
      throws IOException {
    this.selector = selector;
    this.listener = listener;
    this.address = (InetSocketAddress) listener.getLocalAddress();
    this.limits = limits;
    this.clock = clock;
    this.accepted = accepted;
    this.thread = Thread.ofPlatform().daemon().name("milena-http").unstarted(this::run);
  }

  /**
   * Listens; {@link #start} has it accept.
   *
   * @param accepted takes each connection, on the thread of the loop; must not block
   * @throws IOException when the address cannot be listened on
   */
  public static HttpLoop bind(
      InetSocketAddress address, HttpLimits limits, Clock clock, Consumer<HttpSocket> accepted)
      throws IOException {
    Selector selector = Selector.open();
    ServerSocketChannel listener = ServerSocketChannel.open();
    try {
      listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      listener.bind(address, BACKLOG);
      listener.configureBlocking(false);
      listener.register(selector, SelectionKey.OP_ACCEPT);
      return new HttpLoop(selector, listener, limits, clock, accepted);
    } catch (IOException | RuntimeException failure) {
      listener.close();
      selector.close();
      throw failure;
    }
  }

  /** Begins to accept. */
  public void start() {
    thread.start();
  }

  /** Where it listens, with the port it got. */
  public InetSocketAddress address() {
    return address;
  }

  /** Connections that are open now. */
  public int connections() {
    return connections;
  }

  /** Stops listening, gives connections half a second, ends them, and waits for the end. */
  public void stop() {
    stopping = true;
    selector.wakeup();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      long lookedAt = clock.monotonicNanos();
      while (!stopping) {
        // Nobody connected: nothing to look for, and no reason to wake up.
        if (connections == 0) {
          selector.select(this::ready);
        } else {
          selector.select(this::ready, LOOK_INTERVAL_MS);
        }
        long now = clock.monotonicNanos();
        if (now - lookedAt > TimeUnit.MILLISECONDS.toNanos(LOOK_INTERVAL_MS)) {
          lookedAt = now;
          look(now);
        }
        count();
      }
      end();
    } catch (IOException failure) {
      LOG.error("the HTTP port has failed and serves no longer", failure);
    } finally {
      closeAll();
    }
  }

  private void ready(SelectionKey key) {
    if (key.attachment() instanceof HttpSocket socket) {
      int ready;
      try {
        ready = key.readyOps();
        var _ = key.interestOpsAnd(~ready);
      } catch (java.nio.channels.CancelledKeyException closed) {
        return;
      }
      if ((ready & SelectionKey.OP_READ) != 0) {
        socket.signal(HttpSocket.Signal.READABLE);
      }
      if ((ready & SelectionKey.OP_WRITE) != 0) {
        socket.signal(HttpSocket.Signal.WRITABLE);
      }
    } else {
      accept();
    }
  }

  private void accept() {
    try {
      for (SocketChannel channel = listener.accept();
          channel != null;
          channel = listener.accept()) {
        admit(channel);
      }
    } catch (IOException failure) {
      // Out of file descriptors, for example: those who come later may have more luck.
      LOG.warn("a connection to the HTTP port could not be accepted: {}", failure.toString());
    }
  }

  private void admit(SocketChannel channel) throws IOException {
    @Nullable HttpSocket socket = null;
    try {
      if (selector.keys().size() > limits.connectionsMax()) {
        LOG.debug("{} HTTP connections are open: one more is refused", limits.connectionsMax());
        return;
      }
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      SelectionKey key = channel.register(selector, 0);
      socket = new HttpSocket(channel, key, limits, clock);
      key.attach(socket);
      connections = selector.keys().size() - 1;
      accepted.accept(socket);
    } catch (IOException | RuntimeException failure) {
      LOG.debug("a connection to the HTTP port was gone at once: {}", failure.toString());
      socket = null;
    } finally {
      if (socket == null) {
        channel.close();
      }
    }
  }

  private void look(long now) {
    for (SelectionKey key : selector.keys()) {
      if (key.attachment() instanceof HttpSocket socket) {
        String reason = socket.expired(now);
        if (reason != null) {
          LOG.debug("HTTP connection from {} is closed: {}", socket.peer(), reason);
          socket.signal(HttpSocket.Signal.EXPIRED);
        }
      }
    }
  }

  private void count() {
    connections = (int) selector.keys().stream().filter(key -> key.attachment() != null).count();
  }

  private void end() throws IOException {
    listener.close();
    for (SelectionKey key : selector.keys()) {
      if (key.attachment() instanceof HttpSocket socket) {
        socket.closeWithin(STOP_GRACE);
      }
    }
    long deadline = clock.monotonicNanos() + 4 * STOP_GRACE.toNanos();
    for (count(); connections > 0 && clock.monotonicNanos() - deadline < 0; count()) {
      selector.select(this::ready, STOP_GRACE.toMillis() / 4);
      look(clock.monotonicNanos());
    }
  }

  private void closeAll() {
    try {
      listener.close();
      for (SelectionKey key : selector.keys()) {
        key.channel().close();
      }
      selector.close();
    } catch (IOException failure) {
      LOG.debug("closing the HTTP port: {}", failure.toString());
    }
  }
}
