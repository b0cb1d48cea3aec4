package io.milena.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Committing, reading, deleting and expiring offsets; deleting groups. */
class ClassicGroupOffsetTest {

  private static final long RETENTION_MS = GroupConfig.DEFAULT.offsetsRetentionMs();

  private final GroupHarness it = GroupHarness.create();

  @Test
  void aSimpleConsumerCommitsWithoutAGroup() {
    assertThat(it.error(it.commit("", -1, 42))).isEqualTo(Errors.NONE);
    assertThat(it.committed()).isEqualTo(42);
    assertThat(it.group.listed())
        .hasValueSatisfying(line -> assertThat(line.protocolType()).isEmpty());
  }

  @Test
  void anOffsetIsSeenOnlyOnceItIsStored() {
    it.holdAppends = true;
    long commit = it.commit("", -1, 42);
    assertThat(it.isAnswered(commit)).isFalse();
    assertThat(it.committed()).isEqualTo(-1);
    it.completeAppends(Errors.NONE);
    assertThat(it.error(commit)).isEqualTo(Errors.NONE);
    assertThat(it.committed()).isEqualTo(42);
  }

  @Test
  void anOffsetThatCannotBeStoredIsNotThere() {
    it.commit("", -1, 41);
    it.holdAppends = true;
    long commit = it.commit("", -1, 42);
    it.completeAppends(Errors.KAFKA_STORAGE_ERROR);
    assertThat(it.error(commit)).isEqualTo(Errors.NOT_COORDINATOR);
    assertThat(it.committed()).isEqualTo(41);
  }

  /** The records stay in the log: a restart would find them. */
  @Test
  void aWriteThatTimedOutFailsForTheClientYetIsInTheLog() {
    it.holdAppends = true;
    long commit = it.commit("", -1, 42);
    it.completeAppends(Errors.REQUEST_TIMED_OUT);
    assertThat(it.error(commit)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    assertThat(it.committed()).isEqualTo(42);
  }

  @Test
  void commitsOfAGroupThatIsNotThereAreRefused() {
    OffsetCommitRequestData data = GroupHarness.commitData("m", 1, 42);
    assertThat(it.error(it.send(new GroupRequest.CommitOffsets(data, (short) 9))))
        .isEqualTo(Errors.GROUP_ID_NOT_FOUND);
    assertThat(it.error(it.send(new GroupRequest.CommitOffsets(data, (short) 8))))
        .isEqualTo(Errors.ILLEGAL_GENERATION);
  }

  @Test
  void commitsAreFencedByMembershipAndGeneration() {
    List<String> members = it.stable(1);
    assertThat(it.error(it.commit(members.get(0), 1, 1))).isEqualTo(Errors.NONE);
    assertThat(it.error(it.commit(members.get(0), 0, 2))).isEqualTo(Errors.ILLEGAL_GENERATION);
    assertThat(it.error(it.commit("nobody", 1, 3))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    assertThat(it.error(it.commit("", -1, 4))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    assertThat(it.committed()).isEqualTo(1);
  }

  @Test
  void commitsDuringARebalance() {
    List<String> members = it.stable(2);
    long join = it.join(members.get(0));
    assertThat(it.error(it.commit(members.get(1), 1, 5))).as("preparing").isEqualTo(Errors.NONE);
    it.join(members.get(1));
    assertThat(it.answer(JoinGroupResponseData.class, join).generationId()).isEqualTo(2);
    assertThat(it.error(it.commit(members.get(1), 2, 6)))
        .as("completing")
        .isEqualTo(Errors.REBALANCE_IN_PROGRESS);
  }

  @Test
  void aCommitKeepsTheSession() {
    List<String> members = it.stable(1);
    for (int i = 0; i < 3; i++) {
      it.advance(GroupHarness.SESSION_MS - 1);
      assertThat(it.error(it.commit(members.get(0), 1, i))).isEqualTo(Errors.NONE);
    }
  }

  @Test
  void metadataThatIsTooLongIsRefusedForItsPartitionOnly() {
    OffsetCommitRequestData data = GroupHarness.commitData("", -1, 42);
    data.topics().getFirst().partitions().getFirst().setCommittedMetadata("ä".repeat(2_049));
    OffsetCommitRequestData other = GroupHarness.commitData("", -1, 43);
    other.topics().getFirst().partitions().getFirst().setPartitionIndex(1);
    data.setTopics(List.of(data.topics().getFirst(), other.topics().getFirst()));
    OffsetCommitResponseData response =
        it.answer(
            OffsetCommitResponseData.class,
            it.send(new GroupRequest.CommitOffsets(data, (short) 9)));
    assertThat(response.topics())
        .extracting(topic -> topic.partitions().getFirst().errorCode())
        .containsExactly(Errors.OFFSET_METADATA_TOO_LARGE.code(), Errors.NONE.code());
    assertThat(it.committed()).isEqualTo(-1);
  }

  @Test
  void allOffsetsCanBeRead() {
    it.commit("", -1, 42);
    OffsetFetchRequestGroup all = new OffsetFetchRequestGroup().setGroupId("g").setTopics(null);
    OffsetFetchResponseGroup response =
        it.answer(
            OffsetFetchResponseGroup.class, it.send(new GroupRequest.FetchOffsets(all, true)));
    assertThat(response.topics().getFirst().name()).isEqualTo("topic");
    assertThat(response.topics().getFirst().partitions().getFirst().committedOffset())
        .isEqualTo(42);
    assertThat(response.topics().getFirst().partitions().getFirst().metadata()).isEqualTo("m");
  }

  @Test
  void offsetsAndGenerationSurviveARestart() {
    List<String> members = it.stable(1);
    it.commit(members.get(0), 1, 42);
    it.leave(members.get(0));
    it.restart();
    assertThat(it.committed()).isEqualTo(42);
    assertThat(it.group.generation()).isEqualTo(2);
    it.stable(1);
    assertThat(it.group.generation()).isEqualTo(3);
  }

  // ---- expiry (KIP-211)

  @Test
  void anEmptyGroupKeepsItsOffsetsForTheRetentionSinceItBecameEmpty() {
    List<String> members = it.stable(1);
    it.commit(members.get(0), 1, 42);
    it.advance(GroupHarness.SESSION_MS - 1);
    it.leave(members.get(0));
    it.advance(RETENTION_MS - 1);
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(42);
    it.advance(1);
    assertThat(it.group.hasSomethingToExpire(it.now())).isTrue();
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(-1);
    assertThat(it.group.exists()).as("with its last offset the group goes").isFalse();
    assertThat(it.log.getLast()).isEqualTo(new GroupRecord.GroupForgotten("g"));
  }

  @Test
  void aSimpleConsumersOffsetExpiresAfterItsCommit() {
    it.commit("", -1, 42);
    it.advance(RETENTION_MS - 1);
    it.commit("", -1, 43);
    it.advance(1);
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(43);
    it.advance(RETENTION_MS);
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(-1);
  }

  @Test
  void aGroupWithMembersLosesOldOffsetsOfTopicsItLeftOnly() {
    it.commit("", -1, 42);
    OffsetCommitRequestData left = GroupHarness.commitData("", -1, 7);
    left.topics().getFirst().setName("left");
    it.send(new GroupRequest.CommitOffsets(left, (short) 9));
    List<String> members = it.stable(1);
    for (long passedMs = 0; passedMs <= RETENTION_MS; passedMs += 9_000) {
      it.advance(9_000);
      assertThat(it.heartbeat(members.get(0), 1)).isEqualTo(Errors.NONE);
    }
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(42);
    assertThat(it.committed(new org.apache.kafka.common.TopicPartition("left", 0))).isEqualTo(-1);
  }

  @Test
  void anOldClientsOwnRetentionCounts() {
    OffsetCommitRequestData data = GroupHarness.commitData("", -1, 42).setRetentionTimeMs(1_000);
    it.send(new GroupRequest.CommitOffsets(data, (short) 4));
    it.restart();
    it.advance(999);
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(42);
    it.advance(1);
    it.run(it.group.expireOffsets(it.now()));
    assertThat(it.committed()).isEqualTo(-1);
  }

  // ---- deletion

  private long deleteOffset() {
    OffsetDeleteRequestTopicCollection topics = new OffsetDeleteRequestTopicCollection();
    topics.add(
        new OffsetDeleteRequestTopic()
            .setName("topic")
            .setPartitions(List.of(new OffsetDeleteRequestPartition().setPartitionIndex(0))));
    return it.send(
        new GroupRequest.DeleteOffsets(
            new OffsetDeleteRequestData().setGroupId("g").setTopics(topics)));
  }

  @Test
  void anOffsetIsDeletedUnlessTheGroupSubscribesToTheTopic() {
    assertThat(it.error(deleteOffset())).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
    List<String> members = it.stable(1);
    it.commit(members.get(0), 1, 42);
    OffsetDeleteResponseData refused = it.answer(OffsetDeleteResponseData.class, deleteOffset());
    assertThat(refused.topics().find("topic").partitions().find(0).errorCode())
        .isEqualTo(Errors.GROUP_SUBSCRIBED_TO_TOPIC.code());
    it.leave(members.get(0));
    assertThat(it.error(deleteOffset())).isEqualTo(Errors.NONE);
    assertThat(it.committed()).isEqualTo(-1);
  }

  @Test
  void aGroupWithMembersIsNotDeleted() {
    it.stable(1);
    assertThat(it.error(it.send(new GroupRequest.Delete("g")))).isEqualTo(Errors.NON_EMPTY_GROUP);
  }

  @Test
  void aDeletedGroupIsGoneAndItsNameIsFree() {
    assertThat(it.error(it.send(new GroupRequest.Delete("g"))))
        .isEqualTo(Errors.GROUP_ID_NOT_FOUND);
    List<String> members = it.stable(1);
    it.commit(members.get(0), 1, 42);
    it.leave(members.get(0));
    assertThat(it.error(it.send(new GroupRequest.Delete("g")))).isEqualTo(Errors.NONE);
    assertThat(it.group.exists()).isFalse();
    assertThat(it.committed()).isEqualTo(-1);
    it.restart();
    assertThat(it.group.exists()).isFalse();
    it.stable(1);
    assertThat(it.group.generation()).isEqualTo(1);
  }

  @Test
  void aCommitUnderWayIsCoveredByADeletion() {
    it.holdAppends = true;
    it.commit("", -1, 42);
    long delete = it.send(new GroupRequest.Delete("g"));
    long tooLate = it.commit("", -1, 43);
    assertThat(it.error(tooLate)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    it.completeAppends(Errors.NONE);
    assertThat(it.error(delete)).isEqualTo(Errors.NONE);
    it.restart();
    assertThat(it.committed()).isEqualTo(-1);
  }

  @Test
  void aDeletionThatCannotBeStoredLeavesTheGroup() {
    it.commit("", -1, 42);
    it.holdAppends = true;
    long delete = it.send(new GroupRequest.Delete("g"));
    it.completeAppends(Errors.NOT_ENOUGH_REPLICAS);
    assertThat(it.error(delete)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    assertThat(it.committed()).isEqualTo(42);
  }

  @Test
  void offsetsOfADeletedTopicAreForgotten() {
    List<String> members = it.stable(1);
    it.commit(members.get(0), 1, 42);
    assertThat(it.group.hasOffsetsOf(Set.of("other"))).isFalse();
    assertThat(it.group.hasOffsetsOf(Set.of("topic"))).isTrue();
    it.run(it.group.forgetTopics(Set.of("topic")));
    assertThat(it.committed()).isEqualTo(-1);
    assertThat(it.sync(members.get(0), 1, Map.of())).isNotNegative();
  }
}
