package io.milena.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.milena.NodeProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kafka Streams, at least once, in a process of its own with the class path of its own release
 * (4.3.1 does not run with the kafka-clients of 4.4.0). {@code clients/WordCount.java} is the
 * application.
 */
@Timeout(240)
class StreamsIT {

  private static final Path LIBRARIES = Path.of("target/streams");
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final int OUTPUT_TAIL_CHARS = 5_000;

  @TempDir Path directory;

  @Test
  void countsAndJoinsGoOnAfterARestartOfApplicationAndNode() throws Exception {
    assumeTrue(Files.isDirectory(LIBRARIES), "mvn verify copies Kafka Streams to " + LIBRARIES);
    Path data = directory.resolve("node");
    try (NodeProcess node =
        NodeProcess.start(
            data, "group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=4")) {
      createTopics(node.bootstrap());
      produce(node.bootstrap(), "names", Map.of("a", "Ada"));
      produce(node.bootstrap(), "lines", Map.of("1", "the quick brown fox", "2", "The lazy dog"));
      Process application = startApplication(node.bootstrap());
      try {
        awaitLatest(node, "counts", Map.of("the", "2", "quick", "1", "dog", "1"));
        produce(node.bootstrap(), "orders", Map.of("a", "tea"));
        awaitLatest(node, "joined", Map.of("a", "Ada ordered tea"));

        stop(application);
        node.kill();
        node.start();
        application = startApplication(node.bootstrap());

        produce(node.bootstrap(), "lines", Map.of("3", "the dog"));
        produce(node.bootstrap(), "orders", Map.of("a", "cake"));
        awaitLatest(node, "counts", Map.of("the", "3", "quick", "1", "dog", "2"));
        awaitLatest(node, "joined", Map.of("a", "Ada ordered cake"));

        // The node alone restarts: the application finds its topics and its group again.
        node.kill();
        node.start();
        produce(node.bootstrap(), "lines", Map.of("4", "the end"));
        awaitLatest(node, "counts", Map.of("the", "4", "quick", "1", "end", "1"));
      } catch (AssertionError failure) {
        throw new AssertionError(failure.getMessage() + "\napplication:\n" + output(), failure);
      } finally {
        application.destroyForcibly().waitFor();
      }
    }
  }

  private static void createTopics(String bootstrap) throws Exception {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic("lines", 2, (short) 1),
                  new NewTopic("orders", 2, (short) 1),
                  new NewTopic("names", 1, (short) 1).configs(Map.of("cleanup.policy", "compact")),
                  new NewTopic("counts", 1, (short) 1),
                  new NewTopic("joined", 1, (short) 1)))
          .all()
          .get();
    }
  }

  private Process startApplication(String bootstrap) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            LIBRARIES.toAbsolutePath() + "/*",
            ForeignClient.SCRIPTS.resolve("WordCount.java").toString(),
            bootstrap,
            directory.resolve("state").toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("out.txt").toFile()))
        .start();
  }

  private static void stop(Process application) throws InterruptedException {
    application.destroy();
    assertThat(application.waitFor(30, TimeUnit.SECONDS)).as("the application ends").isTrue();
  }

  private String output() throws IOException {
    String output = Files.readString(directory.resolve("out.txt"));
    return output.substring(Math.max(0, output.length() - OUTPUT_TAIL_CHARS));
  }

  private static void produce(String bootstrap, String topic, Map<String, String> records)
      throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      for (Map.Entry<String, String> record : records.entrySet()) {
        producer.send(new ProducerRecord<>(topic, record.getKey(), record.getValue())).get();
      }
    }
  }

  /** Reads a topic from its start until the latest value of each key is as expected. */
  private static void awaitLatest(NodeProcess node, String topic, Map<String, String> expected) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", node.bootstrap());
    Map<String, String> latest = new HashMap<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long deadline = System.nanoTime() + TIMEOUT.toNanos();
      while (!latest.entrySet().containsAll(expected.entrySet())) {
        assertThat(System.nanoTime())
            .as("%s in time: %s so far, expected %s", topic, latest, expected)
            .isLessThan(deadline);
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          latest.put(record.key(), record.value());
        }
      }
    }
  }
}
