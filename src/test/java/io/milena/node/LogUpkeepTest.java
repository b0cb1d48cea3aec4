package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Retention, leftovers and damage, in a whole node. */
@Timeout(60)
class LogUpkeepTest {

  private static final int SEGMENT_BYTES = 1 << 20;

  @TempDir Path data;

  private TestNode start() {
    return TestNode.start(
        data, Map.of("log.retention.check.interval.ms", "50", "log.cleaner.backoff.ms", "50"));
  }

  private Path directory(String partition) {
    return data.resolve("partitions").resolve(partition);
  }

  private static void createTopic(TestNode node, String name, Map<String, String> config)
      throws Exception {
    try (Admin admin = node.admin()) {
      admin.createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(config))).all().get();
    }
  }

  private static void write(TestNode node, String topic, int count) throws Exception {
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      for (int i = 0; i < count; i++) {
        producer.send(new ProducerRecord<>(topic, i + "-" + "x".repeat(10_000)));
      }
      producer.send(new ProducerRecord<>(topic, "last")).get();
    }
  }

  private static long offset(TestNode node, String topic, OffsetSpec which) throws Exception {
    TopicPartition partition = new TopicPartition(topic, 0);
    try (Admin admin = node.admin()) {
      return admin.listOffsets(Map.of(partition, which)).partitionResult(partition).get().offset();
    }
  }

  private long files(String partition, String suffix) {
    try (Stream<Path> files = Files.list(directory(partition))) {
      return files.filter(file -> file.toString().endsWith(suffix)).count();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Test
  void oldSegmentsGoBySizeAndByTimeAndTheirFilesAfterTheDelay() throws Exception {
    try (TestNode node = start()) {
      Map<String, String> config = new HashMap<>();
      config.put("segment.bytes", "" + SEGMENT_BYTES);
      config.put("file.delete.delay.ms", "300");
      config.put("retention.bytes", "" + 2 * SEGMENT_BYTES);
      createTopic(node, "size", config);
      write(node, "size", 600);
      Await.until(() -> files("size-0", ".log") <= 3, "retention.bytes");
      assertThat(offset(node, "size", OffsetSpec.earliest())).isPositive();
      Await.until(() -> files("size-0", ".deleted") == 0, "file.delete.delay.ms");

      createTopic(node, "time", Map.of("retention.ms", "500", "file.delete.delay.ms", "0"));
      write(node, "time", 10);
      Await.until(() -> offset(node, "time", OffsetSpec.earliest()) == 11, "retention.ms");
      Await.until(() -> files("time-0", ".log") == 1, "the active segment went too");
      Await.until(() -> files("time-0", ".deleted") == 0, "without delay");
      write(node, "time", 0);
      assertThat(offset(node, "time", OffsetSpec.latest())).isEqualTo(12);
    }
  }

  @Test
  void deletedRecordsAreNotedOnDiskAtOnce() throws Exception {
    try (TestNode node = start();
        Admin admin = node.admin()) {
      createTopic(node, "t", Map.of());
      write(node, "t", 20);
      admin
          .deleteRecords(Map.of(new TopicPartition("t", 0), RecordsToDelete.beforeOffset(7)))
          .all()
          .get();
      Path checkpoint = data.resolve("partitions/log-start-offset-checkpoint");
      Await.until(
          () -> Files.exists(checkpoint) && Files.readString(checkpoint).contains("t 0 7\n"),
          "what a kill -9 from now on would find");
    }
    try (TestNode node = start()) {
      assertThat(offset(node, "t", OffsetSpec.earliest())).isEqualTo(7);
    }
  }

  @Test
  void logsOfTopicsThatAreGoneAreRemovedAtTheStart() throws Exception {
    try (TestNode node = start()) {
      createTopic(node, "kept", Map.of());
      createTopic(node, "remade", Map.of());
      write(node, "kept", 3);
      write(node, "remade", 3);
    }
    copyWithTopicId("kept-0", "gone-0");
    copyWithTopicId("kept-0", "remade-0");
    copyWithTopicId("kept-0", "gone-1.0123456789abcdef-delete");
    copyWithTopicId("kept-0", "nameless-0");
    Files.delete(directory("nameless-0").resolve("partition.metadata"));
    Path foreign = Files.createDirectory(directory("lost+found"));
    try (TestNode node = start()) {
      assertThat(directory("gone-0")).doesNotExist();
      assertThat(foreign).exists();
      assertThat(offset(node, "kept", OffsetSpec.latest())).isEqualTo(4);
      write(node, "remade", 0);
      assertThat(offset(node, "remade", OffsetSpec.latest())).isEqualTo(1);
      Await.until(
          () -> {
            try (Stream<Path> entries = Files.list(data.resolve("partitions"))) {
              return entries.noneMatch(entry -> entry.toString().endsWith("-delete"));
            }
          },
          "leftovers are gone");
      try (Stream<Path> entries = Files.list(data.resolve("partitions"))) {
        assertThat(entries.map(entry -> entry.getFileName().toString()))
            .as("nobody knows what it is: out of the way, and kept")
            .doesNotContain("nameless-0")
            .anyMatch(name -> name.startsWith("nameless-0.") && name.endsWith("-stray"));
      }
    }
  }

  private void copyWithTopicId(String from, String to) throws IOException {
    Files.createDirectories(directory(to));
    try (Stream<Path> files = Files.list(directory(from))) {
      for (Path file : files.toList()) {
        Files.copy(
            file, directory(to).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Files.writeString(
        directory(to).resolve("partition.metadata"),
        "version: 0\ntopic_id: " + Uuid.randomUuid() + "\n");
  }

  @Test
  void aLogThatCannotBeOpenedOrWrittenFailsAlone() throws Exception {
    try (TestNode node = start()) {
      createTopic(node, "good", Map.of());
      createTopic(node, "bad", Map.of("segment.bytes", "" + SEGMENT_BYTES));
      write(node, "good", 3);
      write(node, "bad", 3);
      deleteFiles(directory("bad-0"));
      assertThatThrownBy(
              () -> {
                try (KafkaProducer<String, String> producer =
                    node.producer(Map.of("retries", "0", "enable.idempotence", "false"))) {
                  for (int i = 0; i < 500; i++) {
                    producer.send(new ProducerRecord<>("bad", "x".repeat(10_000))).get();
                  }
                }
              })
          .hasCauseInstanceOf(KafkaStorageException.class);
      write(node, "good", 3);
    }
    assertThat(data.resolve("partitions/.kafka_cleanshutdown"))
        .as("one log was not closed")
        .doesNotExist();
    Files.writeString(directory("bad-0"), "not a directory");
    try (TestNode node = start()) {
      write(node, "good", 3);
      assertThat(offset(node, "good", OffsetSpec.latest())).isEqualTo(12);
      assertThat(hasLeader(node, "bad")).isFalse();
    }
  }

  private static boolean hasLeader(TestNode node, String topic) throws Exception {
    try (Admin admin = node.admin()) {
      Node leader =
          admin
              .describeTopics(List.of(topic))
              .allTopicNames()
              .get()
              .get(topic)
              .partitions()
              .getFirst()
              .leader();
      return leader != null && !leader.isEmpty();
    }
  }

  private static void deleteFiles(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  @Test
  void garbledTailIsCutAndDamageToWhatWasOnDiskIsRefusedOrLeftToTheReadersCrcCheck()
      throws Exception {
    try (TestNode node = start()) {
      for (String topic : List.of("tail", "active", "sealed")) {
        createTopic(node, topic, Map.of("segment.bytes", "" + SEGMENT_BYTES));
        write(node, topic, topic.equals("sealed") ? 200 : 5);
      }
    }
    // As after a kill -9: everything but the last write had been flushed.
    Files.delete(data.resolve("partitions/.kafka_cleanshutdown"));
    Files.write(
        directory("tail-0").resolve("00000000000000000000.log"),
        new byte[300],
        StandardOpenOption.APPEND);
    flipBit("active-0");
    flipBit("sealed-0");
    try (TestNode node = start()) {
      assertThat(offset(node, "tail", OffsetSpec.latest())).isEqualTo(6);
      write(node, "tail", 0);
      assertThat(offset(node, "tail", OffsetSpec.latest())).isEqualTo(7);
      assertThat(hasLeader(node, "active"))
          .as("checked, and not cut: it was acknowledged")
          .isFalse();
      // Only the last segment is checked; the others are sent as they are (sendfile).
      assertThat(offset(node, "sealed", OffsetSpec.latest())).isEqualTo(201);
      TopicPartition sealed = new TopicPartition("sealed", 0);
      try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
        consumer.assign(List.of(sealed));
        assertThatThrownBy(
                () -> {
                  while (consumer.position(sealed) < 201) {
                    consumer.poll(Duration.ofMillis(100));
                  }
                })
            .isInstanceOf(KafkaException.class)
            .hasStackTraceContaining("corrupt");
      }
    }
  }

  private void flipBit(String partition) throws IOException {
    try (RandomAccessFile log =
        new RandomAccessFile(
            directory(partition).resolve("00000000000000000000.log").toFile(), "rw")) {
      log.seek(500);
      int was = log.read();
      log.seek(500);
      log.write(was ^ 1);
    }
  }
}
