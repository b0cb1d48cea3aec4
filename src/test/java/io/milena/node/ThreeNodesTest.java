package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.DuplicateVoterException;
import org.apache.kafka.common.errors.InvalidRequestException;
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
    quorumToolsWorkAtEveryNode();

    nodes.remove(first);
    first.close();
    Await.until(() -> live(second).equals(Set.of(2, 3)), "the others live");
    createTopic(third, "without-1");
    Await.until(() -> topics(second).contains("without-1"), "the topic at node 2");

    TestNode again = start(1);
    Await.until(() -> live(again).equals(Set.of(1, 2, 3)), "all live again");
    assertThat(topics(again)).contains("of-1", "of-2", "of-3", "without-1");
  }

  private void quorumToolsWorkAtEveryNode() throws Exception {
    for (TestNode node : nodes) {
      try (Admin admin = node.admin()) {
        QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get(30, TimeUnit.SECONDS);
        assertThat(quorum.voters().stream().map(QuorumInfo.ReplicaState::replicaId))
            .containsExactlyInAnyOrder(1, 2, 3);
        assertThat(quorum.leaderId()).isPositive();
        QuorumInfo.ReplicaState voter = quorum.voters().getLast();
        assertThatThrownBy(() ->
                admin
                    .removeRaftVoter(voter.replicaId(), voter.replicaDirectoryId())
                    .all()
                    .get(30, TimeUnit.SECONDS))
            .hasCauseInstanceOf(InvalidRequestException.class)
            .hasMessageContaining("milena.metadata.voters");
        assertThatThrownBy(() ->
                admin
                    .addRaftVoter(voter.replicaId(), voter.replicaDirectoryId(), Set.of())
                    .all()
                    .get(30, TimeUnit.SECONDS))
            .hasCauseInstanceOf(DuplicateVoterException.class);
      }
    }
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
  void idOfAnotherNodeIsRefusedWhereItIsConfiguredAndAnotherIsTakenWhereItWasChosen() {
    TestNode first = start(1);
    Map<String, String> same = Map.of("milena.cluster.join", first.bootstrap(), "node.id", "1");
    assertThatThrownBy(() -> TestNode.start(directory.resolve("node-2"), same))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining("belongs to the node at")
        .hasMessageContaining("give this node another node.id");
    // Both choose the same id at first.
    List<CompletableFuture<TestNode>> starting =
        List.of(
            CompletableFuture.supplyAsync(() -> joining(3, first)),
            CompletableFuture.supplyAsync(() -> joining(4, first)));
    starting.forEach(node -> nodes.add(node.join()));
    assertThat(nodes.stream().map(node -> node.node().nodeId())).containsExactlyInAnyOrder(1, 2, 3);
  }

  private TestNode joining(int number, TestNode first) {
    return TestNode.start(
        directory.resolve("node-" + number), Map.of("milena.cluster.join", first.bootstrap()));
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
