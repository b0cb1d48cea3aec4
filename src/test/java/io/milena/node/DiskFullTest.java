package io.milena.node;

import static java.util.stream.Collectors.joining;
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
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node whose disk is full, on a small file system of its own. Skipped where mounting one is not
 * allowed.
 */
@Timeout(240)
class DiskFullTest {

  private static final TopicPartition PARTITION = new TopicPartition("t", 0);

  private static final int CHANGES_MAX = 100;

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
      // What the journal has reserved is used up by and by; then it finds no space either.
      createTopic(admin, "early-0", 10_000);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < CHANGES_MAX; i++) {
                  changeALot(admin, "early-0", i);
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

  /** A change of metadata of about 8 KB. */
  private static void changeALot(Admin admin, String topic, int number) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    String value = IntStream.range(0, 2_000).mapToObj(i -> i % 9 + ":1").collect(joining(","));
    ConfigEntry entry =
        new ConfigEntry("follower.replication.throttled.replicas", number + ":1," + value);
    admin
        .incrementalAlterConfigs(
            Map.of(resource, List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))),
            new AlterConfigsOptions().timeoutMs(10_000))
        .all()
        .get();
  }

  /** As an operator does who has nothing else to give up: the deletion itself must find space. */
  @Test
  void deletingATopicFreesTheDisk() throws Exception {
    Path data = disk.root().resolve("data");
    try (TestNode node = startNode(data);
        Admin admin = node.admin();
        KafkaProducer<String, String> producer =
            node.producer(Map.of("delivery.timeout.ms", "60000", "request.timeout.ms", "5000"))) {
      createTopic(admin, "large", 10_000);
      createTopic(admin, PARTITION.topic(), 10_000);
      for (int i = 0; i < 300; i++) {
        producer.send(new ProducerRecord<>("large", 0, null, i + "x".repeat(10_000)));
      }
      producer.flush();
      disk.fill();
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        sent.add(producer.send(record(i)));
      }
      Await.until(
          () -> {
            try {
              admin.deleteTopics(List.of("large")).all().get();
              return true;
            } catch (ExecutionException failure) {
              return failure.getCause() instanceof UnknownTopicOrPartitionException;
            }
          },
          "the topic is deleted");
      for (Future<RecordMetadata> future : sent) {
        future.get(60, TimeUnit.SECONDS);
      }
      assertReads(node, sent);
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
