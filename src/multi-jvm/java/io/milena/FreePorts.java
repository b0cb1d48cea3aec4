package io.milena;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/**
 * Ports that stay free for a node while it is down between two lives: its Kafka port, and the port
 * for the other nodes 10,000 above it. Both are below those that the system gives to outgoing
 * connections, any of which could take one otherwise.
 */
public final class FreePorts {

  private static final int FIRST = 11_000;
  private static final int COUNT = 10_000;
  private static final int TO_CLUSTER_PORT = 10_000;

  /** Several builds may run on one machine: each looks from somewhere else on. */
  private static int next = (int) (ProcessHandle.current().pid() * 37 % COUNT);

  private FreePorts() {}

  /**
   * A Kafka port of the loopback interface that is free now and that this JVM has not given out.
   */
  public static synchronized int next() throws IOException {
    for (int i = 0; i < COUNT; i++) {
      int port = FIRST + next;
      next = (next + 1) % COUNT;
      try (ServerSocket kafka = new ServerSocket();
          ServerSocket cluster = new ServerSocket()) {
        kafka.bind(new InetSocketAddress("127.0.0.1", port));
        cluster.bind(new InetSocketAddress("127.0.0.1", port + TO_CLUSTER_PORT));
        return port;
      } catch (IOException taken) {
        // The next one, then.
      }
    }
    throw new IOException("no free port from " + FIRST + " on");
  }
}
