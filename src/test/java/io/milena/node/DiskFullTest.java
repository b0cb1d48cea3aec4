package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.milena.SmallDisk;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.RetriableException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node whose disk is full, on a small file system of its own. Skipped where mounting one is not
 * allowed.
 */
@Timeout(90)
class DiskFullTest {

  private static final TopicPartition PARTITION = new TopicPartition("t", 0);

  private static final int TOPICS_MAX = 100;

  @TempDir Path temporary;
  private SmallDisk disk;

  @BeforeEach
  void mount() throws Exception {
    Optional<SmallDisk> mounted = SmallDisk.mount(temporary.resolve("disk"), "16m");
    assumeTrue(mounted.isPresent(), "mounting a file system is not allowed here");
    disk = mounted.get();
  }

  @AfterEach
  void unmount() throws Exception {
    if (disk != null) {
      disk.close();
    }
  }

  private static TestNode startNode(Path data) {
    return TestNode.start(
        data,
        Map.of(
            "replica.high.watermark.checkpoint.interval.ms", "50",
            "log.flush.offset.checkpoint.interval.ms", "50",
            "log.retention.check.interval.ms", "50"));
  }

  private static ProducerRecord<String, String> record(int number) {
    return new ProducerRecord<>(PARTITION.topic(), 0, null, number + "-" + "x".repeat(10_000));
  }

  private static void assertReads(TestNode node, List<Future<RecordMetadata>> acknowledged)
      throws Exception {
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      consumer.assign(List.of(PARTITION));
      while (consumer.position(PARTITION) < acknowledged.size()) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          found.add(record.value());
        }
      }
    }
    for (int i = 0; i < acknowledged.size(); i++) {
      assertThat(acknowledged.get(i).get().offset()).isEqualTo(i);
      assertThat(found.get(i)).startsWith(i + "-");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"replicated", "fsync"})
  void producersWaitReadersGoOnAndTheNodeRecoversByItself(String durability) throws Exception {
    Path data = disk.root().resolve("data");
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (TestNode node = startNode(data);
        Admin admin = node.admin();
        KafkaProducer<String, String> producer =
            node.producer(Map.of("delivery.timeout.ms", "60000", "request.timeout.ms", "5000"))) {
      Map<String, String> config = Map.of("durability", durability, "segment.bytes", "1048576");
      admin
          .createTopics(List.of(new NewTopic(PARTITION.topic(), 1, (short) 1).configs(config)))
          .all()
          .get();
      for (int i = 0; i < 300; i++) {
        sent.add(producer.send(record(i)));
      }
      producer.flush();
      int acknowledged = sent.size();
      disk.fill();

      for (int i = acknowledged; i < acknowledged + 20; i++) {
        sent.add(producer.send(record(i)));
      }
      try (KafkaProducer<String, String> impatient =
          node.producer(Map.of("retries", "0", "enable.idempotence", "false"))) {
        assertThatThrownBy(() -> impatient.send(record(-1)).get())
            .hasCauseInstanceOf(KafkaStorageException.class)
            .cause()
            .isInstanceOf(RetriableException.class);
      }
      assertThat(sent.getLast().isDone()).isFalse();
      assertReads(node, sent.subList(0, acknowledged));
      // What is left of the journal's last page is used up by and by; then it finds no space
      // either.
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < TOPICS_MAX; i++) {
                  createTopic(admin, "early-" + i, 1_000);
                }
              })
          .isInstanceOf(ExecutionException.class);

      disk.free();
      for (Future<RecordMetadata> future : sent) {
        future.get(30, TimeUnit.SECONDS);
      }
      Await.until(() -> topicCanBeCreated(admin), "the metadata group goes on");
      producer.send(new ProducerRecord<>("early-0", "v")).get(30, TimeUnit.SECONDS);
      assertReads(node, sent);
    }
    try (TestNode node = startNode(data);
        Admin admin = node.admin()) {
      assertReads(node, sent);
      assertThat(admin.listTopics().names().get()).contains("later");
    }
  }

  private static void createTopic(Admin admin, String name, int timeoutMs) throws Exception {
    admin
        .createTopics(
            List.of(new NewTopic(name, 1, (short) 1)),
            new org.apache.kafka.clients.admin.CreateTopicsOptions().timeoutMs(timeoutMs))
        .all()
        .get();
  }

  private static boolean topicCanBeCreated(Admin admin) throws Exception {
    try {
      createTopic(admin, "later", 1_000);
      return true;
    } catch (ExecutionException failure) {
      return failure.getCause() instanceof org.apache.kafka.common.errors.TopicExistsException;
    }
  }
}
