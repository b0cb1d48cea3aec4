package io.milena.http.peer;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;

/**
 * Asks other nodes by the Kafka protocol, at the listener that they are registered with. A node
 * that is asked serves the request itself or refuses it, and asks nobody else: there are no loops.
 *
 * <p>A request has a connection for itself until it is answered, so that a long one holds nobody
 * up; to each node there are at most {@value #CONNECTIONS_MAX}, and whoever needs one more waits
 * for it within its time. Waiting costs a virtual thread. Connections to a node that is fenced, or
 * begins a new life, end at once.
 */
public final class PeerCalls implements MetadataService.MetadataListener, AutoCloseable {

  private static final int CONNECTIONS_MAX = 128;
  private static final int CONNECT_TIMEOUT_MS = 5_000;

  /** A connection that was not used for so long may have been closed by its node. */
  private static final long IDLE_NANOS_MAX = TimeUnit.SECONDS.toNanos(60);

  private final MetadataService metadata;
  private final Map<Integer, Peer> peers = new ConcurrentHashMap<>();
  private final AtomicInteger correlations = new AtomicInteger();
  private final Executor threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("milena-http-peer-", 0).factory());

  public PeerCalls(MetadataService metadata) {
    this.metadata = metadata;
    metadata.subscribe(this);
  }

  /**
   * Asks a node.
   *
   * @param timeout for all of it
   * @return the answer, on a thread of this class; fails with a {@link NetworkException} when the
   *     node is not there, or goes before it has answered (what became of the request is then not
   *     known), and with a {@link TimeoutException}
   */
  public <T extends ApiMessage> CompletionStage<T> call(
      int nodeId,
      ApiKeys api,
      short version,
      String clientId,
      ApiMessage request,
      Class<T> answer,
      Duration timeout) {
    CompletableFuture<T> result = new CompletableFuture<>();
    threads.execute(() -> {
      try {
        result.complete(
            answer.cast(
                peer(nodeId)
                    .ask(
                        new RequestHeader(api, version, clientId, correlations.incrementAndGet()),
                        request,
                        System.nanoTime() + timeout.toNanos())));
      } catch (SocketTimeoutException late) {
        result.completeExceptionally(
            new TimeoutException("node " + nodeId + " did not answer within " + timeout));
      } catch (IOException failure) {
        result.completeExceptionally(
            new NetworkException(
                "node " + nodeId + " cannot be asked: " + failure.getMessage(), failure));
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        result.completeExceptionally(new NetworkException("interrupted", interrupted));
      } catch (RuntimeException failure) {
        result.completeExceptionally(failure);
      }
    });
    return result;
  }

  private Peer peer(int nodeId) throws IOException {
    NodeImage node = metadata.image().nodes().get(nodeId);
    if (node == null || node.fenced()) {
      throw new IOException("it is not there at the moment");
    }
    Peer peer =
        peers.compute(
            nodeId,
            (_, present) ->
                present != null && present.nodeEpoch == node.nodeEpoch()
                    ? present
                    : replaced(present, node));
    // It may have gone in between, when nobody looked for it any more.
    onImage(peer, metadata.image());
    return peer;
  }

  private static Peer replaced(@Nullable Peer former, NodeImage node) {
    if (former != null) {
      former.end();
    }
    return new Peer(node);
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    peers.values().forEach(peer -> onImage(peer, image));
  }

  private void onImage(Peer peer, MetadataImage image) {
    NodeImage node = image.nodes().get(peer.nodeId);
    if (node == null || node.fenced() || node.nodeEpoch() != peer.nodeEpoch) {
      peers.remove(peer.nodeId, peer);
      peer.end();
    }
  }

  /** Ends all connections; who waits for an answer is told so. */
  @Override
  public void close() {
    peers.values().forEach(Peer::end);
    peers.clear();
  }

  /** One life of another node. */
  private static final class Peer {

    final int nodeId;
    final long nodeEpoch;
    private final InetSocketAddress address;
    private final Semaphore free = new Semaphore(CONNECTIONS_MAX, true);
    private final ConcurrentLinkedDeque<PeerSocket> idle = new ConcurrentLinkedDeque<>();
    private final Set<PeerSocket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean ended;

    Peer(NodeImage node) {
      this.nodeId = node.id();
      this.nodeEpoch = node.nodeEpoch();
      NodeImage.Endpoint endpoint = node.endpoints().getFirst();
      this.address = InetSocketAddress.createUnresolved(endpoint.host(), endpoint.port());
    }

    ApiMessage ask(RequestHeader header, ApiMessage request, long deadlineNanos)
        throws IOException, InterruptedException {
      if (!free.tryAcquire(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new SocketTimeoutException("all connections to it are in use");
      }
      PeerSocket socket = null;
      boolean fine = false;
      try {
        socket = take();
        ApiMessage answer = socket.ask(header, request, deadlineNanos);
        fine = true;
        return answer;
      } finally {
        if (socket != null) {
          if (fine) {
            idle.push(socket);
          } else {
            open.remove(socket);
            socket.close();
          }
        }
        free.release();
      }
    }

    private PeerSocket take() throws IOException {
      for (PeerSocket known = idle.poll(); known != null; known = idle.poll()) {
        if (System.nanoTime() - known.usedNanos < IDLE_NANOS_MAX) {
          return known;
        }
        open.remove(known);
        known.close();
      }
      PeerSocket fresh = new PeerSocket();
      open.add(fresh);
      try {
        fresh.connect(
            new InetSocketAddress(address.getHostString(), address.getPort()), CONNECT_TIMEOUT_MS);
        if (ended) {
          throw new IOException("it has gone");
        }
        return fresh;
      } catch (IOException failure) {
        open.remove(fresh);
        fresh.close();
        throw failure;
      }
    }

    void end() {
      ended = true;
      open.forEach(PeerSocket::close);
    }
  }
}
