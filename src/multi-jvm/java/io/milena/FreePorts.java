package io.milena;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/**
 * Ports that stay free for a node while it is down between two lives: below those that the system
 * gives to outgoing connections, any of which could take one otherwise.
 */
public final class FreePorts {

  private static final int FIRST = 24_000;
  private static final int COUNT = 8_000;

  /** Several builds may run on one machine: each looks from somewhere else on. */
  private static int next = (int) (ProcessHandle.current().pid() * 37 % COUNT);

  private FreePorts() {}

  /** A port of the loopback interface that is free now and that this JVM has not given out. */
  public static synchronized int next() throws IOException {
    for (int i = 0; i < COUNT; i++) {
      int port = FIRST + next;
      next = (next + 1) % COUNT;
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress("127.0.0.1", port));
        return port;
      } catch (IOException taken) {
        // The next one, then.
      }
    }
    throw new IOException("no free port from " + FIRST + " on");
  }
}
