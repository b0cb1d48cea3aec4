package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics with three replicas on three whole nodes in this JVM. */
@Timeout(240)
class ReplicatedTopicsTest {
  private static final String TOPIC = "replicated";
  private static final int PARTITIONS = 6;

  @TempDir Path directory;

  private final Map<Integer, TestNode> nodes = new TreeMap<>();

  @BeforeEach
  void startNodes() throws Exception {
    start(1);
    start(2, nodes.get(1).bootstrap());
    start(3, nodes.get(1).bootstrap());
    Await.until(() -> live().equals(Set.of(1, 2, 3)), "three live nodes");
    try (Admin admin = nodes.get(2).admin()) {
      admin
          .createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 3)))
          .all()
          .get(60, TimeUnit.SECONDS);
    }
  }

  @AfterEach
  void stopNodes() {
    nodes.values().forEach(TestNode::close);
  }

  private void start(int number, String... join) {
    nodes.put(
        number,
        TestNode.start(
            directory.resolve("node-" + number),
            join.length == 0 ? Map.of() : Map.of("milena.cluster.join", join[0])));
  }

  private Set<Integer> live() throws Exception {
    try (Admin admin = nodes.get(2).admin()) {
      Set<Integer> ids = new HashSet<>();
      admin.describeCluster().nodes().get(60, TimeUnit.SECONDS).forEach(node -> ids.add(node.id()));
      return ids;
    }
  }

  private List<TopicPartitionInfo> partitions() throws Exception {
    try (Admin admin = nodes.get(2).admin()) {
      return admin
          .describeTopics(List.of(TOPIC))
          .allTopicNames()
          .get(60, TimeUnit.SECONDS)
          .get(TOPIC)
          .partitions();
    }
  }

  private boolean everyReplicaIsInSync() throws Exception {
    return partitions().stream().allMatch(partition -> partition.isr().size() == 3);
  }

  private KafkaProducer<String, String> producer() {
    return nodes.get(2).producer(Map.of("acks", "all", "delivery.timeout.ms", "120000"));
  }

  private static List<Future<RecordMetadata>> send(
      KafkaProducer<String, String> producer, int from, int to) {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = from; i < to; i++) {
      String value = i + ":" + "x".repeat(i % 3_000);
      sent.add(producer.send(new ProducerRecord<>(TOPIC, i % PARTITIONS, null, value)));
    }
    return sent;
  }

  private static void acknowledged(List<Future<RecordMetadata>> sent) throws Exception {
    for (Future<RecordMetadata> record : sent) {
      record.get(120, TimeUnit.SECONDS);
    }
  }

  /** The segments of the topic on a node, by path within its partitions' directories. */
  private Map<String, byte[]> segments(int node) throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    try (Stream<Path> files = Files.walk(directory.resolve("node-" + node))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String parent = String.valueOf(file.getParent().getFileName());
        if (parent.startsWith(TOPIC + "-") && file.toString().endsWith(".log")) {
          found.put(parent + "/" + file.getFileName(), Files.readAllBytes(file));
        }
      }
    }
    return found;
  }

  private void awaitSameBytesEverywhere() throws Exception {
    for (int node : nodes.keySet()) {
      Await.until(() -> isSame(segments(1), segments(node)), "bytes of node " + node);
    }
    assertThat(segments(1)).hasSizeGreaterThanOrEqualTo(PARTITIONS);
  }

  private static boolean isSame(Map<String, byte[]> one, Map<String, byte[]> other) {
    return one.keySet().equals(other.keySet())
        && one.entrySet().stream()
            .allMatch(
                entry -> java.util.Arrays.equals(entry.getValue(), other.get(entry.getKey())));
  }

  /** Every record is there once, in the order in which it was sent. */
  private void assertEachOnce(int count) {
    Map<Integer, Integer> last = new TreeMap<>();
    Set<Integer> seen = new TreeSet<>();
    try (KafkaConsumer<String, String> consumer = nodes.get(2).consumer(Map.of())) {
      List<TopicPartition> all = new ArrayList<>();
      for (int p = 0; p < PARTITIONS; p++) {
        all.add(new TopicPartition(TOPIC, p));
      }
      consumer.assign(all);
      consumer.seekToBeginning(all);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (seen.size() < count && System.nanoTime() - deadline < 0) {
        consumer
            .poll(Duration.ofMillis(200))
            .forEach(record -> {
              int number = Integer.parseInt(record.value().split(":", 2)[0]);
              assertThat(seen.add(number)).as("record %d a second time", number).isTrue();
              Integer before = last.put(record.partition(), number);
              assertThat(before == null || before < number).as("order at %d", number).isTrue();
            });
      }
    }
    assertThat(seen).hasSize(count);
  }

  @Test
  void everyNodeHasTheSameBytesAlsoAfterOneWasAway() throws Exception {
    assertThat(partitions()).allSatisfy(partition -> assertThat(partition.replicas()).hasSize(3));
    int sent = 3_050;
    try (KafkaProducer<String, String> producer = producer()) {
      acknowledged(send(producer, 0, 3_000));
      for (int i = 3_000; i < sent; i++) {
        acknowledged(send(producer, i, i + 1));
      }
      awaitSameBytesEverywhere();
      for (int number : new int[] {3, 1}) {
        List<Future<RecordMetadata>> meanwhile = send(producer, sent, sent + 1_000);
        sent += 1_000;
        nodes.remove(number).close();
        acknowledged(meanwhile);
        acknowledged(send(producer, sent, sent + 500));
        sent += 500;
        start(number);
        Await.until(this::everyReplicaIsInSync, "every replica in sync again");
      }
    }
    awaitSameBytesEverywhere();
    assertEachOnce(sent);
  }
}
