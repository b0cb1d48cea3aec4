package io.milena.cluster;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService.MetadataListener;
import io.milena.metadata.NodeImage;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Notices at once when another node's process ends: holds an idle connection to the Kafka listener
 * of every other live node, and when it breaks and a new one is refused, the process is gone for
 * certain. What cannot be reached for another reason is not: the metadata leader's silence timeout
 * decides about that.
 *
 * <p>A virtual thread for each node, which sleeps in a read of its socket.
 */
public final class NodeWatch implements MetadataListener, AutoCloseable {

  private static final int CONNECT_TIMEOUT_MS = 1_000;

  /** A process that ends may take connections for a moment longer than it keeps them. */
  private static final int QUICK_RETRIES = 10;

  private static final long QUICK_RETRY_MS = 20;
  private static final long RETRY_MS = 1_000;

  private final int self;
  private final IntConsumer gone;
  private final Map<Integer, Watched> watched = new HashMap<>();
  private boolean closed;

  /**
   * @param gone told the id of a node whose process has ended, once for each life of it; on another
   *     thread
   */
  public NodeWatch(int self, IntConsumer gone) {
    this.self = self;
    this.gone = gone;
  }

  @Override
  public synchronized void onImage(MetadataDelta delta, MetadataImage image) {
    for (int nodeId : delta.nodes()) {
      NodeImage node = liveOther(image, nodeId);
      Watched before = watched.get(nodeId);
      if (before != null && node != null && before.nodeEpoch == node.nodeEpoch()) {
        continue;
      }
      if (before != null) {
        watched.remove(nodeId);
        before.end();
      }
      if (node != null) {
        Watched begun = new Watched(node);
        watched.put(nodeId, begun);
        Thread.ofVirtual().name("milena-watch-" + nodeId).start(begun::run);
      }
    }
  }

  private @Nullable NodeImage liveOther(MetadataImage image, int nodeId) {
    NodeImage node = image.nodes().get(nodeId);
    return node == null || node.fenced() || nodeId == self || closed ? null : node;
  }

  @Override
  public synchronized void close() {
    closed = true;
    watched.values().forEach(Watched::end);
    watched.clear();
  }

  /** One life of a node. */
  private final class Watched {

    private final int nodeId;
    private final long nodeEpoch;
    private final String host;
    private final int port;
    private volatile boolean ended;
    private volatile @Nullable Socket open;

    Watched(NodeImage node) {
      nodeId = node.id();
      nodeEpoch = node.nodeEpoch();
      host = node.endpoints().getFirst().host();
      port = node.endpoints().getFirst().port();
    }

    void end() {
      ended = true;
      Socket socket = open;
      if (socket != null) {
        closeQuietly(socket);
      }
    }

    void run() {
      boolean wasConnected = false;
      int retries = 0;
      while (!ended) {
        long begunNanos = System.nanoTime();
        try (Socket socket = new Socket()) {
          open = socket;
          socket.connect(new InetSocketAddress(host, port), CONNECT_TIMEOUT_MS);
          wasConnected = true;
          awaitEnd(socket);
        } catch (ConnectException failure) {
          if (wasConnected && isRefused(failure) && !ended) {
            gone.accept(nodeId);
            return;
          }
        } catch (IOException unreachable) {
          // The silence timeout is for that.
        }
        boolean lasted = System.nanoTime() - begunNanos > TimeUnit.SECONDS.toNanos(1);
        retries = lasted && wasConnected ? 0 : retries + 1;
        if (retries > 0) {
          pause(retries > QUICK_RETRIES ? RETRY_MS : QUICK_RETRY_MS);
        }
      }
    }

    private void awaitEnd(Socket socket) throws IOException {
      while (!ended && socket.getInputStream().read() >= 0) {
        // A node says nothing unasked.
      }
    }
  }

  private static boolean isRefused(ConnectException failure) {
    return String.valueOf(failure.getMessage()).contains("refused");
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException ignored) {
      // It is of no use any more either way.
    }
  }
}
