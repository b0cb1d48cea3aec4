package io.milena.faults;

import static io.milena.faults.FaultCase.IMPATIENT;
import static io.milena.faults.FaultCase.PACE;
import static io.milena.faults.FaultExtension.WHOLE_LIST;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.faults.FaultCluster.Disks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes of three that are killed, stand still, stop and start under load. */
@Timeout(900)
class ThreeNodeFaultsIT {

  @RegisterExtension static final FaultExtension CLUSTER = new FaultExtension(3, Disks.REAL);

  @Tag(WHOLE_LIST)
  @Test
  void leaderKilled() throws Exception {
    int leader = otherThan(CLUSTER.cluster().metadataLeader());
    killed("kill -9 of a leader", leader, leader);
  }

  @Tag(WHOLE_LIST)
  @Test
  void metadataLeaderKilled() throws Exception {
    int metadataLeader = CLUSTER.cluster().metadataLeader();
    killed("kill -9 of the metadata leader", otherThan(metadataLeader), metadataLeader);
  }

  @Tag(WHOLE_LIST)
  @Test
  void followerKilled() throws Exception {
    int metadataLeader = CLUSTER.cluster().metadataLeader();
    int leader = otherThan(metadataLeader);
    killed("kill -9 of a follower", leader, otherThan(metadataLeader, leader));
  }

  @Test
  void leaderThatIsMetadataLeaderKilled() throws Exception {
    int both = CLUSTER.cluster().metadataLeader();
    killed("kill -9 of a node that is both", both, both);
  }

  @Tag(WHOLE_LIST)
  @Test
  void oldestMemberKilled() throws Exception {
    int oldest = CLUSTER.cluster().oldest();
    killed("kill -9 of the oldest cluster member", otherThan(oldest), oldest);
  }

  @Tag(WHOLE_LIST)
  @Test
  void twoKilledInTurn() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int first = cluster.metadataLeader();
    try (FaultCase faults = FaultCase.begin("kill -9 of two leaders in turn", cluster, first)) {
      for (int i = 0; i < 2; i++) {
        int leader = cluster.leader(faults.partition(0));
        cluster.node(leader).kill();
        faults.awaitProgress();
        cluster.start(leader);
        cluster.awaitHealed(faults.topic());
      }
      faults.finish();
    }
  }

  /** Nothing can be acknowledged until one of them is back. */
  @Tag(WHOLE_LIST)
  @Test
  void twoKilledAtOnce() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int metadataLeader = cluster.metadataLeader();
    int leader = otherThan(metadataLeader);
    try (FaultCase faults = FaultCase.begin("kill -9 of two at once", cluster, leader)) {
      cluster.node(leader).kill();
      cluster.node(metadataLeader).kill();
      cluster.startAll();
      faults.finish();
    }
  }

  @Test
  void allKilledAtOnce() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    try (FaultCase faults = FaultCase.begin("kill -9 of all at once, restart", cluster, 1)) {
      for (int id = 1; id <= cluster.size(); id++) {
        cluster.node(id).kill();
      }
      cluster.startAll();
      faults.finish();
    }
  }

  private static void killed(String name, int leader, int victim) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    try (FaultCase faults = FaultCase.begin(name, cluster, leader)) {
      cluster.node(victim).kill();
      faults.awaitProgress();
      cluster.start(victim);
      faults.finish();
    }
  }

  @Tag(WHOLE_LIST)
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 20})
  void leaderPaused(int seconds) throws Exception {
    int leader = otherThan(CLUSTER.cluster().metadataLeader());
    paused("SIGSTOP of a leader for %d s".formatted(seconds), leader, leader, seconds);
  }

  @Tag(WHOLE_LIST)
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 20})
  void leaderThatIsMetadataLeaderPaused(int seconds) throws Exception {
    int both = CLUSTER.cluster().metadataLeader();
    paused("SIGSTOP of a node that is both for %d s".formatted(seconds), both, both, seconds);
  }

  @Tag(WHOLE_LIST)
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 20})
  void followerPaused(int seconds) throws Exception {
    int metadataLeader = CLUSTER.cluster().metadataLeader();
    int leader = otherThan(metadataLeader);
    int follower = otherThan(metadataLeader, leader);
    paused("SIGSTOP of a follower for %d s".formatted(seconds), leader, follower, seconds);
  }

  private static void paused(String name, int leader, int victim, int seconds) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    try (FaultCase faults = FaultCase.begin(name, cluster, leader, PACE, IMPATIENT)) {
      cluster.pause(victim, Duration.ofSeconds(seconds));
      faults.finish();
    }
  }

  /** Without either of the two nothing can be acknowledged, nor decided. */
  @Tag(WHOLE_LIST)
  @Test
  void leaderPausedWhileAnotherIsDown() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int leader = cluster.metadataLeader();
    int down = otherThan(leader);
    String name = "SIGSTOP of a node that is both for 5 s while another is down";
    try (FaultCase faults = FaultCase.begin(name, cluster, leader, PACE, IMPATIENT)) {
      cluster.node(down).kill();
      faults.awaitProgress();
      cluster.pause(leader, Duration.ofSeconds(5));
      faults.awaitProgress();
      cluster.start(down);
      faults.finish();
    }
  }

  /** Clients wait until all are back; what counts is how fast they stop, and what they find. */
  @Tag(WHOLE_LIST)
  @Test
  void allStoppedAtOnce() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    try (FaultCase faults =
        FaultCase.begin("controlled stop of all at once, restart", cluster, 1)) {
      long begun = System.nanoTime();
      for (int id = 1; id <= cluster.size(); id++) {
        cluster.node(id).signalTermination();
      }
      for (int id = 1; id <= cluster.size(); id++) {
        assertThat(cluster.node(id).terminate()).isIn(0, 143);
      }
      System.out.printf("all stopped after %d ms%n", (System.nanoTime() - begun) / 1_000_000);
      List<Integer> saidBefore = new ArrayList<>();
      for (int id = 1; id <= cluster.size(); id++) {
        saidBefore.add(cluster.node(id).output().length());
      }
      cluster.startAll();
      for (int id = 1; id <= cluster.size(); id++) {
        assertThat(cluster.node(id).output().substring(saidBefore.get(id - 1)))
            .as("node %d, started again", id)
            .doesNotContain("did not stop cleanly");
      }
      faults.finish();
    }
  }

  @Tag(WHOLE_LIST)
  @Test
  void leaderStopped() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int leader = otherThan(cluster.metadataLeader());
    try (FaultCase faults = FaultCase.begin("controlled stop of a leader", cluster, leader)) {
      assertThat(cluster.node(leader).terminate()).isIn(0, 143);
      faults.awaitProgress();
      cluster.start(leader);
      faults.finish();
    }
  }

  @Tag(WHOLE_LIST)
  @Test
  void rollingRestart() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    try (FaultCase faults = FaultCase.begin("rolling restart of all", cluster, 1)) {
      for (int id = 1; id <= cluster.size(); id++) {
        assertThat(cluster.node(id).terminate()).isIn(0, 143);
        cluster.start(id);
        cluster.awaitHealed(faults.topic());
      }
      faults.finish();
    }
  }

  private static int otherThan(Integer... ids) {
    return CLUSTER.cluster().otherThan(List.of(ids));
  }
}
