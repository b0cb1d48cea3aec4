package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the stock Java client does with a node, end to end. */
@Timeout(120)
class JavaClientTest {

  private static final Duration POLL = Duration.ofMillis(200);

  @TempDir Path data;
  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(data);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private void createTopic(String name, int partitions, Map<String, String> configs)
      throws Exception {
    try (Admin admin = node.admin()) {
      admin
          .createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs)))
          .all()
          .get();
    }
  }

  private List<ConsumerRecord<String, String>> read(
      KafkaConsumer<String, String> consumer, int count) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (records.size() < count && System.nanoTime() < deadline) {
      consumer.poll(POLL).forEach(records::add);
    }
    return records;
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void everyCompressionRoundTripsKeysHeadersTombstonesAndTimestamps(String compression)
      throws Exception {
    createTopic("round", 1, Map.of());
    byte[] binary = {0, 1, 2, (byte) 0xff, (byte) 0x80};
    try (KafkaProducer<byte[], byte[]> producer =
        node.bytesProducer(Map.of("compression.type", compression, "linger.ms", "20"))) {
      producer.send(
          new ProducerRecord<>(
              "round",
              0,
              1_700_000_000_000L,
              binary,
              binary,
              List.of(new RecordHeader("h", binary))));
      producer.send(new ProducerRecord<>("round", 0, 1_700_000_000_001L, binary, null, List.of()));
      producer
          .send(
              new ProducerRecord<>(
                  "round", 0, 1_700_000_000_002L, null, new byte[20_000], List.of()))
          .get();
    }
    try (KafkaConsumer<byte[], byte[]> consumer = node.bytesConsumer(Map.of())) {
      consumer.assign(List.of(new TopicPartition("round", 0)));
      List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
      while (records.size() < 3) {
        consumer.poll(POLL).forEach(records::add);
      }
      assertThat(records.get(0).key()).isEqualTo(binary);
      assertThat(records.get(0).value()).isEqualTo(binary);
      assertThat(records.get(0).timestamp()).isEqualTo(1_700_000_000_000L);
      assertThat(records.get(0).headers().lastHeader("h").value()).isEqualTo(binary);
      assertThat(records.get(1).value()).isNull();
      assertThat(records.get(2).key()).isNull();
      assertThat(records.get(2).value()).isEqualTo(new byte[20_000]);
      assertThat(records).extracting(ConsumerRecord::offset).containsExactly(0L, 1L, 2L);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "all"})
  void everyAcknowledgementLevelDelivers(String acks) throws Exception {
    createTopic("acks", 3, Map.of());
    try (KafkaProducer<String, String> producer =
        node.producer(Map.of("acks", acks, "enable.idempotence", "false"))) {
      for (int i = 0; i < 300; i++) {
        producer.send(new ProducerRecord<>("acks", "k" + i, "v" + i));
      }
      producer.flush();
    }
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of("group.id", "g"))) {
      consumer.subscribe(List.of("acks"));
      Set<String> values = new HashSet<>();
      read(consumer, 300).forEach(record -> values.add(record.value()));
      assertThat(values).hasSize(300);
    }
  }

  @Test
  void aGroupContinuesWhereItCommittedAfterARestart() throws Exception {
    createTopic("orders", 2, Map.of());
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      for (int i = 0; i < 100; i++) {
        producer.send(new ProducerRecord<>("orders", "k" + i, "v" + i)).get();
      }
    }
    try (KafkaConsumer<String, String> consumer =
        node.consumer(Map.of("group.id", "g", "enable.auto.commit", "false"))) {
      consumer.subscribe(List.of("orders"));
      assertThat(read(consumer, 100)).hasSize(100);
      consumer.commitSync();
    }
    node.close();
    node = TestNode.start(data);
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      producer.send(new ProducerRecord<>("orders", "late", "late")).get();
    }
    try (KafkaConsumer<String, String> consumer =
            node.consumer(Map.of("group.id", "g", "enable.auto.commit", "false"));
        Admin admin = node.admin()) {
      consumer.subscribe(List.of("orders"));
      assertThat(read(consumer, 1)).extracting(ConsumerRecord::value).containsExactly("late");
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets("g").partitionsToOffsetAndMetadata().get();
      assertThat(committed.values().stream().mapToLong(OffsetAndMetadata::offset).sum())
          .isEqualTo(100);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "org.apache.kafka.clients.consumer.RangeAssignor",
        "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        "org.apache.kafka.clients.consumer.StickyAssignor",
        "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"
      })
  void twoMembersShareTheTopicUnderEachAssignor(String assignor) throws Exception {
    createTopic("shared", 4, Map.of());
    Map<String, String> settings =
        Map.of("group.id", "g", "partition.assignment.strategy", assignor);
    try (KafkaConsumer<String, String> first = node.consumer(settings);
        KafkaConsumer<String, String> second = node.consumer(settings)) {
      first.subscribe(List.of("shared"));
      second.subscribe(List.of("shared"));
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while ((first.assignment().size() != 2 || second.assignment().size() != 2)
          && System.nanoTime() < deadline) {
        first.poll(Duration.ofMillis(50));
        second.poll(Duration.ofMillis(50));
      }
      Set<TopicPartition> all = new HashSet<>(first.assignment());
      all.addAll(second.assignment());
      assertThat(first.assignment()).hasSize(2);
      assertThat(second.assignment()).hasSize(2);
      assertThat(all).hasSize(4);
    }
  }

  @Test
  void topicsAreCreatedByUseAndDeletedForGood() throws Exception {
    try (KafkaProducer<String, String> producer = node.producer(Map.of());
        Admin admin = node.admin()) {
      producer.send(new ProducerRecord<>("by-use", "v")).get();
      assertThat(admin.listTopics().names().get()).contains("by-use");
      assertThatThrownBy(() -> createTopic("by-use", 1, Map.of()))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(TopicExistsException.class);
      admin.deleteTopics(List.of("by-use")).all().get();
      assertThat(admin.listTopics().names().get()).doesNotContain("by-use");
    }
    createTopic("by-use", 1, Map.of());
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      RecordMetadata metadata = producer.send(new ProducerRecord<>("by-use", "again")).get();
      assertThat(metadata.offset()).isZero();
    }
  }

  @Test
  void offsetsAreFoundByTimestampAndRecordsDeleted() throws Exception {
    createTopic("times", 1, Map.of());
    TopicPartition partition = new TopicPartition("times", 0);
    try (KafkaProducer<String, String> producer = node.producer(Map.of());
        Admin admin = node.admin()) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      long base = System.currentTimeMillis() - 100_000;
      for (int i = 0; i < 100; i++) {
        sent.add(producer.send(new ProducerRecord<>("times", 0, base + i * 1_000L, "k", "v" + i)));
      }
      for (Future<RecordMetadata> each : sent) {
        each.get();
      }
      Map<String, OffsetSpec> specs = new HashMap<>();
      specs.put("earliest", OffsetSpec.earliest());
      specs.put("latest", OffsetSpec.latest());
      specs.put("time", OffsetSpec.forTimestamp(base + 41_500));
      specs.put("max", OffsetSpec.maxTimestamp());
      Map<String, Long> found = new HashMap<>();
      for (Map.Entry<String, OffsetSpec> spec : specs.entrySet()) {
        found.put(
            spec.getKey(),
            admin
                .listOffsets(Map.of(partition, spec.getValue()))
                .partitionResult(partition)
                .get()
                .offset());
      }
      assertThat(found).isEqualTo(Map.of("earliest", 0L, "latest", 100L, "time", 42L, "max", 99L));
      admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(30))).all().get();
      assertThat(
              admin
                  .listOffsets(Map.of(partition, OffsetSpec.earliest()))
                  .partitionResult(partition)
                  .get()
                  .offset())
          .isEqualTo(30);
    }
  }

  @Test
  void aBatchLargerThanTheTopicAllowsIsRefusedAndNamed() throws Exception {
    createTopic("small", 1, Map.of("max.message.bytes", "1000"));
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      String value = new String(new byte[5_000], StandardCharsets.US_ASCII);
      assertThatThrownBy(() -> producer.send(new ProducerRecord<>("small", value)).get())
          .hasCauseInstanceOf(org.apache.kafka.common.errors.RecordTooLargeException.class);
      assertThat(producer.send(new ProducerRecord<>("small", "fits")).get().offset()).isZero();
    }
  }
}
