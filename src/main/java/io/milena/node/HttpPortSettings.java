package io.milena.node;

import io.milena.http.HttpSettings;
import io.milena.http.transport.HttpLimits;
import java.util.Optional;
import java.util.Set;

/** The settings of the HTTP port, out of a node's configuration. */
final class HttpPortSettings {

  private HttpPortSettings() {}

  static HttpSettings of(NodeConfig config) {
    return new HttpSettings(
        config.http().host(),
        config.http().port(),
        Set.copyOf(config.akka().getStringList("milena.http-port.cors-origins")),
        new HttpLimits(
            config.akka().getInt("milena.http-port.connections-max"),
            config.akka().getDuration("milena.http-port.head-timeout"),
            config.akka().getDuration("milena.http-port.idle-timeout"),
            config.akka().getDuration("milena.http-port.stall-timeout")));
  }

  /** {@code HOST:PORT} by which clients reach this node, if that is configured. */
  static Optional<String> advertised(NodeConfig config) {
    return Optional.of(config.akka().getString("milena.http-port.advertised"))
        .filter(address -> !address.isEmpty());
  }
}
