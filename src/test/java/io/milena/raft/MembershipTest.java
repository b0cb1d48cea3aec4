package io.milena.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

/** Thesis, chapter 4. */
class MembershipTest {

  @Test
  void groupOfOneGrowsToThreeAndLosesItsFirst() {
    var group = RaftGroup.ofVoters(1);
    for (int nodeId : new int[] {2, 3}) {
      group.add(RaftGroup.config(nodeId), DurableState.initial(Membership.EMPTY));
      change(group, 1, new MembershipChange.AddLearner(nodeId));
      change(group, 1, new MembershipChange.AddVoter(nodeId));
    }
    assertThat(group.core(3).membership()).isEqualTo(Membership.ofVoters(1, 2, 3));

    change(group, 1, new MembershipChange.Remove(1));

    // Section 4.2.2: the leader that removed itself hands over; nobody had to wait.
    assertThat(group.core(1).isLeader()).isFalse();
    assertThat(group.core(2).isLeader() || group.core(3).isLeader()).isTrue();
    assertThat(group.core(2).membership()).isEqualTo(Membership.ofVoters(2, 3));
  }

  @Test
  void learnerFollowsAndCountsForNothing() {
    var group = RaftGroup.ofVoters(1, 2);
    group.add(RaftGroup.config(3), DurableState.initial(Membership.EMPTY));
    group.elect(1);
    change(group, 1, new MembershipChange.AddLearner(3));
    group.propose(1, 1);
    group.deliverAll();
    group.tick(1, 2);
    group.deliverAll();
    assertThat(group.applied(3)).containsExactly(1);

    group.cutOff(2);
    group.propose(1, 2);
    group.deliverAll();
    group.tick(3, 100);

    assertThat(group.applied(1)).containsExactly(1);
    assertThat(group.sent(Message.PreVoteRequest.class))
        .noneMatch(request -> request.epoch() > group.core(1).epoch() + 1);
    assertThat(group.core(3).status().role()).isEqualTo(RaftStatus.RoleName.FOLLOWER);
  }

  /** Section 4.1. */
  @Test
  void secondChangeWaitsForTheFirst() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(2, 3);
    group.step(1, new Input.ChangeMembership(1, new MembershipChange.AddLearner(4)));

    assertThat(refusal(group, new MembershipChange.AddLearner(5)))
        .isEqualTo(ProposalOutcome.Reason.CHANGE_IN_PROGRESS);
  }

  /** Section 4.2.1. */
  @Test
  void serverThatHasNotCaughtUpIsNoVoter() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);

    assertThat(refusal(group, new MembershipChange.AddVoter(4)))
        .isEqualTo(ProposalOutcome.Reason.NOT_CAUGHT_UP);
  }

  @Test
  void lastVoterStays() {
    var group = RaftGroup.ofVoters(1);

    assertThat(refusal(group, new MembershipChange.Remove(1)))
        .isEqualTo(ProposalOutcome.Reason.NO_SUCH_CHANGE);
  }

  /**
   * Section 4.2.2. Simulation seeds 117 and 43295: a leader of two voters removes itself, and
   * crashes before the other has that entry. Its log is then the only one that can win.
   */
  @Test
  void removedVoterMayStillCampaignUntilTheRemovalIsCommitted() {
    var group = RaftGroup.ofVoters(1, 2);
    group.elect(1);
    group.cutOff(2);
    group.step(1, new Input.ChangeMembership(1, new MembershipChange.Remove(1)));
    group.drain();
    group.heal();
    group.add(RaftGroup.config(1), group.disk(1));

    for (int i = 0; i < 100 && !group.core(2).isLeader(); i++) {
      group.tick(1, 1);
      group.tick(2, 1);
      group.deliverAll();
    }

    assertThat(group.core(2).isLeader()).isTrue();
    assertThat(group.core(2).membership()).isEqualTo(new Membership(Set.of(2), Set.of()));
  }

  private static void change(RaftGroup group, int leader, MembershipChange change) {
    var outcome = group.step(leader, new Input.ChangeMembership(1, change)).proposals().getFirst();
    assertThat(outcome).isInstanceOf(ProposalOutcome.Appended.class);
    group.deliverAll();
    group.tick(leader, 2);
    group.deliverAll();
  }

  private static ProposalOutcome.Reason refusal(RaftGroup group, MembershipChange change) {
    var outcome = group.step(1, new Input.ChangeMembership(1, change)).proposals().getFirst();
    return ((ProposalOutcome.Refused) outcome).reason();
  }
}
