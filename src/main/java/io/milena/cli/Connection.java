package io.milena.cli;

import java.io.IOException;
import java.io.Reader;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which cluster to talk to and how, and the clients made from them. */
public final class Connection {

  private static final String DEFAULT_BOOTSTRAP = "127.0.0.1:9092";

  /** How long one address may take to accept a connection before the next is tried. */
  private static final int CONNECT_TIMEOUT_MS = 3_000;

  @Option(
      names = {"-b", "--bootstrap"},
      paramLabel = "HOST:PORT",
      defaultValue = "${env:MILENA_BOOTSTRAP:-" + DEFAULT_BOOTSTRAP + "}",
      description =
          "A broker of the cluster; several with commas. Default: MILENA_BOOTSTRAP, else "
              + DEFAULT_BOOTSTRAP
              + ".")
  private String bootstrap = DEFAULT_BOOTSTRAP;

  @Option(
      names = "--command-config",
      paramLabel = "FILE",
      description = "Client properties, for example security.protocol and sasl.jaas.config.")
  private @Nullable Path commandConfig;

  @Option(
      names = {"-X", "--property"},
      paramLabel = "KEY=VALUE",
      description = "One client property, over those of --command-config. Repeatable.")
  private Map<String, String> properties = new LinkedHashMap<>();

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "15",
      description = "How long to wait for the cluster's answers. Default: ${DEFAULT-VALUE}.")
  private double timeoutSeconds = 15;

  /** The addresses given, as the clients take them. */
  public String bootstrap() {
    return bootstrap;
  }

  /** Points the clients at another cluster than the options say. */
  void bootstrap(String address) {
    bootstrap = address;
  }

  public Duration timeout() {
    return Duration.ofMillis(timeoutMs());
  }

  public Admin admin() {
    return Admin.create(clientProperties(Map.of()));
  }

  /** A producer of bytes; {@code settings} lie under what the user gave with -X and a file. */
  public KafkaProducer<byte[], byte[]> producer(Map<String, String> settings) {
    Map<String, String> withTimeouts = new LinkedHashMap<>();
    withTimeouts.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, Integer.toString(timeoutMs()));
    withTimeouts.put(
        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.toString(Math.max(timeoutMs(), 1_000)));
    withTimeouts.put(
        ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Integer.toString(Math.max(timeoutMs() / 2, 500)));
    withTimeouts.putAll(settings);
    return new KafkaProducer<>(
        clientProperties(withTimeouts), new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** A consumer of bytes; {@code settings} lie under what the user gave with -X and a file. */
  public KafkaConsumer<byte[], byte[]> consumer(Map<String, String> settings) {
    Map<String, String> withDefaults = new LinkedHashMap<>();
    withDefaults.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    withDefaults.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    withDefaults.putAll(settings);
    return new KafkaConsumer<>(
        clientProperties(withDefaults), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private Properties clientProperties(Map<String, String> settings) {
    requireReachable();
    Properties client = new Properties();
    client.put(CommonClientConfigs.CLIENT_ID_CONFIG, "milena-cli");
    client.put(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, "");
    client.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, "false");
    client.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, Integer.toString(timeoutMs()));
    client.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, Integer.toString(timeoutMs()));
    client.putAll(settings);
    if (commandConfig != null) {
      try (Reader reader = Files.newBufferedReader(commandConfig)) {
        client.load(reader);
      } catch (IOException | IllegalArgumentException e) {
        throw new CliException(
            ExitCode.USAGE, "--command-config: " + Failures.reason(Failures.unwrap(e)), e);
      }
    }
    client.putAll(properties);
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    return client;
  }

  private int timeoutMs() {
    return Math.clamp(Math.round(timeoutSeconds * 1_000), 1, Integer.MAX_VALUE);
  }

  /**
   * Fails at once where nobody listens: the clients would go on trying until the timeout and then
   * not say why.
   */
  private void requireReachable() {
    List<String> reasons = new ArrayList<>();
    for (String address : bootstrap.split(",")) {
      InetSocketAddress resolved = parse(address.strip());
      if (resolved.isUnresolved()) {
        reasons.add("host '" + resolved.getHostString() + "' is unknown");
        continue;
      }
      try (Socket socket = new Socket()) {
        socket.connect(resolved, Math.min(CONNECT_TIMEOUT_MS, timeoutMs()));
        return;
      } catch (ConnectException _) {
        reasons.add("connection refused");
      } catch (IOException e) {
        reasons.add(String.valueOf(e.getMessage()));
      }
    }
    throw new CliException(
        ExitCode.UNREACHABLE,
        "no broker answers at %s (%s): start one with 'bin/milena start --data DIR' or point --bootstrap at another"
            .formatted(bootstrap, String.join(", ", reasons)));
  }

  /** Reads {@code HOST:PORT}, with an IPv6 host in brackets. */
  static InetSocketAddress parse(String address) {
    int colon = address.lastIndexOf(':');
    String port = address.substring(colon + 1);
    if (colon <= 0 || !port.matches("\\d{1,5}") || Integer.parseInt(port) > 65_535) {
      throw CliException.usage("--bootstrap: '" + address + "' is not HOST:PORT");
    }
    String host = address.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    return new InetSocketAddress(
        bracketed ? host.substring(1, host.length() - 1) : host, Integer.parseInt(port));
  }
}
