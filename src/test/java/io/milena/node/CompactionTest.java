package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Compaction as a client sees it: the log shrinks, the newest value of every key stays. */
@Timeout(240)
class CompactionTest {

  private static final Map<String, String> EAGER = Map.of("log.cleaner.backoff.ms", "100");
  private static final int SEGMENT_BYTES = 1 << 20;

  @TempDir Path data;

  private static void createTopic(TestNode node, String name, Map<String, String> config)
      throws Exception {
    try (Admin admin = node.admin()) {
      admin.createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(config))).all().get();
    }
  }

  private long logBytes(String partition) {
    try (Stream<Path> files = Files.list(data.resolve("partitions").resolve(partition))) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".log"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static Map<String, String> fill(TestNode node, String topic, int records, long seed) {
    Random random = new Random(seed);
    Map<String, String> newest = new HashMap<>();
    try (KafkaProducer<String, String> producer =
        node.producer(Map.of("linger.ms", "5", "batch.size", "65536"))) {
      for (int i = 0; i < records; i++) {
        String key = "key-" + random.nextInt(100);
        String value = random.nextInt(20) == 0 ? null : i + "-" + "x".repeat(1000);
        producer.send(new ProducerRecord<>(topic, key, value));
        newest.put(key, value);
      }
    }
    newest.values().removeIf(value -> value == null);
    return newest;
  }

  private static Map<String, String> table(TestNode node, String topic) {
    TopicPartition partition = new TopicPartition(topic, 0);
    Map<String, String> newest = new TreeMap<>();
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          newest.put(record.key(), record.value());
        }
      }
    }
    newest.values().removeIf(value -> value == null);
    return newest;
  }

  @Test
  void compactedTopicShrinksAndKeepsTheNewestValueOfEveryKey() throws Exception {
    Map<String, String> expected;
    try (TestNode node = TestNode.start(data, EAGER)) {
      createTopic(
          node, "table", Map.of("cleanup.policy", "compact", "segment.bytes", "" + SEGMENT_BYTES));
      expected = fill(node, "table", 6_000, 1);
      Await.until(() -> logBytes("table-0") < 2L * SEGMENT_BYTES, "the log shrinks");
      assertThat(table(node, "table")).isEqualTo(expected);
      Path checkpoint = data.resolve("partitions/cleaner-offset-checkpoint");
      // It is written after the log has shrunk.
      Await.until(
          () -> Files.exists(checkpoint) && Files.readString(checkpoint).contains("table 0 "),
          "how far the log is clean is noted");
    }
    try (TestNode node = TestNode.start(data, EAGER)) {
      assertThat(table(node, "table")).isEqualTo(expected);
      expected.putAll(fill(node, "table", 0, 2));
    }
  }

  @Test
  void activeSegmentIsCompactedOnceMaxCompactionLagHasPassed() throws Exception {
    try (TestNode node = TestNode.start(data, EAGER)) {
      createTopic(node, "lag", Map.of("cleanup.policy", "compact", "max.compaction.lag.ms", "500"));
      Map<String, String> expected = fill(node, "lag", 1_000, 3);
      Await.until(() -> logBytes("lag-0") < 200_000, "the log shrinks without another append");
      assertThat(table(node, "lag")).isEqualTo(expected);
    }
  }

  @Test
  void offsetsTopicShrinksAndOffsetsAreFoundAfterRestart() throws Exception {
    TopicPartition partition = new TopicPartition("t", 0);
    Map<String, String> settings = new HashMap<>(EAGER);
    settings.put("offsets.topic.num.partitions", "1");
    settings.put("offsets.topic.segment.bytes", "" + SEGMENT_BYTES);
    String metadata = "m".repeat(4000);
    try (TestNode node = TestNode.start(data, settings)) {
      createTopic(node, "t", Map.of());
      try (KafkaConsumer<String, String> consumer =
          node.consumer(Map.of("group.id", "g", "enable.auto.commit", "false"))) {
        consumer.assign(List.of(partition));
        for (int i = 0; i < 1_000; i++) {
          consumer.commitSync(Map.of(partition, new OffsetAndMetadata(i, metadata)));
        }
      }
      Await.until(
          () -> logBytes("__consumer_offsets-0") < 2L * SEGMENT_BYTES, "the offsets topic shrinks");
    }
    try (TestNode node = TestNode.start(data, settings);
        Admin admin = node.admin()) {
      assertThat(
              admin
                  .listConsumerGroupOffsets("g")
                  .partitionsToOffsetAndMetadata()
                  .get()
                  .get(partition)
                  .offset())
          .isEqualTo(999);
    }
  }
}
