package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several {@code log.dirs}, as a client sees them. */
@Timeout(240)
class SeveralLogDirsTest {

  private static final int NODE = 1;
  private static final int PARTITIONS = 4;

  @TempDir Path root;
  private Path data;
  private Path one;
  private Path two;

  @BeforeEach
  void name() {
    data = root.resolve("data");
    one = root.resolve("one");
    two = root.resolve("two");
  }

  private TestNode start() {
    return TestNode.start(
        data,
        Map.of(
            "log.dirs", one + "," + two, "replica.high.watermark.checkpoint.interval.ms", "200"));
  }

  private static void create(Admin admin, String topic) throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1))).all().get();
    Await.until(() -> placement(admin, topic).size() == PARTITIONS, "its logs are opened");
  }

  private static Map<String, LogDirDescription> describe(Admin admin) throws Exception {
    return admin.describeLogDirs(List.of(NODE)).allDescriptions().get().get(NODE);
  }

  /** Which directory each partition of a topic is in. */
  private static Map<Integer, String> placement(Admin admin, String topic) throws Exception {
    Map<Integer, String> placement = new TreeMap<>();
    describe(admin)
        .forEach((path, directory) ->
            directory
                .replicaInfos()
                .forEach((partition, info) -> {
                  if (partition.topic().equals(topic) && !info.isFuture()) {
                    placement.put(partition.partition(), path);
                  }
                }));
    return placement;
  }

  private static void write(TestNode node, String topic, int records) throws Exception {
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < records; i++) {
        sent.add(producer.send(new ProducerRecord<>(topic, i % PARTITIONS, null, "v" + i)));
      }
      producer.flush();
      for (Future<RecordMetadata> future : sent) {
        future.get();
      }
    }
  }

  private static List<String> read(TestNode node, TopicPartition partition) {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<String, String> record :
            consumer.poll(java.time.Duration.ofMillis(200))) {
          values.add(record.value());
        }
      }
    }
    return values;
  }

  private static List<String> expected(int partition, int records) {
    List<String> values = new ArrayList<>();
    for (int i = partition; i < records; i += PARTITIONS) {
      values.add("v" + i);
    }
    return values;
  }

  @Test
  void newPartitionsAreSpreadAndFoundAgain() throws Exception {
    Map<Integer, String> placement;
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
      placement = placement(admin, "t");
      assertThat(placement).hasSize(PARTITIONS);
      assertThat(placement.values()).contains(one.toString(), two.toString());
      assertThat(describe(admin).get(one.toString()).totalBytes()).isPresent();
      write(node, "t", 400);
    }
    assertThat(data.resolve("partitions/t-0")).doesNotExist();
    try (TestNode node = start();
        Admin admin = node.admin()) {
      assertThat(placement(admin, "t")).isEqualTo(placement);
      for (int partition = 0; partition < PARTITIONS; partition++) {
        assertThat(read(node, new TopicPartition("t", partition)))
            .isEqualTo(expected(partition, 400));
      }
    }
  }

  @Test
  void aReplicaMovesWhileItIsWritten() throws Exception {
    TopicPartition partition = new TopicPartition("t", 0);
    int written;
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
      write(node, "t", 4_000);
      String target =
          placement(admin, "t").get(0).equals(one.toString()) ? two.toString() : one.toString();
      AtomicBoolean moved = new AtomicBoolean();
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      try (KafkaProducer<String, String> producer =
          node.producer(Map.of("enable.idempotence", "true"))) {
        TopicPartitionReplica replica = new TopicPartitionReplica("t", 0, NODE);
        admin.alterReplicaLogDirs(Map.of(replica, target)).all().get();
        int next = 4_000;
        while (!moved.get() || next < 8_000) {
          sent.add(producer.send(new ProducerRecord<>("t", 0, null, "v" + next)));
          next += PARTITIONS;
          if (next % 400 == 0) {
            moved.set(target.equals(placement(admin, "t").get(0)));
          }
        }
        producer.flush();
        for (Future<RecordMetadata> future : sent) {
          future.get();
        }
        written = next;
      }
      assertThat(read(node, partition)).isEqualTo(expected(0, written));
      Path source = (target.equals(one.toString()) ? two : one).resolve("t-0");
      Await.until(() -> !Files.exists(source), "the old directory goes");
      assertThat(Path.of(target).resolve("t-0")).isDirectory();
    }
    try (TestNode node = start()) {
      assertThat(read(node, partition)).isEqualTo(expected(0, written));
    }
  }

  @Test
  void movesToWhereNobodyCanGoAreRefused() throws Exception {
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
      TopicPartitionReplica replica = new TopicPartitionReplica("t", 0, NODE);
      assertThatThrownBy(() -> admin.alterReplicaLogDirs(Map.of(replica, "/nowhere")).all().get())
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(LogDirNotFoundException.class);
      // KIP-113: a replica that is not there yet goes to the directory named for it.
      for (int partition = 0; partition < PARTITIONS; partition++) {
        TopicPartitionReplica later = new TopicPartitionReplica("later", partition, NODE);
        assertThatThrownBy(
                () -> admin.alterReplicaLogDirs(Map.of(later, two.toString())).all().get())
            .isInstanceOf(ExecutionException.class);
      }
      create(admin, "later");
      assertThat(placement(admin, "later").values()).containsOnly(two.toString());
    }
  }

  @Test
  void aDirectoryThatIsDeadAtTheStartCostsOnlyItsReplicas() throws Exception {
    Map<Integer, String> placement;
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
      placement = placement(admin, "t");
      write(node, "t", 400);
    }
    Path aside = root.resolve("aside");
    Files.move(two, aside);
    Files.writeString(two, "a disk that is not there");
    try (TestNode node = start();
        Admin admin = node.admin()) {
      assertThat(describe(admin).get(two.toString()).error())
          .isInstanceOf(KafkaStorageException.class);
      for (int partition = 0; partition < PARTITIONS; partition++) {
        if (placement.get(partition).equals(one.toString())) {
          assertThat(read(node, new TopicPartition("t", partition)))
              .isEqualTo(expected(partition, 400));
        } else {
          assertThat(one.resolve("t-" + partition)).as("not begun anew, empty").doesNotExist();
        }
      }
      create(admin, "new");
      assertThat(placement(admin, "new").values()).hasSize(PARTITIONS).containsOnly(one.toString());
    }
    Files.delete(two);
    Files.move(aside, two);
    try (TestNode node = start()) {
      for (int partition = 0; partition < PARTITIONS; partition++) {
        assertThat(read(node, new TopicPartition("t", partition)))
            .isEqualTo(expected(partition, 400));
      }
    }
  }

  @Test
  void aDirectoryThatDiesTakesItsReplicasOfflineAndTheOthersGoOn() throws Exception {
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
      Map<Integer, String> placement = placement(admin, "t");
      write(node, "t", 400);
      Files.move(two, root.resolve("aside"));
      Await.until(
          () -> describe(admin).get(two.toString()).error() instanceof KafkaStorageException,
          "the directory is found dead");
      try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
        for (int partition = 0; partition < PARTITIONS; partition++) {
          int each = partition;
          if (placement.get(partition).equals(one.toString())) {
            producer.send(new ProducerRecord<>("t", partition, null, "more")).get();
          } else {
            Await.until(() -> isWithoutLeader(admin, each), "its replicas are offline");
          }
        }
      }
      assertThat(node.node().failed().toCompletableFuture()).isNotDone();
      Files.move(one, root.resolve("aside too"));
      node.node().failed().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
  }

  private static boolean isWithoutLeader(Admin admin, int partition) throws Exception {
    TopicPartitionInfo info =
        admin
            .describeTopics(List.of("t"))
            .allTopicNames()
            .get()
            .get("t")
            .partitions()
            .get(partition);
    return info.leader() == null || info.leader().isEmpty();
  }

  @Test
  void ofTwoLogsOfAPartitionTheOneAheadIsUsedAndTheOtherLeftToTheOperator() throws Exception {
    Map<Integer, String> placement;
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
      placement = placement(admin, "t");
      write(node, "t", 40);
    }
    // As a crash amid a move leaves it, or a disk that comes back.
    Path home = Path.of(placement.get(0));
    Path other = home.equals(one) ? two : one;
    copy(home.resolve("t-0"), other.resolve("t-0"));
    try (TestNode node = start()) {
      write(node, "t", 40);
      Files.createDirectories(other.resolve("unrelated"));
    }
    try (TestNode node = start()) {
      assertThat(read(node, new TopicPartition("t", 0))).hasSize(20);
    }
    assertThat(Files.exists(home.resolve("t-0")) ^ Files.exists(other.resolve("t-0"))).isTrue();
  }

  private static void copy(Path from, Path to) throws Exception {
    Files.createDirectories(to);
    try (var files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void directoriesOfAnotherNodeAndForgottenOnesAreRefused() throws Exception {
    try (TestNode node = start()) {
      assertThat(node.node().nodeId()).isEqualTo(NODE);
    }
    Map<String, String> settings = new HashMap<>();
    settings.put("log.dirs", one + "," + root.resolve("three"));
    assertThatThrownBy(() -> TestNode.start(root.resolve("other"), settings))
        .isInstanceOf(StartupException.class)
        .hasMessageContainingAll(one.toString(), "belongs to node 1");
    Path single = root.resolve("single");
    try (TestNode node = TestNode.start(single);
        Admin admin = node.admin()) {
      create(admin, "t");
    }
    settings.put("log.dirs", root.resolve("four").toString());
    assertThatThrownBy(() -> TestNode.start(single, settings))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("log.dirs does not name " + single.resolve("partitions"));
    try (TestNode node = start();
        Admin admin = node.admin()) {
      create(admin, "t");
    }
    settings.put("log.dirs", one.toString());
    assertThatThrownBy(() -> TestNode.start(data, settings))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("log.dirs does not name " + two);
    settings.put("log.dirs", single.resolve("partitions") + "," + root.resolve("four"));
    try (TestNode node = TestNode.start(single, settings);
        Admin admin = node.admin()) {
      assertThat(placement(admin, "t").values()).containsOnly(single + "/partitions");
      ReplicaInfo info =
          describe(admin)
              .get(single + "/partitions")
              .replicaInfos()
              .get(new TopicPartition("t", 0));
      assertThat(info.isFuture()).isFalse();
    }
  }
}
