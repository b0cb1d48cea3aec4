package io.milena.node;

import io.milena.replication.actor.CleanerSettings;
import io.milena.wire.ConnectionLimits;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What parts of a node are told of its effective configuration, whose values have been checked. */
final class NodeSettings {

  private static final Logger LOG = LoggerFactory.getLogger(NodeSettings.class);

  private NodeSettings() {}

  static CleanerSettings cleaner(Map<String, String> values) {
    return new CleanerSettings(
        Boolean.parseBoolean(value(values, "log.cleaner.enable")),
        number(values, "log.cleaner.threads"),
        Duration.ofMillis(Long.parseLong(value(values, "log.cleaner.backoff.ms"))),
        Long.parseLong(value(values, "log.cleaner.dedupe.buffer.size")),
        Double.parseDouble(value(values, "log.cleaner.io.max.bytes.per.second")));
  }

  /** Looks names of hosts up. */
  static ConnectionLimits connections(Map<String, String> values) {
    Map<InetAddress, Integer> overrides = new HashMap<>();
    for (String entry : value(values, "max.connections.per.ip.overrides").split(",", -1)) {
      int colon = entry.lastIndexOf(':');
      if (colon > 0) {
        String host = entry.substring(0, colon).strip();
        int count = Integer.parseInt(entry.substring(colon + 1).strip());
        try {
          for (InetAddress address : InetAddress.getAllByName(host)) {
            overrides.put(address, count);
          }
        } catch (UnknownHostException unknown) {
          LOG.warn(
              "max.connections.per.ip.overrides names host {}, which is not known: it is left out",
              host);
        }
      }
    }
    return new ConnectionLimits(
        number(values, "max.connections"),
        number(values, "max.connections.per.ip"),
        overrides,
        number(values, "max.connection.creation.rate"));
  }

  /**
   * Bytes per second.
   *
   * @param leading {@code leader.replication.throttled.rate}
   * @param following {@code follower.replication.throttled.rate}
   * @param moving {@code replica.alter.log.dirs.io.max.bytes.per.second}
   */
  record Rates(long leading, long following, long moving) {}

  static Rates rates(Map<String, String> values) {
    return new Rates(
        Long.parseLong(value(values, "leader.replication.throttled.rate")),
        Long.parseLong(value(values, "follower.replication.throttled.rate")),
        Long.parseLong(value(values, "replica.alter.log.dirs.io.max.bytes.per.second")));
  }

  static int recoveryThreads(Map<String, String> values) {
    return number(values, "num.recovery.threads.per.data.dir");
  }

  private static int number(Map<String, String> values, String name) {
    return Integer.parseInt(value(values, name));
  }

  private static String value(Map<String, String> values, String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalStateException("node configuration " + name + " has no value");
    }
    return value.strip();
  }
}
