package io.milena.raft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Groups of one to five servers under every fault there is, checked after every step.
 *
 * <p>{@code -Dmilena.simulation.seeds=1000000} runs that many seeds, {@code
 * -Dmilena.simulation.first=N} says from which on, {@code -Dmilena.simulation.seed=N} replays one.
 */
class RaftSimulationTest {
  private static final long SEEDS = Long.getLong("milena.simulation.seeds", 6_000);
  private static final long FIRST = Long.getLong("milena.simulation.first", 1);

  /** How many seeds a planted bug may live through; each is found within a few dozen. */
  private static final int SEEDS_PER_BUG = 2_000;

  @Test
  void everySeedKeepsItsPromisesAndHeals() {
    Long only = Long.getLong("milena.simulation.seed");
    long first = only == null ? FIRST : only;
    long last = only == null ? FIRST + SEEDS - 1 : only;
    var happened = SimulatedCluster.Happened.NOTHING;
    for (long seed = first; seed <= last; seed++) {
      happened = happened.plus(simulate(seed, ShellFault.NONE));
    }
    if (only == null) {
      // Guards against a simulation so hostile, or so tame, that nothing happens in it.
      long seeds = last - first + 1;
      assertThat(happened.commits()).as("%s", happened).isGreaterThan(20 * seeds);
      assertThat(happened.leaders()).as("%s", happened).isGreaterThan(2 * seeds);
      assertThat(happened.membershipChanges()).as("%s", happened).isGreaterThan(seeds / 2);
      assertThat(happened.installs()).as("%s", happened).isGreaterThan(seeds / 2);
      assertThat(happened.reads()).as("%s", happened).isGreaterThan(5 * seeds);
    }
  }

  @ParameterizedTest
  @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void plantedBugIsCaught(ShellFault bug) {
    boolean isCaught = false;
    for (long seed = 1; seed <= SEEDS_PER_BUG && !isCaught; seed++) {
      try {
        simulate(seed, bug);
      } catch (AssertionError _) {
        isCaught = true;
      }
    }
    assertThat(isCaught).as("bug %s is seen by the checkers", bug).isTrue();
  }

  private static SimulatedCluster.Happened simulate(long seed, ShellFault fault) {
    var cluster = new SimulatedCluster(seed, fault);
    try {
      cluster.run();
    } catch (AssertionError failure) {
      throw new AssertionError(
          "Replay with -Dmilena.simulation.seed=" + seed + ": " + failure.getMessage(), failure);
    }
    return cluster.happened();
  }
}
