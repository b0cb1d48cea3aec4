package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole nodes of one cluster in this JVM. */
class ThreeNodesTest {

  @TempDir Path directory;

  private final List<TestNode> nodes = new ArrayList<>();

  @AfterEach
  void stopNodes() {
    nodes.reversed().forEach(TestNode::close);
  }

  private TestNode start(int number, String... join) {
    TestNode node =
        TestNode.start(
            directory.resolve("node-" + number),
            join.length == 0 ? Map.of() : Map.of("milena.cluster.join", String.join(",", join)));
    nodes.add(node);
    return node;
  }

  private static Set<Integer> live(TestNode asked) throws Exception {
    try (Admin admin = asked.admin()) {
      Set<Integer> ids = new HashSet<>();
      for (Node node : admin.describeCluster().nodes().get(30, TimeUnit.SECONDS)) {
        ids.add(node.id());
      }
      return ids;
    }
  }

  private static Set<Integer> voters(TestNode asked) throws Exception {
    return asked
        .node()
        .metadata()
        .status()
        .toCompletableFuture()
        .get(30, TimeUnit.SECONDS)
        .membership()
        .voters();
  }

  private static void createTopic(TestNode asked, String name) throws Exception {
    try (Admin admin = asked.admin()) {
      admin.createTopics(List.of(new NewTopic(name, 2, (short) 1))).all().get(30, TimeUnit.SECONDS);
    }
  }

  private static Set<String> topics(TestNode asked) throws Exception {
    try (Admin admin = asked.admin()) {
      return admin.listTopics().names().get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void topicCreatedAtAnyNodeIsSeenAtAllAndANodeThatStopsLeavesTheOthersServing() throws Exception {
    TestNode first = start(1);
    TestNode second = start(2, first.bootstrap());
    TestNode third = start(3, second.bootstrap());
    assertThat(List.of(first.node().nodeId(), second.node().nodeId(), third.node().nodeId()))
        .containsExactly(1, 2, 3);
    for (TestNode node : nodes) {
      String name = "of-" + node.node().nodeId();
      createTopic(node, name);
      for (TestNode other : nodes) {
        Await.until(() -> topics(other).contains(name), name + " at " + other.node().nodeId());
      }
    }
    Await.until(() -> live(third).equals(Set.of(1, 2, 3)), "all live");
    Await.until(() -> voters(second).equals(Set.of(1, 2, 3)), "three voters");

    nodes.remove(first);
    first.close();
    Await.until(() -> live(second).equals(Set.of(2, 3)), "the others live");
    createTopic(third, "without-1");
    Await.until(() -> topics(second).contains("without-1"), "the topic at node 2");

    TestNode again = start(1);
    Await.until(() -> live(again).equals(Set.of(1, 2, 3)), "all live again");
    assertThat(topics(again)).contains("of-1", "of-2", "of-3", "without-1");
  }

  @Test
  void directoryOfAnotherClusterIsRefused() {
    TestNode first = start(1);
    start(2).close();
    nodes.removeLast();
    assertThatThrownBy(() -> start(2, first.bootstrap()))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("belongs to cluster")
        .hasMessageContaining("empty --data directory");
  }

  @Test
  void fencedNodeStartsAnewByItself() throws Exception {
    TestNode first = start(1);
    TestNode second = start(2, first.bootstrap());
    Uuid incarnation = second.node().incarnation();
    first.node().metadata().gone(2);
    Await.until(() -> !second.node().incarnation().equals(incarnation), "a new life of node 2");
    Await.until(() -> live(first).equals(Set.of(1, 2)), "both live");
    createTopic(second, "after");
    Await.until(() -> topics(first).contains("after"), "the topic at node 1");
  }
}
