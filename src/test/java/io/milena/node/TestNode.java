package io.milena.node;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A whole node in this JVM, on free ports, and stock Java clients that connect to it. */
public final class TestNode implements AutoCloseable {

  private final Node node;

  private TestNode(Node node) {
    this.node = node;
  }

  /** Starts a node over a data directory; the settings are those of {@code -o}. */
  public static TestNode start(Path data, Map<String, String> settings) {
    Map<String, String> overrides = new HashMap<>();
    overrides.put("group.initial.rebalance.delay.ms", "0");
    overrides.put("offsets.topic.num.partitions", "4");
    overrides.putAll(settings);
    return new TestNode(
        Node.start(
            NodeConfig.load(
                new StartOptions(
                    data,
                    Optional.of("127.0.0.1:0"),
                    overrides.containsKey("milena.http") ? Optional.empty() : Optional.of("off"),
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    overrides))));
  }

  public static TestNode start(Path data) {
    return start(data, Map.of());
  }

  public String bootstrap() {
    return node.kafkaAddresses().getFirst().toString();
  }

  /** What of a URL comes before the path; for a node with the setting {@code milena.http}. */
  public String http() {
    return "http://" + node.httpAddress().orElseThrow();
  }

  public Node node() {
    return node;
  }

  public Admin admin() {
    return Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap()));
  }

  public KafkaProducer<String, String> producer(Map<String, String> settings) {
    Properties properties = new Properties();
    properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap());
    properties.putAll(settings);
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  public KafkaProducer<byte[], byte[]> bytesProducer(Map<String, String> settings) {
    Properties properties = new Properties();
    properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap());
    properties.putAll(settings);
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  public KafkaConsumer<String, String> consumer(Map<String, String> settings) {
    return new KafkaConsumer<>(
        consumerSettings(settings), new StringDeserializer(), new StringDeserializer());
  }

  public KafkaConsumer<byte[], byte[]> bytesConsumer(Map<String, String> settings) {
    return new KafkaConsumer<>(
        consumerSettings(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private Properties consumerSettings(Map<String, String> settings) {
    Properties properties = new Properties();
    properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap());
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    properties.putAll(settings);
    return properties;
  }

  @Override
  public void close() {
    node.stop();
  }
}
