package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class NodeRulesTest {

  @Test
  void firstRegistrationNamesTheClusterAndIsFenced() {
    MetadataFixture group = new MetadataFixture();
    long epoch = group.register(0, Optional.of("rack-a"));
    NodeImage node = group.image().nodes().get(0);
    assertThat(group.image().clusterId()).contains(MetadataFixture.CLUSTER);
    assertThat(node.fenced()).isTrue();
    assertThat(node.nodeEpoch()).isEqualTo(epoch);
    assertThat(node.rack()).contains("rack-a");
  }

  @Test
  void nodeOfAnotherClusterIsRefused() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    MetadataReply.NodeRegistered reply =
        group.submit(registration(1, new Uuid(8, 8), new Uuid(3, 1)));
    assertThat(reply.error()).isEqualTo(Errors.INCONSISTENT_CLUSTER_ID);
    assertThat(group.image().nodes()).doesNotContainKey(1);
    assertThat(group.image().clusterId()).contains(MetadataFixture.CLUSTER);
  }

  @Test
  void idOfAnotherDirectoryIsRefusedWhetherItsNodeRunsOrNot() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    var command = registration(1, MetadataFixture.CLUSTER, new Uuid(66, 66));
    assertThat(group.submit(command).error()).isEqualTo(Errors.DUPLICATE_BROKER_REGISTRATION);
    group.submit(new MetadataCommand.FenceNode(1, group.image().nodes().get(1).nodeEpoch()));
    assertThat(group.submit(command).error()).isEqualTo(Errors.DUPLICATE_BROKER_REGISTRATION);
    assertThat(group.submit(command).message()).contains("unregister");
    assertThat(group.submit(registration(1, MetadataFixture.CLUSTER, new Uuid(3, 1))).error())
        .isEqualTo(Errors.NONE);
  }

  private static MetadataCommand.RegisterNode registration(
      int nodeId, Uuid clusterId, Uuid directory) {
    return new MetadataCommand.RegisterNode(
        nodeId,
        new Uuid(11, 11),
        clusterId,
        List.of(new NodeImage.Endpoint("PLAINTEXT", "h", 1, "PLAINTEXT")),
        MetadataFixture.clusterAddress(nodeId),
        Optional.empty(),
        List.of(directory),
        false);
  }

  @Test
  void repeatedRegistrationOfOneIncarnationGetsTheSameEpoch() {
    MetadataFixture group = new MetadataFixture();
    var command = MetadataFixture.registration(4, new Uuid(1, 1), Optional.empty());
    long first = group.submit(command).nodeEpoch();
    long second = group.submit(command).nodeEpoch();
    assertThat(second).isEqualTo(first);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void newIncarnationGetsAHigherEpochAndIsFencedFirst() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    long before = group.image().nodes().get(0).nodeEpoch();
    long after = group.register(0, Optional.empty());
    assertThat(after).isGreaterThan(before);
    assertThat(group.image().nodes().get(0).fenced()).isTrue();
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(1);
    assertThat(set.leaderEpoch()).isEqualTo(1);
    assertThat(set.isr()).containsExactly(1);
  }

  @Test
  void registrationWithoutListenerOrWithANegativeIdIsRefused() {
    MetadataFixture group = new MetadataFixture();
    var noListener =
        new MetadataCommand.RegisterNode(
            0,
            new Uuid(1, 1),
            MetadataFixture.CLUSTER,
            List.of(),
            MetadataFixture.clusterAddress(0),
            Optional.empty(),
            List.of(),
            false);
    assertThat(group.submit(noListener).error()).isEqualTo(Errors.INVALID_REGISTRATION);
    var negative = MetadataFixture.registration(-1, new Uuid(1, 1), Optional.empty());
    assertThat(group.submit(negative).message()).contains("-1");
    assertThat(group.image()).isEqualTo(MetadataImage.EMPTY);
  }

  @Test
  void staleNodeEpochIsFenced() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    long stale = group.image().nodes().get(0).nodeEpoch();
    group.start(0, Optional.empty());
    assertThat(group.submit(new MetadataCommand.FenceNode(0, stale)).error())
        .isEqualTo(Errors.STALE_BROKER_EPOCH);
    assertThat(group.submit(new MetadataCommand.UnfenceNode(0, stale)).error())
        .isEqualTo(Errors.STALE_BROKER_EPOCH);
    assertThat(group.submit(new MetadataCommand.AllocateProducerIds(0, stale)).error())
        .isEqualTo(Errors.STALE_BROKER_EPOCH);
    assertThat(group.image().nodes().get(0).fenced()).isFalse();
  }

  @Test
  void unknownNodeIsRefused() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    assertThat(group.submit(new MetadataCommand.FenceNode(5, 0)).error())
        .isEqualTo(Errors.BROKER_ID_NOT_REGISTERED);
  }

  @Test
  void producerIdBlocksDoNotOverlap() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    var first =
        group.submit(
            new MetadataCommand.AllocateProducerIds(0, group.image().nodes().get(0).nodeEpoch()));
    var second =
        group.submit(
            new MetadataCommand.AllocateProducerIds(1, group.image().nodes().get(1).nodeEpoch()));
    assertThat(first).isEqualTo(new MetadataReply.ProducerIdBlock(Errors.NONE, 0, 1000));
    assertThat(second).isEqualTo(new MetadataReply.ProducerIdBlock(Errors.NONE, 1000, 1000));
  }

  @Test
  void lastInSyncReplicaStaysEligibleAndLeadsAgainWithANewEpoch() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(MetadataFixture.topic("t", 1, 1));
    group.fence(0);
    ReplicaSetImage fenced = group.setOf("t", 0);
    assertThat(fenced.leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    assertThat(fenced.isr()).isEmpty();
    assertThat(fenced.elr()).containsExactly(0);
    group.unfence(0);
    ReplicaSetImage back = group.setOf("t", 0);
    assertThat(back.leader()).isEqualTo(0);
    assertThat(back.leaderEpoch()).isEqualTo(1);
    assertThat(back.isr()).containsExactly(0);
    assertThat(back.elr()).isEmpty();
  }

  @Test
  void leadershipPassesToTheNextLiveInSyncReplicaInOrderOfAssignment() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(2, 0, 1))));
    group.fence(2);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(0);
    group.fence(0);
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(1);
    assertThat(set.leaderEpoch()).isEqualTo(2);
    assertThat(set.isr()).containsExactly(1);
  }

  @Test
  void withMinIsrOneANodeThatLeftIsNotEligible() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    group.fence(1);
    group.fence(0);
    group.unfence(1);
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    assertThat(set.elr()).containsExactly(0);
  }

  @Test
  void belowMinIsrWhoLeavesStaysEligibleAndMayLead() {
    MetadataFixture group =
        MetadataFixture.withNodes(3).withNodeConfig(Map.of("min.insync.replicas", "2"));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1, 2))));
    group.fence(2);
    assertThat(group.setOf("t", 0).elr()).isEmpty();
    group.fence(1);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    group.fence(0);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1, 0);
    group.unfence(2);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    group.unfence(1);
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(1);
    assertThat(set.isr()).containsExactly(1);
    assertThat(set.elr()).containsExactly(0);
  }

  @Test
  void loweringMinIsrEndsTheEligibilityOfThoseLeftBehind() {
    MetadataFixture group =
        MetadataFixture.withNodes(2).withNodeConfig(Map.of("min.insync.replicas", "2"));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    group.fence(1);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    group.alter(
        MetadataFixture.topicResource("t"), MetadataFixture.set("min.insync.replicas", "1"));
    assertThat(group.setOf("t", 0).elr()).isEmpty();
  }

  @Test
  void aNewTopicWithALowerMinIsrEndsTheEligibilityInTheSetItShares() {
    MetadataFixture group =
        MetadataFixture.withNodes(2).withNodeConfig(Map.of("min.insync.replicas", "2"));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    group.fence(1);
    group.create(
        new MetadataCommand.NewTopic(
            "u", -1, -1, Map.of(0, List.of(0, 1)), Map.of("min.insync.replicas", "1"), false));
    assertThat(group.setOf("u", 0).id()).isEqualTo(group.setOf("t", 0).id());
    assertThat(group.setOf("t", 0).elr()).isEmpty();
  }

  @Test
  void fencingTwiceChangesNothing() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.fence(1);
    assertThat(group.fence(1).error()).isEqualTo(Errors.NONE);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void onlyANodeThatIsNotRunningIsUnregistered() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    assertThat(group.submit(new MetadataCommand.UnregisterNode(7)).error())
        .isEqualTo(Errors.BROKER_ID_NOT_REGISTERED);
    MetadataReply.Done running = group.submit(new MetadataCommand.UnregisterNode(1));
    assertThat(running.error()).isEqualTo(Errors.INVALID_REQUEST);
    assertThat(running.message()).contains("stop it");
    group.fence(1);
    assertThat(group.submit(new MetadataCommand.UnregisterNode(1)).error()).isEqualTo(Errors.NONE);
    assertThat(group.image().nodes()).containsOnlyKeys(0);
    assertThat(group.setOf("t", 0).replicas()).as("moved off by hand").containsExactly(0, 1);
    group.start(1, Optional.empty());
    assertThat(group.image().nodes()).containsOnlyKeys(0, 1);
  }

  @Test
  void nodeThatBeginsToStopHandsOverWhatOthersCanLeadAndKeepsTheRest() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1), 1, List.of(1, 0))));
    group.create(MetadataFixture.topic("alone", Map.of(0, List.of(0))));
    var command = new MetadataCommand.BeginShutdown(0, group.image().nodes().get(0).nodeEpoch());
    assertThat(group.submit(command).error()).isEqualTo(Errors.NONE);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(1);
    assertThat(group.setOf("t", 0).leaderEpoch()).isEqualTo(1);
    assertThat(group.setOf("t", 0).isr()).containsExactly(1);
    assertThat(group.setOf("t", 1).leaderEpoch()).isZero();
    assertThat(group.setOf("t", 1).isr()).containsExactly(1);
    assertThat(group.setOf("alone", 0).leader()).isZero();
    assertThat(group.image().nodes().get(0).controlledShutdown()).isTrue();
    assertThat(group.image().nodes().get(0).fenced()).isFalse();
    group.submit(command);
    assertThat(group.lastRecords()).isEmpty();
    var stale = new MetadataCommand.BeginShutdown(1, -5);
    assertThat(group.submit(stale).error()).isEqualTo(Errors.STALE_BROKER_EPOCH);
  }

  @Test
  void nodeThatStopsGoesOnLeadingWhereTheOneThatComesBackIsNotInSync() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    group.fence(1);
    group.submit(new MetadataCommand.BeginShutdown(0, group.image().nodes().get(0).nodeEpoch()));
    group.unfence(1);
    assertThat(group.setOf("t", 0).leader()).isZero();
    assertThat(group.setOf("t", 0).isr()).containsExactly(0);
  }

  @Test
  void nodeWithoutSpaceLeavesWhereEnoughOthersRemain() {
    MetadataFixture group =
        MetadataFixture.withNodes(3).withNodeConfig(Map.of("min.insync.replicas", "2"));
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1, 2), 1, List.of(1, 0, 2))));
    group.create(MetadataFixture.topic("two", Map.of(0, List.of(0, 1))));
    var command = new MetadataCommand.LeaveInSync(0, group.image().nodes().get(0).nodeEpoch());
    assertThat(group.submit(command).error()).isEqualTo(Errors.NONE);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(1);
    assertThat(group.setOf("t", 0).leaderEpoch()).isEqualTo(1);
    assertThat(group.setOf("t", 0).isr()).containsExactly(1, 2);
    assertThat(group.setOf("t", 0).elr()).isEmpty();
    assertThat(group.setOf("t", 1).isr()).containsExactly(1, 2);
    assertThat(group.setOf("t", 1).leaderEpoch()).isZero();
    assertThat(group.setOf("two", 0).isr()).as("one would be too few").containsExactly(0, 1);
    assertThat(group.setOf("two", 0).leader()).isZero();
    group.submit(command);
    assertThat(group.lastRecords()).isEmpty();
    var stale = new MetadataCommand.LeaveInSync(1, -5);
    assertThat(group.submit(stale).error()).isEqualTo(Errors.STALE_BROKER_EPOCH);
  }

  @Test
  void nodeWithoutSpaceStaysWhereNobodyElseIsLive() {
    MetadataFixture group = twoReplicas(Map.of("min.insync.replicas", "1"));
    group.fence(1);
    group.submit(new MetadataCommand.LeaveInSync(0, group.image().nodes().get(0).nodeEpoch()));
    assertThat(group.setOf("t", 0).leader()).isZero();
    assertThat(group.setOf("t", 0).isr()).containsExactly(0);
  }

  private static MetadataFixture twoReplicas(Map<String, String> nodeConfig) {
    MetadataFixture group = MetadataFixture.withNodes(2).withNodeConfig(nodeConfig);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    return group;
  }

  @Test
  void aKilledProcessComesBackEligibleAndACrashedMachineDoesNot() {
    MetadataFixture group = twoReplicas(Map.of("min.insync.replicas", "2"));
    group.fence(1);
    group.register(1, Optional.empty());
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    group.registerAfterCrash(1);
    assertThat(group.setOf("t", 0).elr()).isEmpty();
    group.unfence(1);
    group.fence(0);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    assertThat(group.setOf("t", 0).elr()).containsExactly(0);
  }

  @Test
  void aMachineThatCrashedAndWasNotMissedLeavesTheIsr() {
    MetadataFixture group = twoReplicas(Map.of("min.insync.replicas", "2"));
    group.registerAfterCrash(0);
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.isr()).containsExactly(1);
    assertThat(set.elr()).isEmpty();
    assertThat(set.leader()).isEqualTo(1);
  }

  @Test
  void whereEveryMachineCrashedTheLastOneThatHadEverythingLeads() {
    MetadataFixture group = twoReplicas(Map.of("min.insync.replicas", "2"));
    group.fence(0);
    group.fence(1);
    assertThat(group.setOf("t", 0).elr()).containsExactly(0, 1);
    group.registerAfterCrash(0);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    group.unfence(0);
    assertThat(group.setOf("t", 0).leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
    group.registerAfterCrash(1);
    assertThat(group.setOf("t", 0).elr()).isEmpty();
    assertThat(group.setOf("t", 0).lastKnownElr()).containsExactly(1);
    group.unfence(1);
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.leader()).isEqualTo(1);
    assertThat(set.isr()).containsExactly(1);
    assertThat(set.lastKnownElr()).isEmpty();
  }

  @Test
  void whatIsOnDiskBeforeItIsAcknowledgedSurvivesTheMachine() {
    MetadataFixture group =
        twoReplicas(Map.of("min.insync.replicas", "2", "log.durability", "fsync"));
    group.fence(1);
    group.registerAfterCrash(1);
    assertThat(group.setOf("t", 0).elr()).containsExactly(1);
    group.create(
        new MetadataCommand.NewTopic(
            "u", -1, -1, Map.of(0, List.of(0, 1)), Map.of("durability", "replicated"), false));
    assertThat(group.setOf("u", 0).id()).isEqualTo(group.setOf("t", 0).id());
    group.registerAfterCrash(1);
    assertThat(group.setOf("t", 0).elr()).as("it may lack records of u").isEmpty();
  }

  @Test
  void aNodeThatWasForgottenBeginsWithNothing() {
    MetadataFixture group = twoReplicas(Map.of("min.insync.replicas", "2"));
    group.fence(0);
    group.fence(1);
    group.submit(new MetadataCommand.UnregisterNode(1));
    group.start(1, Optional.empty());
    ReplicaSetImage set = group.setOf("t", 0);
    assertThat(set.elr()).containsExactly(0);
    assertThat(set.leader()).isEqualTo(ReplicaSetImage.NO_LEADER);
  }
}
