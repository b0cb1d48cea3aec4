package io.milena;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
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
 * A node that is killed with SIGKILL while it compacts, again and again, keeps the newest value of
 * every key: what is read is compared with a model of what was acknowledged.
 */
@Timeout(240)
class KillDuringCompactionIT {

  private static final int KILLS = 3;
  private static final int KEYS = 200;
  private static final int MAX_TRIES = 20;
  private static final Duration COMPACTION_WAIT = Duration.ofSeconds(5);
  private static final int RECORDS_A_WRITE = 4_000;
  private static final TopicPartition PARTITION = new TopicPartition("table", 0);

  @TempDir Path data;

  @Test
  void newestValueOfEveryKeySurvives() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<String, String> model = new HashMap<>();
    // Slow, so that one write is mostly enough to meet a compaction at work.
    try (NodeProcess node =
        NodeProcess.start(
            data, "log.cleaner.backoff.ms=20", "log.cleaner.io.max.bytes.per.second=4000000")) {
      createTable(node);
      for (int life = 0; life < KILLS; life++) {
        boolean compacting = false;
        for (int tries = 0; tries < MAX_TRIES && !compacting; tries++) {
          write(node, random, life + "-" + tries, model);
          compacting = pauseDuringCompaction(node, random);
        }
        assertThat(compacting).as("a compaction at work, life %d, seed %d", life, seed).isTrue();
        node.kill();
        node.start();
        assertThat(read(node)).as("life %d, seed %d", life, seed).isEqualTo(model);
      }
      assertThat(node.output()).doesNotContain("offline").doesNotContain("set aside");
    }
  }

  private static void createTable(NodeProcess node) throws Exception {
    try (Admin admin =
        Admin.create(Map.<String, Object>of("bootstrap.servers", node.bootstrap()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(PARTITION.topic(), 1, (short) 1)
                      .configs(
                          Map.of(
                              "cleanup.policy", "compact",
                              "segment.bytes", "1048576",
                              "min.cleanable.dirty.ratio", "0.01",
                              "file.delete.delay.ms", "100"))))
          .all()
          .get();
    }
  }

  private static void write(NodeProcess node, Random random, String part, Map<String, String> model)
      throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", node.bootstrap());
    properties.put("linger.ms", "5");
    List<Future<?>> sent = new ArrayList<>();
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < RECORDS_A_WRITE; i++) {
        String key = "key-" + random.nextInt(KEYS);
        boolean delete = random.nextInt(10) == 0;
        String value = delete ? null : part + "-" + i + "x".repeat(1_000);
        sent.add(producer.send(new ProducerRecord<>(PARTITION.topic(), key, value)));
        if (delete) {
          model.remove(key);
        } else {
          model.put(key, value);
        }
      }
    }
    for (Future<?> future : sent) {
      future.get();
    }
  }

  /**
   * Stops the node at some moment of a compaction. False if none was at work at that moment: the
   * node runs on, and more has to be written for the next one.
   */
  private boolean pauseDuringCompaction(NodeProcess node, Random random) throws Exception {
    long deadline = System.nanoTime() + COMPACTION_WAIT.toNanos();
    while (compactionFiles() == 0) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      LockSupport.parkNanos(1_000_000);
    }
    LockSupport.parkNanos(random.nextLong(Duration.ofMillis(300).toNanos()));
    node.pause();
    if (compactionFiles() > 0) {
      return true;
    }
    node.resume();
    return false;
  }

  /** Files that a compaction is writing or swapping in. */
  private long compactionFiles() throws IOException {
    try (Stream<Path> files = Files.list(data.resolve("partitions").resolve(PARTITION + ""))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".cleaned") || name.endsWith(".swap"))
          .count();
    } catch (NoSuchFileException notYet) {
      return 0;
    }
  }

  private static Map<String, String> read(NodeProcess node) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", node.bootstrap());
    Map<String, String> newest = new HashMap<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(PARTITION));
      consumer.seekToBeginning(List.of(PARTITION));
      long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
      while (consumer.position(PARTITION) < end) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          if (record.value() == null) {
            newest.remove(record.key());
          } else {
            newest.put(record.key(), record.value());
          }
        }
      }
    }
    return newest;
  }
}
