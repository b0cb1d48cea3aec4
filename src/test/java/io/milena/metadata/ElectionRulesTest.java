package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.ElectLeaders;
import io.milena.metadata.MetadataReply.ItemResult;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** KIP-460, and unclean election where a topic asks for it. */
class ElectionRulesTest {

  private static final TopicPartition SAFE = new TopicPartition("safe", 0);
  private static final TopicPartition LOSSY = new TopicPartition("lossy", 0);

  /** Two topics in one set of the nodes 0, 1 and 2. */
  private static MetadataFixture twoTopics() {
    MetadataFixture group = MetadataFixture.withNodes(4);
    group.create(MetadataFixture.topic("safe", Map.of(0, List.of(0, 1, 2))));
    group.create(MetadataFixture.topic("lossy", Map.of(0, List.of(0, 1, 2))));
    assertThat(group.setOf("safe", 0)).isEqualTo(group.setOf("lossy", 0));
    return group;
  }

  private static List<ItemResult<TopicPartition>> elect(
      MetadataFixture group, boolean unclean, TopicPartition... partitions) {
    return group.submit(new ElectLeaders(unclean, Optional.of(List.of(partitions)))).results();
  }

  private static Errors electOne(MetadataFixture group, boolean unclean, TopicPartition partition) {
    return elect(group, unclean, partition).getFirst().error();
  }

  private static void preferUncleanFor(MetadataFixture group, String topic) {
    assertThat(
            group
                .alter(
                    MetadataFixture.topicResource(topic),
                    MetadataFixture.set("unclean.leader.election.enable", "true"))
                .error())
        .isEqualTo(Errors.NONE);
  }

  /** Node 0 alone has every record when it dies; 1 and 2 are back, but behind. */
  private static void loseLeader(MetadataFixture group) {
    group.fence(1);
    group.fence(2);
    group.unfence(1);
    group.unfence(2);
    group.fence(0);
  }

  @Test
  void preferredReplicaLeadsTheWholeSetOnceItIsBackInSync() {
    MetadataFixture group = twoTopics();
    group.fence(0);
    assertThat(group.setOf("safe", 0).leader()).isEqualTo(1);
    assertThat(electOne(group, false, SAFE)).isEqualTo(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
    group.unfence(0);
    ItemResult<TopicPartition> behind = elect(group, false, SAFE).getFirst();
    assertThat(behind.error()).isEqualTo(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
    assertThat(behind.message()).contains("node 0");
    assertThat(group.lastRecords()).isEmpty();

    group.catchUp(group.setOf("safe", 0), 0);
    assertThat(elect(group, false, SAFE, LOSSY))
        .extracting(ItemResult::error)
        .containsExactly(Errors.NONE, Errors.NONE);
    assertThat(group.setOf("lossy", 0).leader()).isEqualTo(0);
    assertThat(group.setOf("lossy", 0).leaderEpoch()).isEqualTo(2);
    assertThat(electOne(group, false, SAFE)).isEqualTo(Errors.ELECTION_NOT_NEEDED);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void unknownPartitionsAreRefusedByName() {
    MetadataFixture group = twoTopics();
    assertThat(elect(group, true, new TopicPartition("none", 0), new TopicPartition("safe", 7)))
        .containsExactly(
            new ItemResult<>(
                new TopicPartition("none", 0),
                Errors.UNKNOWN_TOPIC_OR_PARTITION,
                "No such topic as none"),
            new ItemResult<>(
                new TopicPartition("safe", 7),
                Errors.UNKNOWN_TOPIC_OR_PARTITION,
                "No such partition as safe-7"));
  }

  @Test
  void askingForAllAnswersOnlyForThoseThatNeededIt() {
    MetadataFixture group = twoTopics();
    group.create(MetadataFixture.topic("fine", Map.of(0, List.of(3))));
    group.fence(0);
    group.unfence(0);
    group.catchUp(group.setOf("safe", 0), 0);
    assertThat(group.submit(new ElectLeaders(false, Optional.empty())).results())
        .extracting(ItemResult::key)
        .containsExactly(LOSSY, SAFE);
    assertThat(group.submit(new ElectLeaders(false, Optional.empty())).results()).isEmpty();
  }

  @Test
  void withoutAConfigurationNobodyLeadsWhatOnlyADeadNodeHas() {
    MetadataFixture group = twoTopics();
    loseLeader(group);
    assertThat(group.setOf("safe", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    assertThat(group.setOf("lossy", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
  }

  @Test
  void uncleanElectionByHandDetachesThePartitionAndLeavesOthersAlone() {
    MetadataFixture group = twoTopics();
    assertThat(electOne(group, true, LOSSY)).isEqualTo(Errors.ELECTION_NOT_NEEDED);
    loseLeader(group);
    ReplicaSetImage shared = group.setOf("safe", 0);
    assertThat(electOne(group, true, LOSSY)).isEqualTo(Errors.NONE);
    ReplicaSetImage detached = group.setOf("lossy", 0);
    assertThat(detached.detached()).isTrue();
    assertThat(detached.replicas()).containsExactly(0, 1, 2);
    assertThat(detached.leader()).isEqualTo(1);
    assertThat(detached.isr()).containsExactly(1);
    assertThat(detached.elr()).isEmpty();
    assertThat(detached.leaderEpoch()).isGreaterThan(shared.leaderEpoch());
    assertThat(group.setOf("safe", 0)).isEqualTo(shared);
    assertThat(electOne(group, true, LOSSY)).isEqualTo(Errors.ELECTION_NOT_NEEDED);
  }

  @Test
  void uncleanElectionOfAWholeSetNeedsNoOtherSet() {
    MetadataFixture group = twoTopics();
    loseLeader(group);
    int set = group.setOf("safe", 0).id();
    assertThat(elect(group, true, SAFE, LOSSY))
        .extracting(ItemResult::error)
        .containsExactly(Errors.NONE, Errors.NONE);
    assertThat(group.setOf("safe", 0).id()).isEqualTo(set);
    assertThat(group.setOf("lossy", 0).id()).isEqualTo(set);
    assertThat(group.setOf("safe", 0).leader()).isEqualTo(1);
  }

  @Test
  void uncleanElectionNeedsALiveReplica() {
    MetadataFixture group = twoTopics();
    loseLeader(group);
    group.fence(1);
    group.fence(2);
    assertThat(electOne(group, true, LOSSY)).isEqualTo(Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void topicThatAcceptsTheLossIsServedWithTheCommitThatFencesItsLastReplica() {
    MetadataFixture group = twoTopics();
    preferUncleanFor(group, "lossy");
    loseLeader(group);
    assertThat(group.setOf("lossy", 0).leader()).isEqualTo(1);
    assertThat(group.setOf("lossy", 0).detached()).isTrue();
    assertThat(group.setOf("safe", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
  }

  @Test
  void topicThatBeginsToAcceptTheLossIsServedAtOnce() {
    MetadataFixture group = twoTopics();
    loseLeader(group);
    preferUncleanFor(group, "lossy");
    assertThat(group.setOf("lossy", 0).leader()).isEqualTo(1);
  }

  @Test
  void whereEveryTopicAcceptsTheLossTheSetStaysWhole() {
    MetadataFixture group = twoTopics();
    group.alter(
        MetadataFixture.nodeResource(""),
        MetadataFixture.set("unclean.leader.election.enable", "true"));
    loseLeader(group);
    assertThat(group.setOf("lossy", 0)).isEqualTo(group.setOf("safe", 0));
    assertThat(group.setOf("lossy", 0).detached()).isFalse();
    assertThat(group.setOf("lossy", 0).leader()).isEqualTo(1);
  }

  @Test
  void detachedPartitionIsMergedBackAboveBothEpochsOnceBothAgree() {
    MetadataFixture group = twoTopics();
    loseLeader(group);
    electOne(group, true, LOSSY);
    group.unfence(0);
    group.catchUp(group.setOf("safe", 0), 1, 2);
    group.catchUp(group.setOf("lossy", 0), 0, 2);
    assertThat(group.setOf("lossy", 0).detached()).as("two leaders").isTrue();
    ReplicaSetImage before = group.setOf("lossy", 0);
    ReplicaSetImage shared = group.setOf("safe", 0);
    assertThat(electOne(group, false, LOSSY)).isEqualTo(Errors.NONE);
    ReplicaSetImage merged = group.setOf("lossy", 0);
    assertThat(merged.id()).isEqualTo(shared.id());
    assertThat(merged.leader()).isEqualTo(0);
    assertThat(merged.leaderEpoch()).isGreaterThan(before.leaderEpoch());
    assertThat(merged.leaderEpoch()).isGreaterThanOrEqualTo(shared.leaderEpoch());
    assertThat(merged.partitionEpoch()).isGreaterThan(shared.partitionEpoch());
    assertThat(group.image().replicaSets()).doesNotContainKey(before.id());
  }
}
