package io.milena.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Raft, sections 5.2 and 5.4.1; thesis, sections 3.10, 4.2.3, 6.2 and 9.6. */
class ElectionTest {

  /** Section 5.2. */
  @Test
  void followerCampaignsAfterSilenceAndNotBefore() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.tick(1, 9);
    assertThat(group.drain()).isEmpty();

    group.tick(1, 11);

    assertThat(group.sent(Message.PreVoteRequest.class)).isNotEmpty();
    group.deliverAll();
    assertThat(group.core(1).isLeader()).isTrue();
    assertThat(group.core(2).leaderId()).isEqualTo(1);
    assertThat(group.core(3).leaderId()).isEqualTo(1);
  }

  /** Section 5.2: a vote is durable before the answer leaves. */
  @Test
  void voteIsPersistedByTheEffectsThatCarryTheAnswer() {
    var core = RaftGroup.ofVoters(1, 2, 3).core(2);

    Effects effects =
        core.step(new Input.Receive(1, new Message.VoteRequest(1, LogPosition.START, false)));

    assertThat(effects.persist().hardState()).contains(new HardState(1, 1));
    assertThat(effects.messages())
        .containsExactly(new Envelope(1, new Message.VoteResponse(1, true)));
  }

  /** Section 5.2: one vote an epoch, also after a restart. */
  @Test
  void secondCandidateOfAnEpochGetsNoVoteEvenAfterARestart() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.step(2, new Input.Receive(1, new Message.VoteRequest(1, LogPosition.START, false)));

    var restarted = new RaftCore(RaftGroup.config(2), group.disk(2), 99);
    restarted.start();

    assertThat(
            restarted
                .step(new Input.Receive(3, new Message.VoteRequest(1, LogPosition.START, false)))
                .messages())
        .containsExactly(new Envelope(3, new Message.VoteResponse(1, false)));
  }

  /** Section 5.4.1. */
  @Test
  void shorterOrOlderLogIsNotVotedFor() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.propose(1, 7);
    group.deliverAll();
    LogPosition last = group.core(2).status().last();
    int epoch = group.core(2).epoch();

    for (var stale :
        List.of(new LogPosition(last.index() - 1, last.epoch()), new LogPosition(99, 0))) {
      var request = new Message.VoteRequest(epoch + 1, stale, true);
      assertThat(
              new RaftCore(RaftGroup.config(2), group.disk(2), 1)
                  .step(new Input.Receive(3, request))
                  .messages())
          .containsExactly(new Envelope(3, new Message.VoteResponse(epoch + 1, false)));
    }
  }

  /** Thesis, section 9.6. */
  @Test
  void serverThatWasCutOffComesBackWithoutANewEpoch() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    int epoch = group.core(1).epoch();
    group.cutOff(3);
    group.tick(3, 200);
    group.deliverAll();
    group.heal();

    group.tick(3, 30);
    group.tick(1, 2);
    group.deliverAll();

    assertThat(group.core(1).isLeader()).isTrue();
    assertThat(group.core(3).epoch()).isEqualTo(epoch);
    assertThat(group.core(3).leaderId()).isEqualTo(1);
  }

  /** Thesis, section 4.2.3. */
  @Test
  void whoHearsItsLeaderIsNotMovedByACandidate() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    int epoch = group.core(2).epoch();
    var request = new Message.VoteRequest(epoch + 5, new LogPosition(99, epoch), false);

    assertThat(group.step(2, new Input.Receive(3, request)).messages()).isEmpty();
    assertThat(group.step(1, new Input.Receive(3, request)).messages()).isEmpty();

    assertThat(group.core(2).epoch()).isEqualTo(epoch);
    assertThat(group.core(1).isLeader()).isTrue();
  }

  /** Thesis, section 6.2. */
  @Test
  void leaderWithoutAMajorityStepsDown() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(1);

    group.tick(1, 25);

    assertThat(group.core(1).isLeader()).isFalse();
  }

  /** Architecture, section 2: a process that is gone for certain. */
  @Test
  void goneLeaderIsReplacedWithoutATick() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(1);

    group.step(2, new Input.PeerGone(1));
    group.step(3, new Input.PeerGone(1));
    group.deliverAll();

    assertThat(group.core(2).isLeader()).isTrue();
    assertThat(group.core(3).leaderId()).isEqualTo(2);
  }

  @Test
  void goneLeaderIsReplacedEvenIfOthersLearnOfItLate() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(1);
    group.step(2, new Input.PeerGone(1));
    group.deliverAll();
    assertThat(group.core(2).isLeader()).isFalse();

    group.step(3, new Input.PeerGone(1));
    group.tick(2, 2);
    group.deliverAll();

    assertThat(group.core(2).isLeader()).isTrue();
  }

  /** Thesis, section 3.10. */
  @Test
  void leadershipIsHandedOverWithoutATick() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);

    group.step(1, new Input.TransferLeadership(3));
    assertThat(group.propose(1, 1).proposals())
        .containsExactly(new ProposalOutcome.Refused(1, ProposalOutcome.Reason.TRANSFERRING, 1));
    group.deliverAll();

    assertThat(group.core(3).isLeader()).isTrue();
    assertThat(group.core(1).leaderId()).isEqualTo(3);
  }

  @Test
  void handOverToADeadServerIsGivenUp() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(3);
    group.step(1, new Input.TransferLeadership(3));

    for (int i = 0; i < 12; i++) {
      group.tick(1, 1);
      group.deliverAll();
    }

    assertThat(group.propose(1, 1).proposals())
        .hasOnlyElementsOfType(ProposalOutcome.Appended.class);
  }

  @Test
  void proposalElsewhereIsRefusedWithTheLeader() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);

    assertThat(group.propose(2, 5).proposals())
        .containsExactly(new ProposalOutcome.Refused(5, ProposalOutcome.Reason.NOT_LEADER, 1));
  }
}
