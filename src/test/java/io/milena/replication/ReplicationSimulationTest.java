package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The replication of a topic under every fault there is, checked after every step.
 *
 * <p>{@code -Dmilena.simulation.seeds=1000000} runs that many seeds, {@code
 * -Dmilena.simulation.first=N} says from which on, {@code -Dmilena.simulation.seed=N} replays one.
 */
class ReplicationSimulationTest {

  private static final long SEEDS = Long.getLong("milena.simulation.seeds", 1_000);
  private static final long FIRST = Long.getLong("milena.simulation.first", 1);

  /** How many seeds a planted bug may live through. */
  private static final int SEEDS_PER_BUG = 4_000;

  @Test
  void everySeedKeepsItsPromisesAndHeals() {
    Long only = Long.getLong("milena.simulation.seed");
    long first = only == null ? FIRST : only;
    long last = only == null ? FIRST + SEEDS - 1 : only;
    SimulatedReplication.Happened happened = SimulatedReplication.Happened.NOTHING;
    for (long seed = first; seed <= last; seed++) {
      happened = happened.plus(simulate(seed, ReplicationFault.NONE));
    }
    if (only == null) {
      // Guards against a simulation so hostile, or so tame, that nothing happens in it.
      long seeds = last - first + 1;
      assertThat(happened.acknowledged()).as("%s", happened).isGreaterThan(10 * seeds);
      assertThat(happened.leaderEpochs()).as("%s", happened).isGreaterThan(2 * seeds);
      assertThat(happened.isrChanges()).as("%s", happened).isGreaterThan(4 * seeds);
      assertThat(happened.truncations()).as("%s", happened).isGreaterThan(seeds / 4);
    }
  }

  @ParameterizedTest
  @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void plantedBugIsCaught(ReplicationFault bug) {
    for (long seed = bug.firstSeed; seed < bug.firstSeed + SEEDS_PER_BUG; seed++) {
      try {
        simulate(seed, bug);
      } catch (AssertionError _) {
        return;
      }
    }
    throw new AssertionError("nobody noticed " + bug);
  }

  private static SimulatedReplication.Happened simulate(long seed, ReplicationFault fault) {
    SimulatedReplication replication = new SimulatedReplication(seed, fault);
    try {
      replication.run();
    } catch (AssertionError failure) {
      throw new AssertionError(
          "Replay with -Dmilena.simulation.seed=" + seed + ": " + failure.getMessage(), failure);
    }
    return replication.happened();
  }
}
