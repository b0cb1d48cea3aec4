package io.milena.http;

import io.milena.http.transport.HttpLimits;
import java.util.Set;

/**
 * How the HTTP port is to be.
 *
 * @param host to listen on; empty for every interface
 * @param port 0 for any that is free
 * @param corsOrigins origins of web pages that may use it; none by default
 * @param limits of connections
 */
public record HttpSettings(String host, int port, Set<String> corsOrigins, HttpLimits limits) {

  public HttpSettings {
    corsOrigins = Set.copyOf(corsOrigins);
  }
}
