package io.milena.wire;

import io.milena.common.Clock;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Kafka listeners of a node and the event loops that serve their connections. Thread-safe.
 *
 * <p>{@link #bind} reserves the ports, so that they are known (and taken) before the node is ready;
 * {@link #start} begins to serve.
 */
public final class KafkaServer {
  private static final Logger log = LoggerFactory.getLogger(KafkaServer.class);

  private final WireConfig config;
  private final Clock clock;
  private final WireMetrics metrics = new WireMetrics();
  private final BufferPool pool;
  private final PeerLog peerLog;
  private final List<NetworkLoop> loops = new ArrayList<>();
  private final List<Acceptor> acceptors = new ArrayList<>();

  // Guarded by this.
  private final Map<InetAddress, Integer> connectionsByIp = new HashMap<>();
  private final ConnectionRate rate = new ConnectionRate();
  private ConnectionLimits limits;
  private int connections;
  private long nextConnectionId;
  private boolean backlogged;
  private boolean started;
  private boolean stopped;

  private KafkaServer(WireConfig config, Clock clock) {
    this.config = config;
    this.clock = clock;
    this.limits = config.connections();
    this.pool = new BufferPool(config.queuedRequestMaxBytes());
    this.peerLog = new PeerLog(clock, tell -> loops.getFirst().schedule(PeerLog.INTERVAL_MS, tell));
  }

  /**
   * Takes the ports; clients that connect wait until {@link #start}.
   *
   * @param handlers at most one for each API; the APIs that are served
   * @param privateApis at most one for each key; what other nodes may ask
   * @throws IOException when an address cannot be listened on, with a message that says which and
   *     what to do
   */
  public static KafkaServer bind(
      List<ListenAddress> addresses,
      Collection<? extends ApiHandler> handlers,
      Collection<? extends PrivateApi> privateApis,
      WireConfig config,
      Clock clock)
      throws IOException {
    KafkaServer server = new KafkaServer(config, clock);
    Dispatcher dispatcher = new Dispatcher(handlers, privateApis);
    try {
      for (int i = 0; i < config.networkThreads(); i++) {
        server.loops.add(
            new NetworkLoop(
                i,
                config,
                dispatcher,
                server.pool,
                server.peerLog,
                server.metrics,
                clock,
                server::connectionClosed));
      }
      for (ListenAddress address : addresses) {
        NetworkLoop loop = server.loops.get(server.acceptors.size() % server.loops.size());
        server.acceptors.add(Acceptor.bind(server, address, config, loop));
      }
      return server;
    } catch (IOException | RuntimeException e) {
      server.start();
      server.stop(0).join();
      throw e;
    }
  }

  /** Begins to accept and serve connections. */
  public synchronized void start() {
    if (!started) {
      started = true;
      loops.forEach(NetworkLoop::start);
      acceptors.forEach(acceptor -> acceptor.accepting(true));
    }
  }

  /** The ports listened on, by listener name, in the order of the addresses. */
  public Map<String, Integer> ports() {
    Map<String, Integer> ports = new LinkedHashMap<>();
    acceptors.forEach(acceptor -> ports.put(acceptor.listenerName(), acceptor.port()));
    return ports;
  }

  /** The event loops, for those who run their work on them. */
  public List<NetworkLoop> loops() {
    return List.copyOf(loops);
  }

  /** The counters of the listeners. */
  public WireMetrics.Snapshot metrics() {
    return metrics.snapshot(pool.usedBytes());
  }

  /**
   * Accepts no more, answers the requests that were started, and closes each connection as soon as
   * that is done.
   *
   * @param timeoutMs after which connections are closed all the same
   * @return completes when everything is closed
   */
  public CompletableFuture<@Nullable Void> stop(long timeoutMs) {
    synchronized (this) {
      if (!stopped) {
        stopped = true;
        start();
        acceptors.forEach(Acceptor::close);
        loops.forEach(loop -> loop.drainAndStop(timeoutMs));
      }
    }
    return CompletableFuture.allOf(
        loops.stream().map(NetworkLoop::ended).toArray(CompletableFuture<?>[]::new));
  }

  /** Buffers that have not come back; 0 once everything has stopped. */
  int outstandingBuffers() {
    return pool.outstanding();
  }

  /** Other limits of new connections from now on. */
  public void limit(ConnectionLimits newest) {
    synchronized (this) {
      limits = newest;
    }
    resumeAccepting();
  }

  synchronized boolean hasRoomForConnection() {
    return connections < limits.max();
  }

  /** One more was accepted; milliseconds that the next one has to wait. */
  synchronized long waitAfterConnectionMs() {
    return rate.count(limits.perSecond(), clock.monotonicNanos());
  }

  /** An acceptor stopped accepting because {@code max.connections} are open. */
  void backlogged() {
    boolean room;
    synchronized (this) {
      backlogged = true;
      room = hasRoomForConnection();
    }
    if (room) {
      resumeAccepting();
    }
  }

  private void resumeAccepting() {
    synchronized (this) {
      if (!backlogged || stopped) {
        return;
      }
      backlogged = false;
    }
    acceptors.forEach(acceptor -> acceptor.accepting(true));
  }

  /** Gives a new connection to a loop, or closes it. On an acceptor's thread. */
  void accepted(SocketChannel channel, String listenerName) throws IOException {
    InetSocketAddress peer;
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      if (config.sendBufferBytes() > 0) {
        channel.setOption(StandardSocketOptions.SO_SNDBUF, config.sendBufferBytes());
      }
      peer = (InetSocketAddress) channel.getRemoteAddress();
    } catch (IOException e) {
      // The client is gone already; the listener is not at fault.
      channel.close();
      return;
    }
    if (peer == null) {
      channel.close();
      return;
    }
    long id;
    int ofPeerMax;
    synchronized (this) {
      int ofPeer = connectionsByIp.getOrDefault(peer.getAddress(), 0);
      ofPeerMax = limits.of(peer.getAddress());
      if (ofPeer >= ofPeerMax) {
        id = -1;
      } else {
        id = nextConnectionId++;
        connectionsByIp.put(peer.getAddress(), ofPeer + 1);
        connections++;
      }
    }
    if (id < 0) {
      metrics.connectionsRefused.increment();
      peerLog.warn(
          peer.getHostString(),
          "Connection of %s is closed: %d of its address are open, as max.connections.per.ip allows"
              .formatted(peer, ofPeerMax));
      channel.close();
      return;
    }
    metrics.connectionsAccepted.increment();
    NetworkLoop loop = loopForNext(id);
    if (loop == null) {
      peerLog.warn(
          peer.getHostString(),
          "Connection of %s is closed: no network thread is left; restart the node"
              .formatted(peer));
      closeQuietly(channel);
      released(peer);
      return;
    }
    loop.execute(() -> {
      try {
        loop.adopt(channel, id, peer, listenerName);
      } catch (IOException e) {
        // Reset by the client before it was served.
        closeQuietly(channel);
        released(peer);
      }
    });
  }

  private static void closeQuietly(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("A channel could not be closed", e);
    }
  }

  /** The loop with the fewest connections, in turn among equals; null when all have ended. */
  private @Nullable NetworkLoop loopForNext(long id) {
    int first = (int) (id % loops.size());
    NetworkLoop best = null;
    for (int i = 0; i < loops.size(); i++) {
      NetworkLoop loop = loops.get((first + i) % loops.size());
      // One that has ended has no connections and would be taken for the idlest.
      if (!loop.ended().isDone()
          && (best == null || loop.connectionCount() < best.connectionCount())) {
        best = loop;
      }
    }
    return best;
  }

  private void connectionClosed(Connection connection) {
    released(connection.peer);
  }

  private void released(InetSocketAddress peer) {
    boolean resumes;
    synchronized (this) {
      connections--;
      connectionsByIp.computeIfPresent(
          peer.getAddress(), (_, count) -> count == 1 ? null : count - 1);
      resumes = backlogged;
    }
    metrics.connectionsClosed.increment();
    if (resumes) {
      resumeAccepting();
    }
  }
}
