package io.milena.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import io.milena.metadata.NodeImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A node's configuration: Kafka's own names for everything Kafka has a name for, at the top level
 * of a HOCON file; what is Milena's own under {@code milena}, and Akka's under {@code akka}.
 *
 * @param dataDirectory where everything is kept
 * @param kafka the settings with Kafka's names, as strings
 * @param listeners where to listen for the Kafka protocol
 * @param advertised what to tell clients, for each listener
 * @param http where to listen for HTTP, port -1 (the default) for not at all
 * @param cluster how the node belongs to a cluster
 * @param akka Akka's settings and Milena's own dispatchers
 */
public record NodeConfig(
    Path dataDirectory,
    Map<String, String> kafka,
    List<Listener> listeners,
    List<Listener> advertised,
    Listener http,
    ClusterSettings cluster,
    Config akka) {

  /** Port of the Kafka protocol when none is given. */
  public static final int DEFAULT_KAFKA_PORT = 9092;

  /**
   * @param name such as PLAINTEXT
   * @param host empty for every interface
   * @param port 0 for any that is free
   */
  public record Listener(String name, String host, int port) {
    @Override
    public String toString() {
      return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
  }

  /**
   * Puts a configuration together.
   *
   * @param options what the command line says; it wins over the file
   * @throws StartupException for a file that is not there or not HOCON, or a value that is not what
   *     it should be
   */
  public static NodeConfig load(StartOptions options) {
    Config own = options.overrides().isEmpty() ? ConfigFactory.empty() : overrides(options);
    Config file = ConfigFactory.empty();
    for (Path path : options.configFiles()) {
      file = parse(path).withFallback(file);
    }
    Config merged = own.withFallback(file).resolve();
    Map<String, String> kafka = kafkaSettings(merged);
    List<Listener> listeners = listeners(options, kafka);
    List<Listener> advertised =
        kafka.containsKey("advertised.listeners")
            ? parseListeners("advertised.listeners", kafka.get("advertised.listeners"))
            : listeners;
    for (Listener listener : listeners) {
      if (advertised.stream().noneMatch(other -> other.name().equals(listener.name()))) {
        throw StartupException.wrongConfiguration(
            "advertised.listeners names no address for listener "
                + listener.name()
                + ": give one as "
                + listener.name()
                + "://HOST:PORT");
      }
    }
    String httpAddress =
        options
            .http()
            .orElseGet(
                () -> merged.hasPath("milena.http") ? merged.getString("milena.http") : "off");
    Listener http =
        httpAddress.equals("off")
            ? new Listener("HTTP", "", -1)
            : hostAndPort("HTTP", "--http", httpAddress);
    Config akka =
        merged
            .withFallback(ConfigFactory.parseResources("milena-akka.conf"))
            .withFallback(ConfigFactory.defaultReference())
            .resolve();
    return new NodeConfig(
        options.dataDirectory(),
        kafka,
        listeners,
        advertised,
        http,
        ClusterSettings.of(options, merged, listeners, advertised),
        akka);
  }

  /** The same with ports that are known by now in place of those that were left open. */
  NodeConfig at(List<Listener> bound, NodeImage.ClusterAddress clusterAddress) {
    List<Listener> fixed = new ArrayList<>();
    for (Listener listener : listeners) {
      int port =
          bound.stream()
              .filter(other -> other.name().equals(listener.name()))
              .mapToInt(Listener::port)
              .findFirst()
              .orElse(listener.port());
      fixed.add(new Listener(listener.name(), listener.host(), port));
    }
    return new NodeConfig(
        dataDirectory,
        kafka,
        List.copyOf(fixed),
        advertised,
        http,
        cluster.at(clusterAddress.port()),
        akka);
  }

  /** A setting with Kafka's name, or what to use without it. */
  public String kafka(String name, String otherwise) {
    return kafka.getOrDefault(name, otherwise);
  }

  /** {@code log.dirs}, else {@code log.dir}; empty for the directory in the data directory. */
  public List<Path> logDirs() {
    String dirs = kafka.getOrDefault("log.dirs", kafka.getOrDefault("log.dir", ""));
    return Stream.of(dirs.split(","))
        .map(String::trim)
        .filter(path -> !path.isEmpty())
        .map(Path::of)
        .toList();
  }

  /** A whole number with Kafka's name. */
  public int kafkaInt(String name, int otherwise) {
    String value = kafka.get(name);
    if (value == null) {
      return otherwise;
    }
    try {
      return Integer.parseInt(value.trim());
    } catch (NumberFormatException notANumber) {
      throw StartupException.wrongConfiguration(
          name + " is '" + value + "': it must be a whole number", notANumber);
    }
  }

  /** A whole number with Kafka's name. */
  public long kafkaLong(String name, long otherwise) {
    String value = kafka.get(name);
    if (value == null) {
      return otherwise;
    }
    try {
      return Long.parseLong(value.trim());
    } catch (NumberFormatException notANumber) {
      throw StartupException.wrongConfiguration(
          name + " is '" + value + "': it must be a whole number", notANumber);
    }
  }

  private static Config parse(Path path) {
    if (!Files.isRegularFile(path)) {
      throw StartupException.wrongConfiguration(
          "configuration file " + path + " is not there: check --config");
    }
    try {
      return ConfigFactory.parseFile(
          path.toFile(), ConfigParseOptions.defaults().setSyntax(ConfigSyntax.CONF));
    } catch (ConfigException failure) {
      throw StartupException.wrongConfiguration(
          "configuration file " + path + " cannot be read: " + failure.getMessage(), failure);
    }
  }

  private static Config overrides(StartOptions options) {
    Config config = ConfigFactory.empty();
    for (Map.Entry<String, String> entry : options.overrides().entrySet()) {
      try {
        config =
            ConfigFactory.parseMap(
                    Map.of(
                        ConfigUtil.joinPath(ConfigUtil.splitPath(entry.getKey())),
                        entry.getValue()),
                    "-o " + entry.getKey())
                .withFallback(config);
      } catch (ConfigException failure) {
        throw StartupException.wrongConfiguration(
            "-o " + entry.getKey() + "=" + entry.getValue() + ": " + failure.getMessage(), failure);
      }
    }
    return config;
  }

  private static Map<String, String> kafkaSettings(Config merged) {
    Map<String, String> settings = new TreeMap<>();
    for (Map.Entry<String, ConfigValue> entry : merged.entrySet()) {
      List<String> path = ConfigUtil.splitPath(entry.getKey());
      if (!path.getFirst().equals("akka") && !path.getFirst().equals("milena")) {
        settings.put(String.join(".", path), text(entry.getValue()));
      }
    }
    return settings;
  }

  private static String text(ConfigValue value) {
    Object plain = value.unwrapped();
    if (plain instanceof List<?> list) {
      return String.join(",", list.stream().map(String::valueOf).toList());
    }
    return String.valueOf(plain);
  }

  private static List<Listener> listeners(StartOptions options, Map<String, String> kafka) {
    if (options.kafka().isPresent()) {
      return List.of(hostAndPort("PLAINTEXT", "--kafka", options.kafka().get()));
    }
    return parseListeners(
        "listeners",
        kafka.getOrDefault("listeners", "PLAINTEXT://127.0.0.1:" + DEFAULT_KAFKA_PORT));
  }

  private static List<Listener> parseListeners(String setting, String value) {
    List<Listener> listeners = new ArrayList<>();
    for (String part : value.split(",", -1)) {
      String entry = part.trim();
      int scheme = entry.indexOf("://");
      if (scheme <= 0) {
        throw StartupException.wrongConfiguration(
            setting
                + " has '"
                + entry
                + "': write it as NAME://HOST:PORT, such as PLAINTEXT://127.0.0.1:9092");
      }
      String name = entry.substring(0, scheme).toUpperCase(java.util.Locale.ROOT);
      if (!name.equals("PLAINTEXT")) {
        throw StartupException.wrongConfiguration(
            setting + " has listener " + name + ": only PLAINTEXT listeners are served yet");
      }
      listeners.add(hostAndPort(name, setting, entry.substring(scheme + 3)));
    }
    return List.copyOf(listeners);
  }

  static Listener hostAndPort(String name, String setting, String value) {
    int colon = value.lastIndexOf(':');
    try {
      int port = Integer.parseInt(value.substring(colon + 1).trim());
      if (colon < 0 || port < 0 || port > 65_535) {
        throw new NumberFormatException("port " + port);
      }
      String host = value.substring(0, colon).trim();
      if (host.startsWith("[") && host.endsWith("]")) {
        host = host.substring(1, host.length() - 1);
      }
      return new Listener(name, host, port);
    } catch (NumberFormatException notAPort) {
      throw StartupException.wrongConfiguration(
          setting + " is '" + value + "': write it as HOST:PORT, with a port from 0 to 65535",
          notAPort);
    }
  }
}
