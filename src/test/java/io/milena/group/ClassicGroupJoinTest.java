package io.milena.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Joining, rebalances and assignments of the classic protocol. */
class ClassicGroupJoinTest {

  private final GroupHarness it = GroupHarness.create();

  private JoinGroupResponseData joined(long requestId) {
    return it.answer(JoinGroupResponseData.class, requestId);
  }

  /** KIP-394. */
  @Test
  void aNewMemberIsSentAwayWithItsIdFirst() {
    long first = it.join("");
    assertThat(it.error(first)).isEqualTo(Errors.MEMBER_ID_REQUIRED);
    String memberId = joined(first).memberId();
    assertThat(memberId).isNotEmpty();
    assertThat(it.group.state()).isEqualTo(GroupState.EMPTY);

    long second = it.join(memberId);
    it.advance(1);
    assertThat(it.error(second)).isEqualTo(Errors.NONE);
    assertThat(joined(second).generationId()).isEqualTo(1);
    assertThat(joined(second).leader()).isEqualTo(memberId);
    assertThat(joined(second).protocolName()).isEqualTo("range");
    assertThat(joined(second).members())
        .extracting(JoinGroupResponseMember::memberId)
        .containsExactly(memberId);
  }

  @Test
  void aClientBeforeVersion4JoinsWithoutAnId() {
    long join = it.join(it.joinData("", null), 3);
    it.advance(1);
    assertThat(it.error(join)).isEqualTo(Errors.NONE);
  }

  @Test
  void anIdThatIsNotUsedIsForgottenAfterTheSessionTimeout() {
    String memberId = joined(it.join("")).memberId();
    it.advance(GroupHarness.SESSION_MS);
    assertThat(it.error(it.join(memberId))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    assertThat(it.group.exists()).isFalse();
  }

  @Test
  void anUnknownMemberIdIsRefused() {
    assertThat(it.error(it.join("nobody"))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void sessionTimeoutsOutsideTheLimitsAreRefused() {
    for (int timeoutMs : List.of(5_999, 1_800_001)) {
      long join = it.join(it.joinData("", null).setSessionTimeoutMs(timeoutMs), 9);
      assertThat(it.error(join)).isEqualTo(Errors.INVALID_SESSION_TIMEOUT);
    }
  }

  @Test
  void protocolsNobodySharesAreRefused() {
    it.stable(1);
    assertThat(it.error(it.join(it.joinData("", null, "sticky"), 9)))
        .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
    assertThat(it.error(it.join(it.joinData("", null).setProtocolType("connect"), 9)))
        .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
    JoinGroupRequestData none = it.joinData("", null);
    none.protocols().clear();
    assertThat(it.error(it.join(none, 9))).isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
  }

  @Test
  void theProtocolWithMostVotesAmongThoseAllOfferWins() {
    GroupHarness delayed = new GroupHarness(GroupHarness.config(3_000, Integer.MAX_VALUE));
    delayed.join(delayed.joinData("", "a", "only-a", "sticky", "range"), 9);
    delayed.join(delayed.joinData("", "b", "range", "sticky"), 9);
    long last = delayed.join(delayed.joinData("", "c", "range", "sticky"), 9);
    delayed.advance(60_000);
    assertThat(delayed.answer(JoinGroupResponseData.class, last).protocolName()).isEqualTo("range");
  }

  @Test
  void theFirstRebalanceWaitsForMoreMembersUpToTheRebalanceTimeout() {
    GroupHarness delayed = new GroupHarness(GroupHarness.config(3_000, Integer.MAX_VALUE));
    long first = delayed.joinStatic("", "a");
    delayed.advance(2_999);
    assertThat(delayed.isAnswered(first)).isFalse();
    long second = delayed.joinStatic("", "b");
    delayed.advance(2_999);
    assertThat(delayed.isAnswered(first)).as("the delay was extended").isFalse();
    delayed.advance(2);
    assertThat(delayed.answer(JoinGroupResponseData.class, first).members()).hasSize(2);
    assertThat(delayed.answer(JoinGroupResponseData.class, second).members()).isEmpty();
    assertThat(delayed.group.generation()).isEqualTo(1);
  }

  @Test
  void aFullGroupTurnsNewMembersAway() {
    GroupHarness small = new GroupHarness(GroupHarness.config(0, 1));
    small.stable(1);
    long join = small.join("");
    assertThat(small.error(join)).isEqualTo(Errors.GROUP_MAX_SIZE_REACHED);
    assertThat(small.answer(JoinGroupResponseData.class, join).memberId()).isEmpty();
  }

  @Test
  void everyoneLearnsOfARebalanceAndTheLeaderAssigns() {
    List<String> members = it.stable(2);
    String third = joined(it.join("")).memberId();
    long newcomer = it.join(third);
    assertThat(it.heartbeat(members.get(0), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    long first = it.join(members.get(0));
    long second = it.join(members.get(1));

    assertThat(joined(first).members()).hasSize(3);
    assertThat(joined(second).members()).isEmpty();
    assertThat(joined(newcomer).generationId()).isEqualTo(2);
    assertThat(it.group.state()).isEqualTo(GroupState.COMPLETING_REBALANCE);

    long waiting = it.sync(third, 2, Map.of());
    assertThat(it.isAnswered(waiting)).isFalse();
    it.holdAppends = true;
    long leader = it.sync(members.get(0), 2, Map.of(third, new byte[] {3}));
    assertThat(it.isAnswered(waiting)).as("not before it is stored").isFalse();
    it.completeAppends(Errors.NONE);
    assertThat(it.answer(SyncGroupResponseData.class, waiting).assignment()).containsExactly(3);
    assertThat(it.answer(SyncGroupResponseData.class, leader).assignment()).isEmpty();
    assertThat(it.group.state()).isEqualTo(GroupState.STABLE);
  }

  @Test
  void anAssignmentThatCannotBeStoredStartsTheRebalanceOver() {
    String member = it.newMember();
    it.advance(1);
    it.holdAppends = true;
    long sync = it.sync(member, 1, Map.of());
    it.completeAppends(Errors.NOT_ENOUGH_REPLICAS);
    assertThat(it.error(sync)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    assertThat(it.group.state()).isEqualTo(GroupState.PREPARING_REBALANCE);
  }

  @Test
  void aFollowerThatJoinsAgainUnchangedGetsTheCurrentGeneration() {
    List<String> members = it.stable(2);
    long again = it.join(members.get(1));
    assertThat(joined(again).generationId()).isEqualTo(1);
    assertThat(it.group.state()).isEqualTo(GroupState.STABLE);
  }

  @Test
  void aLeaderThatJoinsAgainCausesARebalance() {
    List<String> members = it.stable(2);
    long again = it.join(members.get(0));
    assertThat(it.isAnswered(again)).isFalse();
    assertThat(it.group.state()).isEqualTo(GroupState.PREPARING_REBALANCE);
  }

  @Test
  void whoDoesNotJoinInTimeIsLeftBehind() {
    List<String> members = it.stable(2);
    long first = it.join(members.get(0));
    for (int second = 0; second < 30; second++) {
      assertThat(it.isAnswered(first)).isFalse();
      it.heartbeat(members.get(1), 1);
      it.advance(1_000);
    }
    assertThat(joined(first).members()).hasSize(1);
    assertThat(it.heartbeat(members.get(1), 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void anotherMemberLeadsWhenTheLeaderDoesNotJoin() {
    List<String> members = it.stable(2);
    JoinGroupRequestData changed = it.joinData(members.get(1), null);
    changed.protocols().find("range").setMetadata(GroupHarness.subscription("other"));
    long second = it.join(changed, 9);
    it.advance(GroupHarness.REBALANCE_MS);
    assertThat(joined(second).leader()).isEqualTo(members.get(1));
  }

  @Test
  void whoDoesNotSyncInTimeIsRemoved() {
    String first = joined(it.join("")).memberId();
    String second = joined(it.join("")).memberId();
    it.join(first);
    it.join(second);
    it.advance(1);
    long sync = it.sync(first, 1, Map.of());
    assertThat(it.error(sync)).isEqualTo(Errors.NONE);
    for (int i = 0; i < 31; i++) {
      it.heartbeat(first, 1);
      it.heartbeat(second, 1);
      it.advance(1_000);
    }
    assertThat(it.heartbeat(second, 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    assertThat(it.heartbeat(first, 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
  }

  @Test
  void syncIsFencedByGenerationProtocolAndState() {
    List<String> members = it.stable(1);
    assertThat(it.error(it.sync(members.get(0), 0, Map.of()))).isEqualTo(Errors.ILLEGAL_GENERATION);
    assertThat(it.error(it.sync("nobody", 1, Map.of()))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    long wrong =
        it.send(
            new GroupRequest.Sync(
                new org.apache.kafka.common.message.SyncGroupRequestData()
                    .setGroupId("g")
                    .setMemberId(members.get(0))
                    .setGenerationId(1)
                    .setProtocolType("consumer")
                    .setProtocolName("sticky")));
    assertThat(it.error(wrong)).isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
    it.newMember();
    assertThat(it.error(it.sync(members.get(0), 1, Map.of())))
        .isEqualTo(Errors.REBALANCE_IN_PROGRESS);
  }

  @Test
  void aLostJoinAnswerIsGivenAgain() {
    String member = it.newMember();
    it.advance(1);
    assertThat(it.group.state()).isEqualTo(GroupState.COMPLETING_REBALANCE);
    long again = it.join(member);
    assertThat(joined(again).generationId()).isEqualTo(1);
    assertThat(joined(again).members()).hasSize(1);
  }

  @Test
  void anOlderJoinOfTheSameMemberIsAnsweredWhenANewerComes() {
    List<String> members = it.stable(2);
    long older = it.join(members.get(0));
    long newer = it.join(members.get(0));
    assertThat(it.error(older)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    assertThat(it.isAnswered(newer)).isFalse();
  }
}
