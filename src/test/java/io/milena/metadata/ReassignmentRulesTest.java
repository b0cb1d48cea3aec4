package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.AlterReassignments;
import io.milena.metadata.MetadataCommand.Reassignment;
import io.milena.metadata.MetadataReply.ItemResult;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** KIP-455. */
class ReassignmentRulesTest {

  /** Topic {@code t}: partitions 0 and 1 on the nodes 0, 1 and 2, partition 2 on 3, 4 and 5. */
  private static MetadataFixture sixNodes() {
    MetadataFixture group = MetadataFixture.withNodes(6);
    group.create(
        MetadataFixture.topic(
            "t", Map.of(0, List.of(0, 1, 2), 1, List.of(0, 1, 2), 2, List.of(3, 4, 5))));
    return group;
  }

  private static Reassignment to(int partition, Integer... target) {
    return new Reassignment(new TopicPartition("t", partition), Optional.of(List.of(target)));
  }

  private static Reassignment cancel(int partition) {
    return new Reassignment(new TopicPartition("t", partition), Optional.empty());
  }

  private static List<ItemResult<TopicPartition>> alter(
      MetadataFixture group, Reassignment... reassignments) {
    return group.submit(new AlterReassignments(List.of(reassignments), true)).results();
  }

  private static void assertDone(List<ItemResult<TopicPartition>> results) {
    assertThat(results).isNotEmpty().allMatch(result -> result.error() == Errors.NONE);
  }

  private static void assertRefused(
      MetadataFixture group, Errors error, String reason, Reassignment reassignment) {
    ItemResult<TopicPartition> result = alter(group, reassignment).getFirst();
    assertThat(result.error()).isEqualTo(error);
    assertThat(result.message()).contains(reason);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void partitionThatMovesIsDetachedAndServedByItsLeaderMeanwhile() {
    MetadataFixture group = sixNodes();
    ReplicaSetImage before = group.setOf("t", 0);
    assertDone(alter(group, to(0, 3, 4, 1)));
    ReplicaSetImage moving = group.setOf("t", 0);
    assertThat(moving.detached()).isTrue();
    assertThat(moving.replicas()).containsExactly(3, 4, 1, 0, 2);
    assertThat(moving.addingReplicas()).containsExactly(3, 4);
    assertThat(moving.removingReplicas()).containsExactly(0, 2);
    assertThat(moving.leader()).isEqualTo(0);
    assertThat(moving.isr()).containsExactlyInAnyOrder(0, 1, 2);
    assertThat(moving.leaderEpoch()).isGreaterThan(before.leaderEpoch());
    assertThat(group.setOf("t", 1)).isEqualTo(before);
  }

  @Test
  void reassignmentEndsOnceEveryAddedReplicaIsInSync() {
    MetadataFixture group = sixNodes();
    alter(group, to(0, 3, 4, 1));
    group.catchUp(group.setOf("t", 0), 3);
    assertThat(group.setOf("t", 0).isReassigning()).isTrue();
    int epoch = group.setOf("t", 0).leaderEpoch();
    group.catchUp(group.setOf("t", 0), 4);
    ReplicaSetImage done = group.setOf("t", 0);
    assertThat(done.isReassigning()).isFalse();
    assertThat(done.detached()).as("no other set is like it").isFalse();
    assertThat(done.replicas()).containsExactly(3, 4, 1);
    assertThat(done.isr()).containsExactlyInAnyOrder(3, 4, 1);
    assertThat(done.leader()).isEqualTo(3);
    assertThat(done.leaderEpoch()).isGreaterThan(epoch);
  }

  @Test
  void partitionThatArrivesWhereOthersAreJoinsTheirSet() {
    MetadataFixture group = sixNodes();
    ReplicaSetImage home = group.setOf("t", 2);
    alter(group, to(0, 3, 4, 5));
    group.catchUp(group.setOf("t", 0), 3, 4, 5);
    assertThat(group.setOf("t", 0).id()).isEqualTo(home.id());
    assertThat(group.setOf("t", 2)).isEqualTo(group.setOf("t", 0));
    assertThat(group.setOf("t", 0).leader()).isEqualTo(3);
    assertThat(group.image().replicaSets()).hasSize(2);
  }

  @Test
  void partitionWaitsDetachedForAHomeThatIsNotWhole() {
    MetadataFixture group = sixNodes();
    group.fence(5);
    alter(group, to(0, 3, 4, 5));
    group.catchUp(group.setOf("t", 0), 3, 4);
    assertThat(group.setOf("t", 0).isReassigning()).isTrue();
    group.unfence(5);
    group.catchUp(group.setOf("t", 0), 5);
    assertThat(group.setOf("t", 0).isReassigning()).isFalse();
    assertThat(group.setOf("t", 0).detached()).isTrue();
    group.catchUp(group.setOf("t", 2), 5);
    assertThat(group.setOf("t", 0)).isEqualTo(group.setOf("t", 2));
  }

  @Test
  void partitionsOfOneSetWithOneTargetTravelTogether() {
    MetadataFixture group = sixNodes();
    assertDone(alter(group, to(0, 1, 2, 3), to(1, 1, 2, 3)));
    assertThat(group.setOf("t", 0)).isEqualTo(group.setOf("t", 1));
    assertThat(group.image().replicaSets()).hasSize(3);
    assertDone(alter(group, cancel(1)));
    assertThat(group.setOf("t", 0).isReassigning()).isTrue();
    assertThat(group.setOf("t", 1).isReassigning()).isFalse();
    group.catchUp(group.setOf("t", 0), 3);
    assertThat(group.replicasOf("t").getFirst()).containsExactly(1, 2, 3);
  }

  @Test
  void newOrderNeedsNoCopyAndIsDoneAtOnce() {
    MetadataFixture group = sixNodes();
    assertDone(alter(group, to(0, 2, 1, 0)));
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.replicas()).containsExactly(2, 1, 0);
    assertThat(set.detached()).isFalse();
    assertThat(set.leader()).isEqualTo(0);
  }

  @Test
  void fewerReplicasAreThereAtOnceWithAnotherLeaderIfTheOldOneGoes() {
    MetadataFixture group = sixNodes();
    assertDone(alter(group, to(0, 2)));
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.replicas()).containsExactly(2);
    assertThat(set.isr()).containsExactly(2);
    assertThat(set.leader()).isEqualTo(2);
  }

  @Test
  void removalWaitsUntilWhatRemainsCanLead() {
    MetadataFixture group = sixNodes();
    group.fence(2);
    assertDone(alter(group, to(0, 2)));
    assertThat(group.setOf("t", 0).isReassigning()).isTrue();
    assertThat(group.setOf("t", 0).leader()).isEqualTo(0);
    group.unfence(2);
    group.catchUp(group.setOf("t", 0), 2);
    assertThat(group.setOf("t", 0).replicas()).containsExactly(2);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(2);
  }

  @Test
  void cancellingBringsThePartitionBackToItsSet() {
    MetadataFixture group = sixNodes();
    ReplicaSetImage home = group.setOf("t", 1);
    alter(group, to(0, 3, 4, 5));
    group.catchUp(group.setOf("t", 0), 3);
    int epoch = group.setOf("t", 0).leaderEpoch();
    assertDone(alter(group, cancel(0)));
    assertThat(group.setOf("t", 0)).isEqualTo(group.setOf("t", 1));
    assertThat(group.setOf("t", 0).id()).isEqualTo(home.id());
    assertThat(group.setOf("t", 0).replicas()).containsExactly(0, 1, 2);
    assertThat(group.setOf("t", 0).leaderEpoch()).isGreaterThan(epoch);
    assertThat(group.image().replicaSets()).hasSize(2);
  }

  @Test
  void newTargetDropsWhatTheOldOneWasAdding() {
    MetadataFixture group = sixNodes();
    alter(group, to(0, 3, 4, 5));
    int dropped = group.setOf("t", 0).id();
    assertDone(alter(group, to(0, 0, 1, 4)));
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.replicas()).containsExactly(0, 1, 4, 2);
    assertThat(set.addingReplicas()).containsExactly(4);
    assertThat(set.removingReplicas()).containsExactly(2);
    assertThat(group.image().replicaSets()).doesNotContainKey(dropped);
  }

  @Test
  void cancellingThatWouldLoseRecordsIsRefused() {
    MetadataFixture group = sixNodes();
    alter(group, to(0, 3, 4, 5));
    group.catchUp(group.setOf("t", 0), 3, 4);
    group.alter(MetadataFixture.nodeResource(""), MetadataFixture.set("min.insync.replicas", "1"));
    group.fence(0);
    group.fence(1);
    group.fence(2);
    assertThat(group.setOf("t", 0).isr()).containsExactlyInAnyOrder(3, 4);
    assertRefused(
        group,
        Errors.INVALID_REPLICA_ASSIGNMENT,
        "would require an unclean leader election",
        cancel(0));
  }

  @Test
  void targetsThatCannotBeAreRefused() {
    MetadataFixture group = sixNodes();
    assertRefused(group, Errors.INVALID_REPLICA_ASSIGNMENT, "no such broker", to(0, 1, 9));
    assertRefused(group, Errors.INVALID_REPLICA_ASSIGNMENT, "more than once", to(0, 1, 1));
    assertRefused(group, Errors.INVALID_REPLICA_ASSIGNMENT, "empty replica list", to(0));
    assertRefused(group, Errors.UNKNOWN_TOPIC_OR_PARTITION, "t-8", to(8, 1));
    assertRefused(group, Errors.NO_REASSIGNMENT_IN_PROGRESS, "", cancel(0));
  }

  @Test
  void anotherReplicationFactorIsRefusedWhereTheClientDoesNotAllowIt() {
    MetadataFixture group = sixNodes();
    ItemResult<TopicPartition> refused =
        group.submit(new AlterReassignments(List.of(to(0, 1, 2)), false)).results().getFirst();
    assertThat(refused.error()).isEqualTo(Errors.INVALID_REPLICATION_FACTOR);
    assertThat(refused.message()).contains("from 3 to 2");
    assertDone(group.submit(new AlterReassignments(List.of(to(0, 1, 2, 3)), false)).results());
  }

  @Test
  void whatIsAlreadyThereIsNothingToDo() {
    MetadataFixture group = sixNodes();
    assertDone(alter(group, to(0, 0, 1, 2)));
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void deletingTheTopicEndsItsReassignment() {
    MetadataFixture group = sixNodes();
    alter(group, to(0, 3, 4, 5));
    group.submit(
        new MetadataCommand.DeleteTopics(
            List.of(new MetadataCommand.TopicReference(Optional.of("t"), Optional.empty()))));
    assertThat(group.image().replicaSets().values()).noneMatch(ReplicaSetImage::detached);
  }
}
