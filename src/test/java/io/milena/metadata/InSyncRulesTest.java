package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.ChangeInSyncReplicas;
import io.milena.metadata.MetadataCommand.InSyncReplica;
import io.milena.metadata.MetadataCommand.MorePartitions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class InSyncRulesTest {

  private static MetadataFixture group(int minIsr) {
    MetadataFixture group =
        MetadataFixture.withNodes(3).withNodeConfig(Map.of("min.insync.replicas", "" + minIsr));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1, 2))));
    return group;
  }

  private static ChangeInSyncReplicas change(MetadataFixture group, Integer... isr) {
    ReplicaSetImage set = group.setOf("t", 0);
    return new ChangeInSyncReplicas(
        set.id(),
        set.leader(),
        epoch(group, set.leader()),
        set.leaderEpoch(),
        set.partitionEpoch(),
        Arrays.stream(isr).map(node -> new InSyncReplica(node, epoch(group, node))).toList());
  }

  private static long epoch(MetadataFixture group, int node) {
    return group.image().nodes().get(node).nodeEpoch();
  }

  private static void assertAccepted(MetadataFixture group, ChangeInSyncReplicas change) {
    assertThat(group.submit(change)).isEqualTo(new MetadataReply.Done(Errors.NONE, ""));
  }

  private static void assertRefused(
      MetadataFixture group, ChangeInSyncReplicas change, Errors error) {
    MetadataReply.Done reply = group.submit(change);
    assertThat(reply.error()).isEqualTo(error);
    assertThat(reply.message()).isNotEmpty();
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void theLeaderShrinksAndExpandsTheIsr() {
    MetadataFixture group = group(1);
    assertAccepted(group, change(group, 0, 2));
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.isr()).containsExactly(0, 2);
    assertThat(set.elr()).as("enough are in sync without it").isEmpty();
    assertThat(set.partitionEpoch()).isEqualTo(1);
    assertThat(set.leaderEpoch()).isZero();
    assertAccepted(group, change(group, 0, 2, 1));
    assertThat(group.setOf("t", 0).isr()).containsExactly(0, 2, 1);
    assertThat(group.setOf("t", 0).partitionEpoch()).isEqualTo(2);
  }

  @Test
  void whatIsSoAlreadyChangesNothing() {
    MetadataFixture group = group(1);
    assertAccepted(group, change(group, 2, 1, 0));
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void belowTheMinimumThoseThatLeaveRemainEligibleUntilItIsReached() {
    MetadataFixture group = group(2);
    assertAccepted(group, change(group, 0, 1));
    assertThat(group.setOf("t", 0).elr()).isEmpty();
    assertAccepted(group, change(group, 0));
    assertThat(group.setOf("t", 0).elr()).as("2 left when 2 were enough").containsExactly(1);
    assertAccepted(group, change(group, 0, 2));
    assertThat(group.setOf("t", 0).elr()).isEmpty();
  }

  @Test
  void aMinimumAboveTheReplicasMeansAllOfThem() {
    MetadataFixture group = group(3);
    assertAccepted(group, change(group, 0, 1));
    assertThat(group.setOf("t", 0).elr()).containsExactly(2);
    assertAccepted(group, change(group, 0));
    assertThat(group.setOf("t", 0).elr()).containsExactly(1, 2);
    assertAccepted(group, change(group, 0, 2));
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    assertAccepted(group, change(group, 0, 2, 1));
    assertThat(group.setOf("t", 0).elr()).isEmpty();
  }

  @Test
  void whatWasProposedBeforeAnotherChangeIsRefused() {
    MetadataFixture group = group(1);
    ChangeInSyncReplicas late = change(group, 0, 2);
    assertAccepted(group, change(group, 0, 1));
    assertRefused(group, late, Errors.INVALID_UPDATE_VERSION);
  }

  @Test
  void aLeaderOfThePastIsRefused() {
    MetadataFixture group = group(1);
    ChangeInSyncReplicas late = change(group, 0, 1);
    group.submit(
        new MetadataCommand.ClaimLeadership(
            group.setOf("t", 0).id(), 1, epoch(group, 1), group.setOf("t", 0).leaderEpoch()));
    assertRefused(group, late, Errors.FENCED_LEADER_EPOCH);
    ReplicaSetImage set = group.setOf("t", 0);
    ChangeInSyncReplicas byAnother =
        new ChangeInSyncReplicas(
            set.id(),
            2,
            epoch(group, 2),
            set.leaderEpoch(),
            set.partitionEpoch(),
            List.of(new InSyncReplica(1, epoch(group, 1))));
    assertRefused(group, byAnother, Errors.NOT_LEADER_OR_FOLLOWER);
  }

  @Test
  void aLeaderInAnotherLifeIsRefused() {
    MetadataFixture group = group(1);
    ChangeInSyncReplicas now = change(group, 0, 1);
    assertRefused(
        group,
        new ChangeInSyncReplicas(
            now.setId(), 0, now.nodeEpoch() - 1, 0, now.partitionEpoch(), now.isr()),
        Errors.STALE_BROKER_EPOCH);
    assertRefused(
        group,
        new ChangeInSyncReplicas(77, 0, now.nodeEpoch(), 0, now.partitionEpoch(), now.isr()),
        Errors.RESOURCE_NOT_FOUND);
  }

  @Test
  void aReplicaInALifeThatIsOverIsRefused() {
    MetadataFixture group = group(1);
    long lifeThatJoined = epoch(group, 2);
    group.fence(2);
    assertRefused(group, change(group, 0, 1, 2), Errors.INELIGIBLE_REPLICA);
    group.start(2, Optional.empty());
    ChangeInSyncReplicas now = change(group, 0, 1);
    assertRefused(
        group,
        new ChangeInSyncReplicas(
            now.setId(),
            now.nodeId(),
            now.nodeEpoch(),
            now.leaderEpoch(),
            now.partitionEpoch(),
            List.of(
                new InSyncReplica(0, epoch(group, 0)),
                new InSyncReplica(1, epoch(group, 1)),
                new InSyncReplica(2, lifeThatJoined))),
        Errors.INELIGIBLE_REPLICA);
    assertAccepted(group, change(group, 0, 1, 2));
  }

  @Test
  void anIsrWithoutItsLeaderOrBeyondTheReplicasIsRefused() {
    MetadataFixture group = group(1);
    group.start(3, Optional.empty());
    assertRefused(group, change(group, 1, 2), Errors.INVALID_REQUEST);
    assertRefused(group, change(group), Errors.INVALID_REQUEST);
    assertRefused(group, change(group, 0, 3), Errors.INVALID_REQUEST);
    assertRefused(group, change(group, 0, 1, 1), Errors.INVALID_REQUEST);
  }

  @Test
  void aReassignmentEndsOnceWhatItAddsIsInSync() {
    MetadataFixture group = group(1);
    group.start(3, Optional.empty());
    group.submit(
        new MetadataCommand.AlterReassignments(
            List.of(
                new MetadataCommand.Reassignment(
                    new TopicPartition("t", 0), Optional.of(List.of(0, 1, 3)))),
            true));
    assertThat(group.setOf("t", 0).addingReplicas()).containsExactly(3);
    assertAccepted(group, change(group, 0, 1, 2, 3));
    assertThat(group.setOf("t", 0).replicas()).containsExactly(0, 1, 3);
    assertThat(group.setOf("t", 0).isReassigning()).isFalse();
  }

  @Test
  void partitionsThatAreAddedMakeProposalsForFewerOutOfDate() {
    MetadataFixture group = group(1);
    group.fence(2);
    group.start(2, Optional.empty());
    ChangeInSyncReplicas withoutTheNewTopic = change(group, 0, 1, 2);
    group.create(MetadataFixture.topic("u", Map.of(0, List.of(0, 1, 2))));
    assertThat(group.setOf("u", 0).id()).isEqualTo(group.setOf("t", 0).id());
    assertRefused(group, withoutTheNewTopic, Errors.INVALID_UPDATE_VERSION);
    ChangeInSyncReplicas withoutTheNewPartition = change(group, 0, 1, 2);
    group.submit(
        new MetadataCommand.CreatePartitions(
            List.of(new MorePartitions("t", 2, List.of(List.of(0, 1, 2)))), false));
    assertRefused(group, withoutTheNewPartition, Errors.INVALID_UPDATE_VERSION);
    assertAccepted(group, change(group, 0, 1, 2));
    int partitionEpoch = group.setOf("t", 0).partitionEpoch();
    group.create(MetadataFixture.topic("v", Map.of(0, List.of(0, 1, 2))));
    assertThat(group.setOf("t", 0).partitionEpoch())
        .as("nobody is missing who could be proposed")
        .isEqualTo(partitionEpoch);
  }
}
