package io.milena.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Raft, sections 5.3, 5.4.2 and 7; thesis, section 6.4. */
class ReplicationTest {

  /** Section 5.3. */
  @Test
  void majorityCommitsAndEveryoneApplies() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(3);
    group.propose(1, 1);
    assertThat(group.applied(1)).isEmpty();

    group.deliverAll();

    assertThat(group.applied(1)).containsExactly(1);
    assertThat(group.applied(2)).containsExactly(1);
  }

  @Test
  void minorityCommitsNothing() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(2, 3);
    group.propose(1, 1);
    group.tick(1, 5);
    group.deliverAll();

    assertThat(group.applied(1)).isEmpty();
  }

  /** Section 5.3, figure 7: what a deposed leader wrote is replaced; back-off goes by epochs. */
  @Test
  void divergentTailIsReplacedInFewRounds() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(1);
    for (int value = 50; value < 65; value++) {
      group.propose(1, value);
    }
    group.elect(2);
    group.propose(2, 7);
    group.deliverAll();
    group.forgetHistory();

    group.heal();
    group.tick(2, 2);
    group.deliverAll();
    group.tick(2, 2);
    group.deliverAll();

    assertThat(group.applied(1)).containsExactly(7);
    assertThat(group.disk(1).entries()).isEqualTo(group.disk(2).entries());
    assertThat(group.sent(Message.AppendRejected.class)).hasSizeLessThanOrEqualTo(3);
  }

  /** Section 5.4.2, figure 8: an entry of an earlier epoch is not committed by being counted. */
  @Test
  void earlierEpochIsCommittedOnlyWithAnEntryOfThisOne() {
    var leader = leaderWithOldEntry();

    leader.step(new Input.Receive(2, new Message.AppendResponse(leader.epoch(), 1)));
    assertThat(leader.status().commitIndex()).isZero();

    leader.step(new Input.Receive(2, new Message.AppendResponse(leader.epoch(), 2)));
    assertThat(leader.status().commitIndex()).isEqualTo(2);
  }

  @Test
  void leaderCountsItselfOnlyOnceItIsDurable() {
    var leader = leaderWithOldEntry();
    Effects proposed = leader.step(new Input.Propose(1, new byte[1]));

    leader.step(new Input.Receive(2, new Message.AppendResponse(leader.epoch(), 3)));
    assertThat(leader.status().commitIndex()).isEqualTo(2);

    leader.step(new Input.Persisted(proposed.persist().sequence()));
    assertThat(leader.status().commitIndex()).isEqualTo(3);
  }

  @Test
  void slowFollowerHasAFewMessagesOutAndNoMore() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.deliverAll();
    for (int value = 1; value <= 10; value++) {
      group.propose(1, value);
    }

    long toNode2 =
        group.drain().stream()
            .filter(sent -> sent.to() == 2)
            .filter(sent -> sent.message() instanceof Message.AppendRequest)
            .count();

    assertThat(toNode2).isEqualTo(RaftGroup.config(1).inflightAppendsMax());
  }

  @Test
  void lostMessagesAreMadeGoodByHeartbeats() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    for (int value = 1; value <= 10; value++) {
      group.propose(1, value);
    }
    assertThat(group.drain()).isNotEmpty();

    for (int round = 0; round < 5; round++) {
      group.tick(1, 2);
      group.deliverAll();
    }

    assertThat(group.applied(2)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assertThat(group.applied(3)).isEqualTo(group.applied(2));
  }

  @Test
  void proposalsAreRefusedWhileTooMuchIsUncommitted() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(2, 3);
    List<ProposalOutcome> outcomes = new ArrayList<>();
    for (int i = 1; i <= 12; i++) {
      outcomes.addAll(group.step(1, new Input.Propose(i, new byte[100])).proposals());
    }

    assertThat(outcomes.getFirst()).isInstanceOf(ProposalOutcome.Appended.class);
    assertThat(outcomes.getLast())
        .isEqualTo(new ProposalOutcome.Refused(12, ProposalOutcome.Reason.TOO_MUCH_UNCOMMITTED, 1));
  }

  /** Section 7, figure 13. */
  @Test
  void followerThatIsTooFarBehindGetsTheSnapshotInChunksAndThenTheRest() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(3);
    group.propose(1, 1);
    group.deliverAll();
    long index = group.core(1).status().appliedIndex();
    byte[] state = "a state of more than one chunk of sixteen bytes".getBytes();
    group.step(1, new Input.SnapshotTaken(index, state));
    group.propose(1, 2);
    group.deliverAll();

    group.heal();
    for (int round = 0; round < 5; round++) {
      group.tick(1, 2);
      group.deliverAll();
    }

    assertThat(group.sent(Message.SnapshotChunk.class)).hasSizeGreaterThanOrEqualTo(3);
    assertThat(group.installed(3)).hasSize(1);
    assertThat(group.installed(3).getFirst().data()).isEqualTo(state);
    assertThat(group.applied(3)).containsExactly(2);
    assertThat(group.disk(3).snapshot()).isEqualTo(group.disk(1).snapshot());
  }

  /** Thesis, section 6.4. */
  @Test
  void readsAreConfirmedByAMajorityOnLeaderAndFollower() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.propose(1, 1);
    group.deliverAll();
    long index = group.core(1).status().commitIndex();

    group.step(1, new Input.ReadIndex(10));
    group.step(2, new Input.ReadIndex(20));
    assertThat(group.reads(1)).isEmpty();
    group.deliverAll();

    assertThat(group.reads(1)).containsExactly(new ReadOutcome.Ready(10, index));
    assertThat(group.reads(2)).containsExactly(new ReadOutcome.Ready(20, index));
  }

  @Test
  void leaderThatIsCutOffServesNoRead() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.cutOff(1);

    group.step(1, new Input.ReadIndex(10));
    group.deliverAll();
    group.tick(1, 30);

    assertThat(group.reads(1)).containsExactly(new ReadOutcome.Refused(10, HardState.NOBODY));
  }

  @Test
  void readThatNobodyAnswersIsRefused() {
    var group = RaftGroup.ofVoters(1, 2, 3);
    group.elect(1);
    group.step(2, new Input.ReadIndex(20));
    group.drain();

    group.tick(2, RaftGroup.config(2).electionTicks());

    assertThat(group.reads(2)).hasOnlyElementsOfType(ReadOutcome.Refused.class).hasSize(1);
  }

  /** Node 1 of three, which has just become leader of epoch 2 with an entry of epoch 1. */
  private static RaftCore leaderWithOldEntry() {
    var disk =
        new DurableState(
            new HardState(1, HardState.NOBODY),
            Snapshot.bootstrap(Membership.ofVoters(1, 2, 3)),
            List.of(new Entry(1, 1, new EntryPayload.Command(new byte[1]))));
    var leader = new RaftCore(RaftGroup.config(1), disk, 1);
    leader.start();
    for (int i = 0; i < 20; i++) {
      leader.step(new Input.Tick());
    }
    leader.step(new Input.Receive(2, new Message.PreVoteResponse(1, 2, true)));
    Effects elected = leader.step(new Input.Receive(2, new Message.VoteResponse(2, true)));
    assertThat(leader.isLeader()).isTrue();
    leader.step(new Input.Persisted(elected.persist().sequence()));
    return leader;
  }
}
