package io.milena.wire;

/**
 * Where a listener accepts connections.
 *
 * @param listenerName as in {@code advertised.listeners}
 * @param host name or address of the interface to bind; empty for all of them
 * @param port 0 for any free one
 */
public record ListenAddress(String listenerName, String host, int port) {

  public ListenAddress {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("Port " + port + " is not between 0 and 65535");
    }
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
