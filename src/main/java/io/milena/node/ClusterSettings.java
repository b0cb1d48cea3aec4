package io.milena.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.milena.node.NodeConfig.Listener;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * How a node belongs to a cluster, from {@code milena.cluster} and {@code milena.metadata}.
 *
 * @param address what the other nodes are told to connect to; port 0 for any that is free
 * @param bindHost the interface to listen on for them; empty for every one
 * @param join Kafka listeners of running nodes, one of which a node without a cluster asks to let
 *     it in; none for a node that founds a cluster
 * @param voters nodes that vote in the metadata group, once there are so many
 * @param silenceTimeout after which a node that the metadata leader does not hear of is fenced
 */
record ClusterSettings(
    Listener address, String bindHost, List<Listener> join, int voters, Duration silenceTimeout) {

  /** The cluster port is the first Kafka listener's and this; below it where that is too high. */
  static final int PORT_OFFSET = 10_000;

  static final int DEFAULT_VOTERS = 3;
  static final Duration DEFAULT_SILENCE_TIMEOUT = Duration.ofMillis(1_200);

  private static final String NAME = "CLUSTER";

  ClusterSettings {
    join = List.copyOf(join);
  }

  /** The same with a port that is known by now. */
  ClusterSettings at(int port) {
    return new ClusterSettings(
        new Listener(NAME, address.host(), port), bindHost, join, voters, silenceTimeout);
  }

  /**
   * Reads the settings.
   *
   * @throws StartupException for a value that is not what it should be
   */
  static ClusterSettings of(
      StartOptions options, Config merged, List<Listener> kafka, List<Listener> advertised) {
    Listener first = kafka.getFirst();
    String bindHost = first.host();
    String host = isEveryInterface(bindHost) ? advertised.getFirst().host() : bindHost;
    int port = defaultPort(first.port());
    if (merged.hasPath("milena.cluster.host")) {
      bindHost = merged.getString("milena.cluster.host");
      host = bindHost;
    }
    if (merged.hasPath("milena.cluster.port")) {
      port = whole(merged, "milena.cluster.port", 0, 65_535);
    }
    if (options.cluster().isPresent()) {
      Listener given = NodeConfig.hostAndPort(NAME, "--cluster", options.cluster().get());
      bindHost = given.host();
      host = given.host();
      port = given.port();
    }
    return new ClusterSettings(
        new Listener(NAME, isEveryInterface(host) ? HostNames.canonical() : host, port),
        isEveryInterface(bindHost) ? "" : bindHost,
        joinAddresses(options, merged),
        whole(merged, "milena.metadata.voters", DEFAULT_VOTERS, 99),
        silenceTimeout(merged));
  }

  private static boolean isEveryInterface(String host) {
    return host.isEmpty() || host.equals("0.0.0.0") || host.equals("::");
  }

  private static int defaultPort(int kafkaPort) {
    if (kafkaPort == 0) {
      return 0;
    }
    return kafkaPort + PORT_OFFSET > 65_535 ? kafkaPort - PORT_OFFSET : kafkaPort + PORT_OFFSET;
  }

  private static List<Listener> joinAddresses(StartOptions options, Config merged) {
    String setting = options.join().isPresent() ? "--join" : "milena.cluster.join";
    String value =
        options.join().orElseGet(() -> merged.hasPath(setting) ? merged.getString(setting) : "");
    return Stream.of(value.split(",", -1))
        .map(String::trim)
        .filter(part -> !part.isEmpty())
        .map(part -> NodeConfig.hostAndPort(NAME, setting, part))
        .toList();
  }

  private static int whole(Config merged, String setting, int otherwise, int max) {
    if (!merged.hasPath(setting)) {
      return otherwise;
    }
    try {
      int value = merged.getInt(setting);
      if (value < 0 || value > max) {
        throw StartupException.wrongConfiguration(
            setting + " is " + value + ": it must be a whole number from 0 to " + max);
      }
      return value;
    } catch (ConfigException.WrongType | ConfigException.BadValue wrong) {
      throw StartupException.wrongConfiguration(
          setting + " is " + merged.getValue(setting).unwrapped() + ": it must be a whole number",
          wrong);
    }
  }

  private static Duration silenceTimeout(Config merged) {
    String setting = "milena.cluster.silence.timeout";
    if (!merged.hasPath(setting)) {
      return DEFAULT_SILENCE_TIMEOUT;
    }
    try {
      Duration value = merged.getDuration(setting);
      if (value.compareTo(Duration.ofMillis(200)) < 0) {
        throw StartupException.wrongConfiguration(
            setting + " is " + value.toMillis() + " ms: at least 200 ms");
      }
      return value;
    } catch (ConfigException.WrongType | ConfigException.BadValue wrong) {
      throw StartupException.wrongConfiguration(
          setting
              + " is "
              + merged.getValue(setting).unwrapped()
              + ": write it as a duration, such as 1200 ms",
          wrong);
    }
  }
}
