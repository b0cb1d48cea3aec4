package io.milena.metadata;

import static io.milena.metadata.MetadataFixture.topic;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.MorePartitions;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataCommand.TopicReference;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TopicRulesTest {

  static Stream<Arguments> refusedTopics() {
    return Stream.of(
        Arguments.of(topic("", 1, 1), Errors.INVALID_TOPIC_EXCEPTION, "empty"),
        Arguments.of(topic("..", 1, 1), Errors.INVALID_TOPIC_EXCEPTION, "'..'"),
        Arguments.of(topic("a b", 1, 1), Errors.INVALID_TOPIC_EXCEPTION, "a b"),
        Arguments.of(topic("x".repeat(250), 1, 1), Errors.INVALID_TOPIC_EXCEPTION, "249"),
        Arguments.of(topic("__cluster_metadata", 1, 1), Errors.INVALID_TOPIC_EXCEPTION, "reserved"),
        Arguments.of(topic("there", 1, 1), Errors.TOPIC_ALREADY_EXISTS, "there"),
        Arguments.of(topic("with_dot", 1, 1), Errors.INVALID_TOPIC_EXCEPTION, "with.dot"),
        Arguments.of(topic("t", 0, 1), Errors.INVALID_PARTITIONS, "0"),
        Arguments.of(topic("t", -2, 1), Errors.INVALID_PARTITIONS, "-2"),
        Arguments.of(topic("t", 10_001, 1), Errors.POLICY_VIOLATION, "10000"),
        Arguments.of(topic("t", Integer.MAX_VALUE, 1), Errors.POLICY_VIOLATION, "10000"),
        Arguments.of(topic("t", 1, 0), Errors.INVALID_REPLICATION_FACTOR, "0"),
        Arguments.of(topic("t", 1, 4), Errors.INVALID_REPLICATION_FACTOR, "factor of 4"),
        Arguments.of(
            new NewTopic("t", 1, -1, Map.of(0, List.of(0)), Map.of(), false),
            Errors.INVALID_REQUEST,
            "numPartitions"),
        Arguments.of(
            new NewTopic("t", -1, 1, Map.of(0, List.of(0)), Map.of(), false),
            Errors.INVALID_REQUEST,
            "replication factor"),
        Arguments.of(
            topic("t", Map.of(0, List.of(0), 2, List.of(0))),
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "partition 1 is missing"),
        Arguments.of(
            topic("t", Map.of(0, List.of())), Errors.INVALID_REPLICA_ASSIGNMENT, "empty replica"),
        Arguments.of(
            topic("t", Map.of(0, List.of(1, 1))),
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "broker 1 more than once"),
        Arguments.of(
            topic("t", Map.of(0, List.of(0, 9))), Errors.INVALID_REPLICA_ASSIGNMENT, "broker 9"),
        Arguments.of(
            topic("t", Map.of(0, List.of(0, 1), 1, List.of(2))),
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "1 replica(s)"),
        Arguments.of(
            topic("t", Map.of("retention.msec", "1"), 1), Errors.INVALID_CONFIG, "retention.msec"),
        Arguments.of(
            topic("t", Map.of("retention.ms", "soon"), 1), Errors.INVALID_CONFIG, "retention.ms"));
  }

  @ParameterizedTest
  @MethodSource("refusedTopics")
  void refusedTopicNamesTheReasonAndChangesNothing(NewTopic topic, Errors error, String part) {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(topic("there", 1, 1));
    group.create(topic("with.dot", 1, 1));
    MetadataReply.TopicCreated refused = group.create(topic);
    assertThat(refused.error()).isEqualTo(error);
    assertThat(refused.message()).contains(part);
    assertThat(refused.topicId()).isEmpty();
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void createdTopicIsThereWithItsConfigsAndDefaults() {
    MetadataFixture group =
        MetadataFixture.withNodes(3)
            .withNodeConfig(Map.of("num.partitions", "6", "default.replication.factor", "2"));
    MetadataReply.TopicCreated created =
        group.create(new NewTopic("t", -1, -1, Map.of(), Map.of("retention.ms", "5"), false));
    assertThat(created.error()).isEqualTo(Errors.NONE);
    assertThat(created.partitionCount()).isEqualTo(6);
    assertThat(created.replicationFactor()).isEqualTo(2);
    assertThat(group.image().topic(created.topicId().orElseThrow()).name()).isEqualTo("t");
    assertThat(group.image().overrides(MetadataFixture.topicResource("t")))
        .containsExactly(Map.entry("retention.ms", "5"));
  }

  @Test
  void oneRefusalDoesNotKeepTheOthersFromBeingCreated() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    var reply =
        group.submit(
            new MetadataCommand.CreateTopics(
                List.of(topic("a", 1, 1), topic("b", 0, 1), topic("c", 1, 1), topic("c", 2, 1)),
                false));
    assertThat(reply.topics())
        .extracting(MetadataReply.TopicCreated::error)
        .containsExactly(
            Errors.NONE, Errors.INVALID_PARTITIONS, Errors.INVALID_REQUEST, Errors.INVALID_REQUEST);
    assertThat(group.image().topicsByName()).containsOnlyKeys("a");
  }

  @Test
  void namesThatCollideWithinOneRequestAreRefused() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("old.one", 1, 1));
    var reply =
        group.submit(
            new MetadataCommand.CreateTopics(
                List.of(topic("a.b", 1, 1), topic("a_b", 1, 1), topic("old_one", 1, 1)), false));
    assertThat(reply.topics())
        .extracting(MetadataReply.TopicCreated::error)
        .containsExactly(
            Errors.NONE, Errors.INVALID_TOPIC_EXCEPTION, Errors.INVALID_TOPIC_EXCEPTION);
  }

  @Test
  void partitionsOfOneRequestAreBoundedTogether() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    var reply =
        group.submit(
            new MetadataCommand.CreateTopics(
                List.of(topic("a", 9_999, 1), topic("b", 2, 1), topic("c", 1, 1)), false));
    assertThat(reply.topics())
        .extracting(MetadataReply.TopicCreated::error)
        .containsExactly(Errors.NONE, Errors.POLICY_VIOLATION, Errors.NONE);
  }

  @Test
  void validateOnlyDecidesTheSameAndChangesNothing() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    var reply =
        group.submit(
            new MetadataCommand.CreateTopics(List.of(topic("a", 3, 1), topic("b", 0, 1)), true));
    assertThat(reply.topics())
        .extracting(MetadataReply.TopicCreated::error)
        .containsExactly(Errors.NONE, Errors.INVALID_PARTITIONS);
    assertThat(reply.topics().getFirst().topicId()).isEmpty();
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void withEveryNodeFencedNoTopicIsCreated() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.fence(0);
    assertThat(group.create(topic("t", 1, 1)).message()).contains("fenced");
    assertThat(group.create(topic("t", Map.of(0, List.of(0)))).error())
        .isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT);
  }

  @Test
  void aFencedNodeIsAReplicaOnlyWhereItIsNeededAndNotInSync() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.fence(1);
    group.create(topic("two", 10, 2));
    assertThat(group.replicasOf("two")).noneMatch(replicas -> replicas.contains(1));
    group.create(topic("three", 1, 3));
    ReplicaSetImage set = group.setOf("three", 0);
    assertThat(set.replicas()).hasSize(3).endsWith(1);
    assertThat(set.isr()).containsExactlyInAnyOrder(0, 2);
  }

  @Test
  void onOneNodeEveryPartitionSharesOneSet() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("a", 50, 1));
    group.create(topic("b", 50, 1));
    group.create(topic("c", Map.of(0, List.of(0))));
    assertThat(group.image().replicaSets()).hasSize(1);
    assertThat(group.setOf("c", 0).replicas()).containsExactly(0);
  }

  @Test
  void preferredLeadersRotateOverTheNodesAndSetsStayFew() {
    MetadataFixture group = MetadataFixture.withNodes(6);
    group.create(topic("t", 600, 3));
    for (int node = 0; node < 6; node++) {
      int leader = node;
      assertThat(group.replicasOf("t")).filteredOn(r -> r.getFirst() == leader).hasSize(100);
    }
    assertThat(group.image().replicaSets()).hasSize(6 * Placement.SETS_PER_LEADER_MAX);
    group.create(topic("u", 600, 3));
    assertThat(group.image().replicaSets()).hasSize(6 * Placement.SETS_PER_LEADER_MAX);
  }

  @Test
  void theFollowersOfALeaderDifferSoThatItsLoadIsSpreadWhenItDies() {
    MetadataFixture group = MetadataFixture.withNodes(4);
    group.create(topic("t", 12, 2));
    group.fence(0);
    List<Integer> heirs =
        group.image().replicaSets().values().stream()
            .filter(set -> set.replicas().getFirst() == 0)
            .map(ReplicaSetImage::leader)
            .toList();
    assertThat(heirs).containsExactlyInAnyOrder(1, 2, 3);
  }

  @Test
  void replicasSpreadOverRacks() {
    MetadataFixture group = new MetadataFixture();
    for (int node = 0; node < 6; node++) {
      group.start(node, Optional.of("rack-" + node / 2));
    }
    group.create(topic("t", 60, 3));
    assertThat(group.replicasOf("t"))
        .allSatisfy(replicas ->
            assertThat(new HashSet<>(replicas.stream().map(node -> node / 2).toList())).hasSize(3));
  }

  @Test
  void assignmentByHandIsKept() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(topic("t", Map.of(0, List.of(2, 0), 1, List.of(0, 2), 2, List.of(2, 0))));
    assertThat(group.replicasOf("t")).containsExactly(List.of(2, 0), List.of(0, 2), List.of(2, 0));
    assertThat(group.setOf("t", 0).id()).isEqualTo(group.setOf("t", 2).id());
    assertThat(group.setOf("t", 0).leader()).isEqualTo(2);
  }

  @Test
  void addedPartitionsGoOnWithTheRotation() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(topic("t", 2, 2));
    var reply = more(group, new MorePartitions("t", 6, List.of()));
    assertThat(reply.error()).isEqualTo(Errors.NONE);
    assertThat(group.replicasOf("t")).hasSize(6);
    for (int node = 0; node < 3; node++) {
      int leader = node;
      assertThat(group.replicasOf("t")).filteredOn(r -> r.getFirst() == leader).hasSize(2);
    }
  }

  static Stream<Arguments> refusedPartitions() {
    return Stream.of(
        Arguments.of(
            new MorePartitions("none", 3, List.of()), Errors.UNKNOWN_TOPIC_OR_PARTITION, "none"),
        Arguments.of(new MorePartitions("t", 2, List.of()), Errors.INVALID_PARTITIONS, "already"),
        Arguments.of(new MorePartitions("t", 1, List.of()), Errors.INVALID_PARTITIONS, "increase"),
        Arguments.of(new MorePartitions("t", 0, List.of()), Errors.INVALID_PARTITIONS, "increase"),
        Arguments.of(new MorePartitions("t", 20_000, List.of()), Errors.POLICY_VIOLATION, "10000"),
        Arguments.of(
            new MorePartitions("t", 4, List.of(List.of(0, 1))),
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "only 1"),
        Arguments.of(
            new MorePartitions("t", 3, List.of(List.of(0))),
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "1 replica(s)"),
        Arguments.of(
            new MorePartitions("t", 3, List.of(List.of(0, 7))),
            Errors.INVALID_REPLICA_ASSIGNMENT,
            "broker 7"));
  }

  @ParameterizedTest
  @MethodSource("refusedPartitions")
  void refusedPartitionsNameTheReason(MorePartitions topic, Errors error, String part) {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(topic("t", 2, 2));
    var refused = more(group, topic);
    assertThat(refused.error()).isEqualTo(error);
    assertThat(refused.message()).contains(part);
    assertThat(group.lastRecords()).isEmpty();
  }

  private static MetadataReply.ItemResult<String> more(
      MetadataFixture group, MorePartitions topic) {
    return group
        .submit(new MetadataCommand.CreatePartitions(List.of(topic), false))
        .results()
        .getFirst();
  }

  @Test
  void deletedTopicTakesItsConfigsAlong() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    Uuid id = group.create(topic("t", Map.of("retention.ms", "5"), 3)).topicId().orElseThrow();
    var deleted = delete(group, byId(id));
    assertThat(deleted).extracting(MetadataReply.TopicDeleted::error).containsExactly(Errors.NONE);
    assertThat(deleted.getFirst().name()).contains("t");
    assertThat(group.image().topicsByName()).isEmpty();
    assertThat(group.image().configs()).isEmpty();
  }

  @Test
  void unknownOrRepeatedTopicsAreNotDeleted() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    Uuid id = group.create(topic("t", 1, 1)).topicId().orElseThrow();
    group.create(topic("u", 1, 1));
    assertThat(
            delete(
                group,
                byName("none"),
                byId(new Uuid(1, 1)),
                byName("u"),
                byName("u"),
                byName("t"),
                byId(id),
                new TopicReference(Optional.empty(), Optional.empty())))
        .extracting(MetadataReply.TopicDeleted::error)
        .containsExactly(
            Errors.UNKNOWN_TOPIC_OR_PARTITION,
            Errors.UNKNOWN_TOPIC_ID,
            Errors.INVALID_REQUEST,
            Errors.INVALID_REQUEST,
            Errors.NONE,
            Errors.INVALID_REQUEST,
            Errors.INVALID_REQUEST);
    assertThat(group.image().topicsByName()).containsOnlyKeys("u");
  }

  @Test
  void deletionCanBeDisabled() {
    MetadataFixture group =
        MetadataFixture.withNodes(1).withNodeConfig(Map.of("delete.topic.enable", "false"));
    group.create(topic("t", 1, 1));
    assertThat(delete(group, byName("t")).getFirst().error())
        .isEqualTo(Errors.TOPIC_DELETION_DISABLED);
  }

  @Test
  void emptySetsAreKeptWhileFewAndRemovedWhenMany() {
    MetadataFixture group = MetadataFixture.withNodes(9);
    group.create(topic("few", Map.of(0, List.of(0, 1))));
    delete(group, byName("few"));
    assertThat(group.image().replicaSets()).hasSize(1);
    Map<Integer, List<Integer>> pairs =
        IntStream.range(0, 81)
            .filter(i -> i / 9 != i % 9)
            .mapToObj(i -> List.of(i / 9, i % 9))
            .collect(java.util.HashMap::new, (map, pair) -> map.put(map.size(), pair), Map::putAll);
    group.create(topic("many", pairs));
    assertThat(group.image().replicaSets()).hasSize(72);
    delete(group, byName("many"));
    assertThat(group.image().replicaSets()).isEmpty();
    group.create(topic("again", 1, 1));
    assertThat(group.setOf("again", 0).id()).isEqualTo(72);
  }

  private static TopicReference byName(String name) {
    return new TopicReference(Optional.of(name), Optional.empty());
  }

  private static TopicReference byId(Uuid id) {
    return new TopicReference(Optional.empty(), Optional.of(id));
  }

  private static List<MetadataReply.TopicDeleted> delete(
      MetadataFixture group, TopicReference... topics) {
    return group.submit(new MetadataCommand.DeleteTopics(List.of(topics))).topics();
  }
}
