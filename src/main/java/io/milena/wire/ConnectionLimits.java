package io.milena.wire;

import java.net.InetAddress;
import java.util.Map;

/**
 * How many connections the Kafka listeners take; may change while they serve. Connections that are
 * open already stay.
 *
 * @param max {@code max.connections}: while so many are open, new ones wait in the backlog
 * @param perIp {@code max.connections.per.ip}: further ones from the address are closed at once
 * @param perIpOverrides {@code max.connections.per.ip.overrides}: what holds for single addresses
 * @param perSecond {@code max.connection.creation.rate}: faster ones wait in the backlog
 */
public record ConnectionLimits(
    int max, int perIp, Map<InetAddress, Integer> perIpOverrides, int perSecond) {

  /** Kafka's defaults: no limit. */
  public static final ConnectionLimits NONE =
      new ConnectionLimits(Integer.MAX_VALUE, Integer.MAX_VALUE, Map.of(), Integer.MAX_VALUE);

  public ConnectionLimits {
    perIpOverrides = Map.copyOf(perIpOverrides);
    WireConfig.atLeast("max.connections", max, 1);
    WireConfig.atLeast("max.connections.per.ip", perIp, 0);
    perIpOverrides
        .values()
        .forEach(count -> WireConfig.atLeast("max.connections.per.ip.overrides", count, 0));
    WireConfig.atLeast("max.connection.creation.rate", perSecond, 1);
  }

  int of(InetAddress peer) {
    return perIpOverrides.getOrDefault(peer, perIp);
  }
}
