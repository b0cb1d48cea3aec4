package io.milena.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Sessions, leaving, static membership (KIP-345, KIP-814) and restarts. */
class ClassicGroupMemberTest {

  private final GroupHarness it = GroupHarness.create();

  private JoinGroupResponseData joined(long requestId) {
    return it.answer(JoinGroupResponseData.class, requestId);
  }

  @Test
  void heartbeatsKeepASessionAndSilenceEndsIt() {
    List<String> members = it.stable(2);
    for (int i = 0; i < 3; i++) {
      it.advance(GroupHarness.SESSION_MS - 1);
      assertThat(it.heartbeat(members.get(0), 1))
          .isEqualTo(i == 0 ? Errors.NONE : Errors.REBALANCE_IN_PROGRESS);
    }
    assertThat(it.heartbeat(members.get(1), 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void heartbeatsAreFencedByGeneration() {
    List<String> members = it.stable(1);
    assertThat(it.heartbeat(members.get(0), 0)).isEqualTo(Errors.ILLEGAL_GENERATION);
    assertThat(it.heartbeat(members.get(0), 2)).isEqualTo(Errors.ILLEGAL_GENERATION);
    assertThat(it.heartbeat("nobody", 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void aParkedJoinIsASignOfLife() {
    List<String> members = it.stable(2);
    long parked = it.join(members.get(0));
    for (int i = 0; i < 20; i++) {
      it.advance(1_000);
      it.heartbeat(members.get(1), 1);
    }
    assertThat(it.isAnswered(parked)).isFalse();
    it.join(members.get(1));
    assertThat(it.error(parked)).isEqualTo(Errors.NONE);
    it.advance(GroupHarness.SESSION_MS);
    assertThat(it.heartbeat(members.get(0), 2)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void theLastMemberThatLeavesLeavesAnEmptyGenerationBehind() {
    List<String> members = it.stable(1);
    assertThat(it.error(it.leave(members.get(0)))).isEqualTo(Errors.NONE);
    assertThat(it.group.state()).isEqualTo(GroupState.EMPTY);
    assertThat(it.group.generation()).isEqualTo(2);
    assertThat(it.log.getLast())
        .isInstanceOfSatisfying(
            GroupRecord.GenerationStored.class,
            stored -> {
              assertThat(stored.metadata().members()).isEmpty();
              assertThat(stored.metadata().protocol()).isNull();
            });
  }

  @Test
  void aBatchOfLeavingMembersIsAnsweredOneByOne() {
    List<String> members = it.stable(2);
    String pending = joined(it.join("")).memberId();
    long leave =
        it.leave(
            new MemberIdentity().setMemberId(members.get(1)).setReason("scaled down"),
            new MemberIdentity().setMemberId("nobody"),
            new MemberIdentity().setMemberId(pending));
    assertThat(it.answer(LeaveGroupResponseData.class, leave).members())
        .extracting(MemberResponse::errorCode)
        .containsExactly(Errors.NONE.code(), Errors.UNKNOWN_MEMBER_ID.code(), Errors.NONE.code());
    assertThat(it.heartbeat(members.get(0), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
  }

  @Test
  void aMemberThatLeavesWhileItsJoinIsParkedHearsSo() {
    List<String> members = it.stable(2);
    long parked = it.join(members.get(0));
    it.leave(members.get(0));
    assertThat(it.error(parked)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void anAdministratorRemovesAStaticMemberByItsInstance() {
    it.joinStatic("", "instance");
    it.advance(1);
    assertThat(it.error(it.leave(new MemberIdentity().setGroupInstanceId("other"))))
        .isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    assertThat(it.error(it.leave(new MemberIdentity().setGroupInstanceId("instance"))))
        .isEqualTo(Errors.NONE);
  }

  private String stableStatic() {
    String first = joinStaticAndTick("a");
    it.sync(first, 1, Map.of(first, new byte[] {7}));
    return first;
  }

  private String joinStaticAndTick(String instanceId) {
    long join = it.joinStatic("", instanceId);
    it.advance(1);
    return joined(join).memberId();
  }

  @Test
  void aStaticMemberThatReturnsKeepsItsAssignmentWithoutARebalance() {
    String former = stableStatic();
    long again = it.joinStatic("", "a");
    JoinGroupResponseData response = joined(again);
    assertThat(response.errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(response.generationId()).isEqualTo(1);
    assertThat(response.memberId()).isNotEqualTo(former);
    assertThat(response.leader()).isEqualTo(response.memberId());
    assertThat(response.skipAssignment()).isTrue();
    assertThat(response.members()).hasSize(1);
    assertThat(it.group.state()).isEqualTo(GroupState.STABLE);

    long sync = it.sync(response.memberId(), 1, Map.of());
    assertThat(it.answer(SyncGroupResponseData.class, sync).assignment()).containsExactly(7);
    assertThat(it.error(it.sync(former, 1, Map.of()))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void beforeVersion9AReturnedLeaderIsToldItFollows() {
    String former = stableStatic();
    long again = it.join(it.joinData("", "a"), 8);
    assertThat(joined(again).leader()).isEqualTo(former);
    assertThat(joined(again).skipAssignment()).isFalse();
    assertThat(joined(again).members()).isEmpty();
  }

  @Test
  void theFormerSelfOfAStaticMemberIsFenced() {
    String former = stableStatic();
    it.joinStatic("", "a");
    assertThat(it.error(it.join(it.joinData(former, "a"), 9))).isEqualTo(Errors.FENCED_INSTANCE_ID);
    assertThat(it.error(it.leave(new MemberIdentity().setMemberId(former).setGroupInstanceId("a"))))
        .isEqualTo(Errors.FENCED_INSTANCE_ID);
  }

  @Test
  void aParkedRequestOfTheFormerSelfIsFenced() {
    List<String> members = it.stable(1);
    long parked = it.joinStatic("", "a");
    it.joinStatic("", "a");
    assertThat(it.error(parked)).isEqualTo(Errors.FENCED_INSTANCE_ID);
    assertThat(it.heartbeat(members.get(0), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
  }

  @Test
  void aReturnThatCannotBeStoredIsUndone() {
    String former = stableStatic();
    it.holdAppends = true;
    long again = it.joinStatic("", "a");
    assertThat(it.isAnswered(again)).isFalse();
    it.completeAppends(Errors.NOT_LEADER_OR_FOLLOWER);
    assertThat(it.error(again)).isEqualTo(Errors.NOT_COORDINATOR);
    assertThat(it.heartbeat(former, 1)).isEqualTo(Errors.NONE);
  }

  @Test
  void aStaticMemberThatReturnsWithAnotherProtocolCausesARebalance() {
    stableStatic();
    long again = it.join(it.joinData("", "a", "sticky", "range"), 9);
    assertThat(it.group.generation()).isEqualTo(2);
    assertThat(joined(again).protocolName()).isEqualTo("sticky");
  }

  @Test
  void membersLiveOnWhenTheCoordinatorMoves() {
    List<String> members = it.stable(2);
    it.restart();
    assertThat(it.group.state()).isEqualTo(GroupState.STABLE);
    assertThat(it.heartbeat(members.get(0), 1)).isEqualTo(Errors.NONE);
    long sync = it.sync(members.get(1), 1, Map.of());
    assertThat(it.answer(SyncGroupResponseData.class, sync).assignment())
        .isEqualTo(members.get(1).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    it.advance(GroupHarness.SESSION_MS);
    assertThat(it.heartbeat(members.get(0), 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
  }

  @Test
  void aGroupLargerThanNowAllowedRebalancesWhenLoaded() {
    it.stable(2);
    GroupHarness smaller = new GroupHarness(GroupHarness.config(0, 1));
    smaller.log.addAll(it.log);
    smaller.restart();
    assertThat(smaller.group.state()).isEqualTo(GroupState.PREPARING_REBALANCE);
  }

  @Test
  void thoseWhoWaitAreSentOnWhenTheCoordinatorStops() {
    List<String> members = it.stable(2);
    long parked = it.join(members.get(0));
    it.run(it.group.stop());
    assertThat(it.error(parked)).isEqualTo(Errors.NOT_COORDINATOR);
    assertThat(it.heartbeat(members.get(1), 1)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
  }

  @Test
  void membersAreDescribedOnceTheGroupIsStable() {
    List<String> members = it.stable(1);
    DescribedGroup group =
        it.answer(DescribedGroup.class, it.send(new GroupRequest.Describe("g", (short) 6)));
    assertThat(group.groupState()).isEqualTo("Stable");
    assertThat(group.protocolData()).isEqualTo("range");
    assertThat(group.protocolType()).isEqualTo("consumer");
    assertThat(group.members().getFirst().memberId()).isEqualTo(members.get(0));
    assertThat(group.members().getFirst().memberMetadata())
        .isEqualTo(GroupHarness.subscription("topic"));
    assertThat(group.members().getFirst().clientHost()).isEqualTo("/127.0.0.1");
  }

  @Test
  void aGroupThatIsNotThereIsDeadAndFromVersion6AnError() {
    DescribedGroup before =
        it.answer(DescribedGroup.class, it.send(new GroupRequest.Describe("g", (short) 5)));
    assertThat(before.groupState()).isEqualTo("Dead");
    assertThat(before.errorCode()).isEqualTo(Errors.NONE.code());
    DescribedGroup since =
        it.answer(DescribedGroup.class, it.send(new GroupRequest.Describe("g", (short) 6)));
    assertThat(since.errorCode()).isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
    assertThat(since.errorMessage()).isEqualTo("Group g not found.");
  }
}
