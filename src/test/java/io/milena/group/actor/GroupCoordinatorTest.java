package io.milena.group.actor;

import static io.milena.group.actor.CoordinatorFixture.get;
import static io.milena.group.actor.CoordinatorFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.group.GroupRequest;
import io.milena.metadata.MetadataCommand;
import io.milena.replication.ReplicaRole;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The actors: loading, routing, moving, resting. */
class GroupCoordinatorTest {

  private final CoordinatorFixture it = new CoordinatorFixture(CoordinatorFixture.quickConfig());

  @BeforeEach
  void start() {
    it.start();
  }

  @AfterEach
  void stop() {
    it.close();
  }

  @Test
  void theOffsetsTopicIsCreatedOnceAndCompacted() {
    get(it.coordinator.offsetsTopic().create());
    assertThat(it.metadata.commands())
        .singleElement()
        .isInstanceOfSatisfying(
            MetadataCommand.CreateTopics.class,
            create -> {
              MetadataCommand.NewTopic topic = create.topics().getFirst();
              assertThat(topic.replicationFactor()).isEqualTo(1);
              assertThat(topic.internal()).isTrue();
              assertThat(topic.configs())
                  .isEqualTo(
                      Map.of(
                          "cleanup.policy", "compact",
                          "compression.type", "producer",
                          "segment.bytes", "104857600"));
            });
  }

  @Test
  void offsetsAreFoundAgainWhenTheLeadershipMoves() {
    assertThat(it.commit("g", "topic", 42)).isEqualTo(Errors.NONE);
    assertThat(it.commit("g", "topic", 43)).isEqualTo(Errors.NONE);
    FakeReplica replica = it.replicaOf("g");
    replica.become(ReplicaRole.FOLLOWER, 1);
    until(() -> refusesAsNotCoordinatorOrLoading("g"));
    replica.become(ReplicaRole.LEADER, 2);
    until(() -> get(it.fetch("g", "topic")).errorCode() == Errors.NONE.code());
    assertThat(it.committed("g", "topic")).isEqualTo(43);
    assertThat(it.commit("g", "topic", 44)).isEqualTo(Errors.NONE);
  }

  private boolean refusesAsNotCoordinatorOrLoading(String groupId) {
    return get(it.fetch(groupId, "topic")).errorCode() != Errors.NONE.code();
  }

  /** Records above the high watermark could still be lost. */
  @Test
  void aPartitionIsLoadedOnlyOnceItsRecordsAreReplicated() {
    assertThat(it.commit("g", "topic", 42)).isEqualTo(Errors.NONE);
    FakeReplica replica = it.replicaOf("g");
    replica.become(ReplicaRole.FOLLOWER, 1);
    until(() -> refusesAsNotCoordinatorOrLoading("g"));
    replica.setLagging(true);
    replica.become(ReplicaRole.LEADER, 2);
    until(it.coordinator::isLoading);
    assertThat(Errors.forCode(get(it.fetch("g", "topic")).errorCode()))
        .isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
    replica.setLagging(false);
    until(() -> !refusesAsNotCoordinatorOrLoading("g"));
    assertThat(it.committed("g", "topic")).isEqualTo(42);
  }

  @Test
  void aGroupGoesThroughARebalanceAndASilentMemberIsLost() {
    String memberId = it.join("g", "", 5_000).memberId();
    JoinGroupResponseData joined = it.join("g", memberId, 5_000);
    assertThat(joined.generationId()).isEqualTo(1);
    SyncGroupResponseData synced =
        it.ask(
            new GroupRequest.Sync(
                new SyncGroupRequestData()
                    .setGroupId("g")
                    .setMemberId(memberId)
                    .setGenerationId(1)
                    .setAssignments(
                        List.of(
                            new SyncGroupRequestData.SyncGroupRequestAssignment()
                                .setMemberId(memberId)
                                .setAssignment(new byte[] {1})))));
    assertThat(synced.assignment()).containsExactly(1);
    assertThat(stateOf("g")).isEqualTo("Stable");
    assertThat(
            it.ask(
                    new GroupRequest.Heartbeat(
                        new HeartbeatRequestData()
                            .setGroupId("g")
                            .setMemberId(memberId)
                            .setGenerationId(1)))
                .errorCode())
        .isEqualTo(Errors.NONE.code());
    until(() -> describe("g").errorCode() == Errors.GROUP_ID_NOT_FOUND.code());
  }

  private String stateOf(String groupId) {
    return it.coordinator.list().stream()
        .filter(group -> group.groupId().equals(groupId))
        .map(ListedGroup::groupState)
        .findFirst()
        .orElse("absent");
  }

  @Test
  void aLoadedGroupKeepsItsMembers() {
    stableGroupOfOne(60_000);
    moveLeadership();
    until(() -> describe("g").groupState().equals("Stable"));
    assertThat(describe("g").members()).hasSize(1);
  }

  /** Whether the group is seen in between depends on how long this test is kept from looking. */
  @Test
  void membersOfALoadedGroupExpireUnlessTheyAreHeardOf() {
    stableGroupOfOne(2_000);
    moveLeadership();
    until(() -> describe("g").errorCode() == Errors.GROUP_ID_NOT_FOUND.code());
  }

  private void stableGroupOfOne(int sessionTimeoutMs) {
    String memberId = it.join("g", "", sessionTimeoutMs).memberId();
    it.join("g", memberId, sessionTimeoutMs);
    it.ask(
        new GroupRequest.Sync(
            new SyncGroupRequestData().setGroupId("g").setMemberId(memberId).setGenerationId(1)));
  }

  private void moveLeadership() {
    FakeReplica replica = it.replicaOf("g");
    replica.become(ReplicaRole.FOLLOWER, 4);
    until(() -> refusesAsNotCoordinatorOrLoading("g"));
    replica.become(ReplicaRole.LEADER, 5);
  }

  /** An empty group without offsets is forgotten at the next expiry tick. */
  private DescribedGroup describe(String groupId) {
    return it.ask(new GroupRequest.Describe(groupId, (short) 6));
  }

  @Test
  void aParkedJoinIsAnsweredWhenTheLeadershipEnds() {
    String first = it.join("g", "", 60_000).memberId();
    it.join("g", first, 60_000);
    String second = it.join("g", "", 60_000).memberId();
    JoinGroupRequestData data =
        new JoinGroupRequestData()
            .setGroupId("g")
            .setMemberId(second)
            .setProtocolType("consumer")
            .setSessionTimeoutMs(60_000)
            .setRebalanceTimeoutMs(60_000);
    data.protocols().add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName("range"));
    CompletionStage<JoinGroupResponseData> parked =
        it.coordinator.ask(new GroupRequest.Join(data, (short) 9, "c", "/h", "unused"));
    it.ask(new GroupRequest.Describe("g", (short) 6));
    assertThat(parked.toCompletableFuture()).isNotDone();
    it.replicaOf("g").become(ReplicaRole.FOLLOWER, 1);
    assertThat(Errors.forCode(get(parked).errorCode())).isEqualTo(Errors.NOT_COORDINATOR);
  }

  @Test
  void expiredOffsetsAndTheirGroupGoByThemselves() {
    assertThat(it.commit("g", "topic", 42)).isEqualTo(Errors.NONE);
    until(() -> stateOf("g").equals("Empty"));
    it.wallClockAheadMs.set(it.coordinator.config().offsetsRetentionMs() + 1_000);
    until(() -> stateOf("g").equals("absent"));
    assertThat(it.committed("g", "topic")).isEqualTo(-1);
  }

  @Test
  void offsetsOfADeletedTopicGoWithIt() {
    it.metadata.createTopic("topic", 1);
    it.metadata.createTopic("other", 1);
    assertThat(it.commit("g", "topic", 42)).isEqualTo(Errors.NONE);
    assertThat(it.commit("g", "other", 7)).isEqualTo(Errors.NONE);
    it.metadata.deleteTopic("topic");
    until(() -> it.committed("g", "topic") == -1);
    assertThat(it.committed("g", "other")).isEqualTo(7);
  }

  @Test
  void replicasOfADeletedOffsetsTopicAreListenedToNoMore() {
    assertThat(it.replicas.values()).allMatch(replica -> replica.listenerCount() == 1);
    it.metadata.deleteTopic(GroupCoordinator.topicName());
    until(() -> it.replicas.values().stream().allMatch(replica -> replica.listenerCount() == 0));
  }

  @Test
  void aDeletedGroupIsGoneAtOnce() {
    assertThat(it.commit("g", "topic", 42)).isEqualTo(Errors.NONE);
    assertThat(it.ask(new GroupRequest.Delete("g")).errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(stateOf("g")).isEqualTo("absent");
    assertThat(it.committed("g", "topic")).isEqualTo(-1);
    assertThat(it.commit("g", "topic", 1)).isEqualTo(Errors.NONE);
  }

  @Test
  void withoutAPartitionHereTheCoordinatorIsElsewhere() {
    try (CoordinatorFixture none = new CoordinatorFixture(CoordinatorFixture.quickConfig())) {
      assertThat(Errors.forCode(get(none.fetch("g", "topic")).errorCode()))
          .isEqualTo(Errors.NOT_COORDINATOR);
    }
  }
}
