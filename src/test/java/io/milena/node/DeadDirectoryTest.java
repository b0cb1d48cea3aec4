package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.TopicPartitionReplica;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One of two nodes loses one of its two log directories. */
@Timeout(240)
class DeadDirectoryTest {

  private static final String TOPIC = "t";
  private static final int PARTITIONS = 4;

  @TempDir Path root;
  private final Map<Integer, TestNode> nodes = new TreeMap<>();

  private void start(int number) {
    Map<String, String> settings = new HashMap<>();
    settings.put("log.dirs", directory(number, "one") + "," + directory(number, "two"));
    settings.put("replica.high.watermark.checkpoint.interval.ms", "200");
    if (number > 1) {
      settings.put("milena.cluster.join", nodes.get(1).bootstrap());
    }
    nodes.put(number, TestNode.start(root.resolve("node-" + number), settings));
  }

  private Path directory(int node, String name) {
    return root.resolve("disks-" + node).resolve(name);
  }

  @AfterEach
  void stop() {
    nodes.values().forEach(TestNode::close);
  }

  private static List<TopicPartitionInfo> partitions(Admin admin) throws Exception {
    return admin
        .describeTopics(List.of(TOPIC))
        .allTopicNames()
        .get(60, TimeUnit.SECONDS)
        .get(TOPIC)
        .partitions();
  }

  private static List<Integer> leaders(Admin admin) throws Exception {
    return partitions(admin).stream()
        .map(partition -> partition.leader() == null ? -1 : partition.leader().id())
        .toList();
  }

  private static boolean isEverywhereInSync(Admin admin) throws Exception {
    return partitions(admin).stream().allMatch(partition -> partition.isr().size() == 2);
  }

  private static List<Integer> inDirectory(Admin admin, int node, Path directory) throws Exception {
    return admin
        .describeLogDirs(List.of(node))
        .allDescriptions()
        .get(60, TimeUnit.SECONDS)
        .get(node)
        .get(directory.toString())
        .replicaInfos()
        .entrySet()
        .stream()
        .filter(entry -> entry.getKey().topic().equals(TOPIC) && !entry.getValue().isFuture())
        .map(entry -> entry.getKey().partition())
        .sorted()
        .toList();
  }

  private static void write(KafkaProducer<String, String> producer, int records) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = 0; i < records; i++) {
      sent.add(producer.send(new ProducerRecord<>(TOPIC, i % PARTITIONS, null, "v" + i)));
    }
    for (Future<RecordMetadata> record : sent) {
      record.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void leadersMoveElsewhereAndTheOtherDirectoryGoesOn() throws Exception {
    start(1);
    start(2);
    try (Admin admin = nodes.get(1).admin();
        KafkaProducer<String, String> producer =
            nodes.get(1).producer(Map.of("acks", "all", "delivery.timeout.ms", "120000"))) {
      Map<Integer, List<Integer>> assignment = new HashMap<>();
      for (int i = 0; i < PARTITIONS; i++) {
        assignment.put(i, List.of(2, 1));
      }
      Await.until(
          () -> admin.describeCluster().nodes().get(60, TimeUnit.SECONDS).size() == 2, "two nodes");
      admin.createTopics(List.of(new NewTopic(TOPIC, assignment))).all().get(60, TimeUnit.SECONDS);
      write(producer, 400);
      Await.until(() -> isEverywhereInSync(admin), "all in sync");
      Path two = directory(2, "two");
      List<Integer> lost = inDirectory(admin, 2, two);
      assertThat(lost).hasSize(PARTITIONS / 2);

      // A follower's replica moves as the leader's does.
      Path home =
          directory(1, inDirectory(admin, 1, directory(1, "one")).contains(0) ? "one" : "two");
      Path target = directory(1, home.endsWith("one") ? "two" : "one");
      admin
          .alterReplicaLogDirs(Map.of(new TopicPartitionReplica(TOPIC, 0, 1), target.toString()))
          .all()
          .get(60, TimeUnit.SECONDS);
      write(producer, 400);
      Await.until(() -> inDirectory(admin, 1, target).contains(0), "the follower's log has moved");

      Files.move(two, root.resolve("aside"));
      Await.until(
          () -> {
            List<Integer> leaders = leaders(admin);
            return lost.stream().allMatch(partition -> leaders.get(partition) == 1);
          },
          "node 1 leads what was on the dead disk");
      write(producer, 400);
      for (TopicPartitionInfo partition : partitions(admin)) {
        boolean isLost = lost.contains(partition.partition());
        assertThat(partition.leader().id()).isEqualTo(isLost ? 1 : 2);
        assertThat(partition.isr().stream().map(Node::id))
            .containsExactlyInAnyOrderElementsOf(isLost ? List.of(1) : List.of(1, 2));
      }

      // Dead at the start too: the node comes back with the rest.
      nodes.get(2).close();
      Files.writeString(two, "a disk that is not there");
      start(2);
      Await.until(
          () -> {
            List<Integer> leaders = leaders(admin);
            for (int i = 0; i < PARTITIONS; i++) {
              if (leaders.get(i) != (lost.contains(i) ? 1 : 2)) {
                return false;
              }
            }
            return true;
          },
          "node 2 leads what is on its other disk");
      write(producer, 400);

      nodes.get(2).close();
      Files.delete(two);
      Files.move(root.resolve("aside"), two);
      start(2);
      Await.until(
          () -> isEverywhereInSync(admin) && leaders(admin).equals(List.of(2, 2, 2, 2)),
          "all is as it was");
      write(producer, 400);
    }
  }
}
