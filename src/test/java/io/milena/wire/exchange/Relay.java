package io.milena.wire.exchange;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Stands between two nodes, passes bytes on, and cuts its connections where a test says so. */
final class Relay implements AutoCloseable {
  private final int target;
  private final ServerSocket server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  /** How many bytes still pass, over all connections, before they are cut. */
  private final AtomicLong budgetBytes = new AtomicLong(Long.MAX_VALUE);

  Relay(int targetPort) throws IOException {
    this.target = targetPort;
    this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Cuts whatever is open after so many more bytes, once. */
  void cutAfter(long bytes) {
    budgetBytes.set(bytes);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket near = server.accept();
        Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
        near.setTcpNoDelay(true);
        far.setTcpNoDelay(true);
        open.add(near);
        open.add(far);
        Thread.ofVirtual().start(() -> pass(near, far));
        Thread.ofVirtual().start(() -> pass(far, near));
      } catch (IOException ended) {
        // The relay was closed, or its target is not there.
      }
    }
  }

  private void pass(Socket from, Socket to) {
    byte[] bytes = new byte[16 * 1024];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        long left = budgetBytes.addAndGet(-count);
        if (left <= 0) {
          // What still passes ends amid a frame, more often than not.
          out.write(bytes, 0, (int) Math.clamp(count + left, 0, count));
          budgetBytes.set(Long.MAX_VALUE);
          cut();
          return;
        }
        out.write(bytes, 0, count);
      }
    } catch (IOException ended) {
      // Both ends are closed.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  void cut() {
    for (Socket socket : open) {
      try {
        socket.close();
      } catch (IOException ignored) {
        // It is closed, then.
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }
}
