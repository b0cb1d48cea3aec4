package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataReply.LeadershipDecided;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class LeadershipRulesTest {

  private static MetadataFixture threeReplicas() {
    MetadataFixture group =
        MetadataFixture.withNodes(3).withNodeConfig(Map.of("min.insync.replicas", "2"));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1, 2))));
    return group;
  }

  private static LeadershipDecided claim(MetadataFixture group, int node, int leaderEpoch) {
    return group.submit(
        new MetadataCommand.ClaimLeadership(
            group.setOf("t", 0).id(), node, nodeEpoch(group, node), leaderEpoch));
  }

  private static LeadershipDecided resign(MetadataFixture group, int node, int leaderEpoch) {
    return group.submit(
        new MetadataCommand.ResignLeadership(
            group.setOf("t", 0).id(), node, nodeEpoch(group, node), leaderEpoch));
  }

  private static long nodeEpoch(MetadataFixture group, int node) {
    return group.image().nodes().get(node).nodeEpoch();
  }

  private static void assertRefused(MetadataFixture group, LeadershipDecided reply, Errors error) {
    assertThat(reply.error()).isEqualTo(error);
    assertThat(reply.message()).isNotEmpty();
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void claimOfAnInSyncReplicaIsGrantedInTheNextLeaderEpoch() {
    MetadataFixture group = threeReplicas();
    assertThat(claim(group, 1, 0)).isEqualTo(new LeadershipDecided(Errors.NONE, "", 1, 1));
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(1);
    assertThat(set.leaderEpoch()).isEqualTo(1);
    assertThat(set.partitionEpoch()).isEqualTo(1);
    assertThat(set.isr()).containsExactlyInAnyOrder(0, 1, 2);
  }

  @Test
  void claimOfTheLeaderChangesNothingWhateverEpochItKnows() {
    MetadataFixture group = threeReplicas();
    assertThat(claim(group, 0, 0)).isEqualTo(new LeadershipDecided(Errors.NONE, "", 0, 0));
    assertThat(group.lastRecords()).isEmpty();
    group.fence(0);
    assertThat(claim(group, 1, 0)).isEqualTo(new LeadershipDecided(Errors.NONE, "", 1, 1));
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void claimMadeBeforeAnotherGrantIsFenced() {
    MetadataFixture group = threeReplicas();
    claim(group, 1, 0);
    LeadershipDecided late = claim(group, 2, 0);
    assertRefused(group, late, Errors.FENCED_LEADER_EPOCH);
    assertThat(late.leader()).isEqualTo(1);
    assertThat(late.leaderEpoch()).isEqualTo(1);
    assertRefused(group, claim(group, 2, 2), Errors.UNKNOWN_LEADER_EPOCH);
  }

  @Test
  void claimOfAFencedNodeIsRefused() {
    MetadataFixture group = threeReplicas();
    group.fence(1);
    assertRefused(group, claim(group, 1, 0), Errors.BROKER_NOT_AVAILABLE);
  }

  @Test
  void claimOfAReplicaThatIsBackButNotInSyncIsRefused() {
    MetadataFixture group = threeReplicas();
    group.fence(1);
    group.unfence(1);
    assertThat(group.setOf("t", 0).isr()).doesNotContain(1);
    assertRefused(group, claim(group, 1, 0), Errors.INELIGIBLE_REPLICA);
  }

  @Test
  void claimOfANodeOutsideTheSetIsRefused() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0))));
    assertRefused(group, claim(group, 1, 0), Errors.INELIGIBLE_REPLICA);
  }

  @Test
  void claimOfAnEarlierLifeOrAnUnknownNodeOrSetIsRefused() {
    MetadataFixture group = threeReplicas();
    int set = group.setOf("t", 0).id();
    long epoch = nodeEpoch(group, 1);
    assertRefused(
        group,
        group.submit(new MetadataCommand.ClaimLeadership(set, 1, epoch - 1, 0)),
        Errors.STALE_BROKER_EPOCH);
    assertRefused(
        group,
        group.submit(new MetadataCommand.ClaimLeadership(set, 9, 0, 0)),
        Errors.BROKER_ID_NOT_REGISTERED);
    LeadershipDecided noSet = group.submit(new MetadataCommand.ClaimLeadership(77, 1, epoch, 0));
    assertRefused(group, noSet, Errors.RESOURCE_NOT_FOUND);
    assertThat(noSet.leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
  }

  @Test
  void eligibleReplicaMayNotTakeTheSetFromALiveInSyncOne() {
    MetadataFixture group = threeReplicas();
    group.fence(2);
    group.fence(1);
    group.unfence(1);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    assertRefused(group, claim(group, 1, 0), Errors.INELIGIBLE_REPLICA);
  }

  @Test
  void resigningGrantsTheSetToTheNextInSyncReplica() {
    MetadataFixture group = threeReplicas();
    assertThat(resign(group, 0, 0)).isEqualTo(new LeadershipDecided(Errors.NONE, "", 1, 1));
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(1);
    assertThat(set.isr()).containsExactlyInAnyOrder(0, 1, 2);
  }

  @Test
  void resigningTwiceIsResigningOnce() {
    MetadataFixture group = threeReplicas();
    resign(group, 0, 0);
    assertThat(resign(group, 0, 0)).isEqualTo(new LeadershipDecided(Errors.NONE, "", 1, 1));
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void theLastInSyncReplicaCannotResignThoughOthersAreEligible() {
    MetadataFixture group = threeReplicas();
    group.fence(2);
    group.fence(1);
    group.unfence(1);
    assertRefused(group, resign(group, 0, 0), Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(0);
  }

  @Test
  void staleLeaderEpochCannotResign() {
    MetadataFixture group = threeReplicas();
    claim(group, 1, 0);
    claim(group, 0, 1);
    assertRefused(group, resign(group, 0, 0), Errors.FENCED_LEADER_EPOCH);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(0);
  }

  @Test
  void anEarlierLifeCannotResign() {
    MetadataFixture group = threeReplicas();
    int set = group.setOf("t", 0).id();
    assertRefused(
        group,
        group.submit(new MetadataCommand.ResignLeadership(set, 0, nodeEpoch(group, 0) - 1, 0)),
        Errors.STALE_BROKER_EPOCH);
  }
}
