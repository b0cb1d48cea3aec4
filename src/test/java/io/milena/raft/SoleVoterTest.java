package io.milena.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** A group of one does not wait for anybody but its disk. */
class SoleVoterTest {
  private static final long SEED = 7;

  private final DurableState durable = DurableState.initial(Membership.ofVoters(1));

  @Test
  void electsItselfAtOnceAtStart() {
    var core = core();

    Effects effects = core.start();

    assertThat(core.isLeader()).isTrue();
    assertThat(effects.persist().hardState()).contains(new HardState(1, 1));
    assertThat(effects.persist().entries())
        .containsExactly(new Entry(1, 1, new EntryPayload.EpochStart()));
    assertThat(effects.messages()).isEmpty();
    assertThat(core.isLeaderUpToDate()).isFalse();
  }

  @Test
  void commitsWhenAndOnlyWhenItIsDurable() {
    var core = core();
    persist(core, core.start());

    Effects proposed =
        core.step(
            List.of(new Input.Propose(1, new byte[] {1}), new Input.Propose(2, new byte[] {2})));

    assertThat(proposed.apply()).isEmpty();
    assertThat(proposed.proposals())
        .containsExactly(
            new ProposalOutcome.Appended(1, new LogPosition(2, 1)),
            new ProposalOutcome.Appended(2, new LogPosition(3, 1)));
    assertThat(persist(core, proposed).apply()).isEqualTo(proposed.persist().entries()).hasSize(2);
    assertThat(core.isLeaderUpToDate()).isTrue();
  }

  @Test
  void readIsReadyAtOnce() {
    var core = core();
    persist(core, core.start());

    assertThat(core.step(new Input.ReadIndex(9)).reads())
        .containsExactly(new ReadOutcome.Ready(9, 1));
  }

  @Test
  void afterARestartEverythingIsAppliedAgainFromTheSnapshotOn() {
    var core = core();
    persist(core, core.start());
    persist(core, core.step(new Input.Propose(1, new byte[] {1})));
    persist(core, core.step(new Input.SnapshotTaken(2, new byte[] {42})));
    persist(core, core.step(new Input.Propose(2, new byte[] {2})));

    var restarted = core();
    Effects started = restarted.start();
    Effects applied = persist(restarted, started);

    assertThat(started.install())
        .contains(new Snapshot(new LogPosition(2, 1), Membership.ofVoters(1), new byte[] {42}));
    assertThat(restarted.epoch()).isEqualTo(2);
    assertThat(applied.apply())
        .containsExactly(
            new Entry(3, 1, new EntryPayload.Command(new byte[] {2})),
            new Entry(4, 2, new EntryPayload.EpochStart()));
  }

  private RaftCore core() {
    return new RaftCore(RaftConfig.defaults(1), durable, SEED);
  }

  private Effects persist(RaftCore core, Effects effects) {
    durable.replay(effects.persist());
    core.checkInvariants();
    return core.step(new Input.Persisted(effects.persist().sequence()));
  }
}
