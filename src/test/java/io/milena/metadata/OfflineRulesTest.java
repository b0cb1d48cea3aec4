package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Dead disks: KIP-112, for replica sets. */
class OfflineRulesTest {

  /** Topic {@code t}, all its partitions in one set, led by node 0. */
  private static MetadataFixture group(int partitions, Integer... replicas) {
    MetadataFixture group = MetadataFixture.withNodes(3);
    Map<Integer, List<Integer>> assignment = new java.util.HashMap<>();
    for (int i = 0; i < partitions; i++) {
      assignment.put(i, List.of(replicas));
    }
    group.create(MetadataFixture.topic("t", assignment));
    return group;
  }

  private static MetadataReply.Done report(MetadataFixture group, int node, Integer... partitions) {
    return group.submit(
        new MetadataCommand.ReportOffline(
            node,
            group.image().nodes().get(node).nodeEpoch(),
            List.of(
                new TopicPartitions(group.image().topic("t").id(), List.of(partitions)),
                new TopicPartitions(new Uuid(55, 55), List.of(0)))));
  }

  private static void restart(MetadataFixture group, int node) {
    group.fence(node);
    group.start(node, Optional.empty());
  }

  @Test
  void othersLeadWhatIsOnTheDeadDiskAndTheNodeTheRest() {
    MetadataFixture group = group(4, 0, 1, 2);
    ReplicaSetImage before = group.setOf("t", 0);
    assertThat(report(group, 0, 1, 3, 99).error()).isEqualTo(Errors.NONE);
    assertThat(group.setOf("t", 0)).as("what is on another disk").isEqualTo(before);
    assertThat(group.setOf("t", 2)).isEqualTo(before);
    ReplicaSetImage offline = group.setOf("t", 1);
    assertThat(group.setOf("t", 3)).as("one set for one report").isEqualTo(offline);
    assertThat(offline.leader()).isEqualTo(1);
    assertThat(offline.leaderEpoch()).isGreaterThan(before.leaderEpoch());
    assertThat(offline.isr()).containsExactly(1, 2);
    assertThat(offline.offline()).containsExactly(0);
    assertThat(offline.replicas()).as("assigned as before").isEqualTo(before.replicas());
  }

  @Test
  void aNodeThatBeganAnewCatchesUpAndItsPartitionsComeBack() {
    MetadataFixture group = group(4, 0, 1, 2);
    report(group, 0, 1, 3);
    assertThat(group.setOf("t", 1).detached()).isTrue();
    restart(group, 0);
    ReplicaSetImage usable = group.setOf("t", 1);
    assertThat(usable.offline()).isEmpty();
    assertThat(usable.isr()).as("it has to catch up").containsExactly(1, 2);
    group.catchUp(group.setOf("t", 0), 0);
    group.catchUp(usable, 0);
    assertThat(group.setOf("t", 1)).as("one leader, all in sync").isEqualTo(group.setOf("t", 0));
    assertThat(group.setOf("t", 1).detached()).isFalse();
  }

  @Test
  void theOnlyReplicaHasNoLeaderUntilItsDiskIsBack() {
    MetadataFixture group = group(2, 0);
    report(group, 0, 1);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(0);
    ReplicaSetImage offline = group.setOf("t", 1);
    assertThat(offline.leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    assertThat(offline.elr()).as("it has what is committed").containsExactly(0);
    restart(group, 0);
    assertThat(group.setOf("t", 1).leader()).isEqualTo(0);
    assertThat(group.setOf("t", 1).detached()).isFalse();
  }

  @Test
  void aReplicaThatIsOfflineIsNeverChosen() {
    MetadataFixture group = group(1, 0, 1);
    report(group, 0, 0);
    ReplicaSetImage offline = group.setOf("t", 0);
    MetadataReply.Done joined =
        group.submit(
            new MetadataCommand.ChangeInSyncReplicas(
                offline.id(),
                1,
                group.image().nodes().get(1).nodeEpoch(),
                offline.leaderEpoch(),
                offline.partitionEpoch(),
                List.of(
                    new MetadataCommand.InSyncReplica(1, group.image().nodes().get(1).nodeEpoch()),
                    new MetadataCommand.InSyncReplica(
                        0, group.image().nodes().get(0).nodeEpoch()))));
    assertThat(joined.error()).isEqualTo(Errors.INELIGIBLE_REPLICA);
    group.fence(1);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    group.submit(new MetadataCommand.ElectLeaders(true, Optional.empty()));
    assertThat(group.setOf("t", 0).leader())
        .as("nor by an unclean election")
        .isEqualTo(ReplicaSetImage.NO_LEADER);
  }

  @Test
  void whatWasSaidBeforeAndWhatAnEarlierLifeSaysChangesNothing() {
    MetadataFixture group = group(2, 0, 1);
    report(group, 0, 1);
    report(group, 0, 1);
    assertThat(group.lastRecords()).isEmpty();
    report(group, 2, 0);
    assertThat(group.lastRecords()).as("no replica of it").isEmpty();
    MetadataReply.Done stale =
        group.submit(
            new MetadataCommand.ReportOffline(
                0,
                group.image().nodes().get(0).nodeEpoch() - 1,
                List.of(new TopicPartitions(group.image().topic("t").id(), List.of(0)))));
    assertThat(stale.error()).isEqualTo(Errors.STALE_BROKER_EPOCH);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void aSecondDiskThatDiesDetachesItsPartitionsToo() {
    MetadataFixture group = group(3, 0, 1, 2);
    report(group, 0, 0);
    report(group, 1, 0, 1);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(2);
    assertThat(group.setOf("t", 0).offline()).containsExactlyInAnyOrder(0, 1);
    assertThat(group.setOf("t", 1).leader()).isEqualTo(0);
    assertThat(group.setOf("t", 2).isr()).containsExactly(0, 1, 2);
  }
}
