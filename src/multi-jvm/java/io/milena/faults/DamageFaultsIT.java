package io.milena.faults;

import static io.milena.faults.FaultCase.PACE;
import static io.milena.faults.FaultCase.SEGMENTS;
import static io.milena.faults.FaultExtension.WHOLE_LIST;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.SmallDisk;
import io.milena.faults.FaultCluster.Disks;
import io.milena.log.LogCheck;
import io.milena.log.LogCondition.Kind;
import io.milena.node.Await;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One node of three has a full disk, or damaged files, under load. */
@Timeout(900)
@Tag(WHOLE_LIST)
class DamageFaultsIT {

  private static final int FULL_SECONDS = 5;

  @RegisterExtension static final FaultExtension CLUSTER = new FaultExtension(3, Disks.SMALL);

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void diskFull(boolean ofLeader) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int leader = cluster.otherThan(List.of(cluster.metadataLeader()));
    int victim = ofLeader ? leader : otherThan(leader);
    SmallDisk disk = CLUSTER.assumeSmallDisk(victim);
    String name = "disk of %s full for %d s".formatted(words(ofLeader), FULL_SECONDS);
    try (FaultCase faults = FaultCase.begin(name, cluster, leader)) {
      disk.fill();
      TimeUnit.SECONDS.sleep(FULL_SECONDS);
      // While it is full: the others go on without that node.
      faults.awaitProgress();
      disk.free();
      faults.finish();
    }
  }

  /** What was not flushed is checked at the start after a kill, and cut where it is damaged. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBitFlipsInTheActiveSegment(boolean ofLeader) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int leader = cluster.otherThan(List.of(cluster.metadataLeader()));
    int victim = ofLeader ? leader : otherThan(leader);
    String name = "a bit flipped in the active segment of %s".formatted(words(ofLeader));
    try (FaultCase faults = FaultCase.begin(name, cluster, leader, PACE, Map.of())) {
      cluster.node(victim).kill();
      ReplicaFiles files = cluster.replica(victim, faults.partition(0));
      ReplicaFiles.damage(files.segments().getLast());
      faults.awaitProgress();
      cluster.start(victim);
      faults.finish();
    }
  }

  /** Sealed segments are not read at a start: the check finds it, and the copy is made anew. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBitFlipsInASealedSegment(boolean ofLeader) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    int leader = cluster.otherThan(List.of(cluster.metadataLeader()));
    int victim = ofLeader ? leader : otherThan(leader);
    String name = "a bit flipped in a sealed segment of %s".formatted(words(ofLeader));
    try (FaultCase faults = FaultCase.begin(name, cluster, leader, SEGMENTS, Map.of())) {
      ReplicaFiles files = cluster.replica(victim, faults.partition(0));
      Await.until(() -> files.sealedSegments().size() > 1, "a segment is sealed");
      assertThat(cluster.node(victim).terminate()).isIn(0, 143);
      ReplicaFiles.damage(files.sealedSegments().getFirst());
      assertThat(LogCheck.check(files.directory()).has(Kind.DAMAGED)).isTrue();
      Utils.delete(files.directory().toFile());
      faults.awaitProgress();
      cluster.start(victim);
      faults.finish();
    }
  }

  private static String words(boolean ofLeader) {
    return ofLeader ? "a leader" : "a follower";
  }

  private static int otherThan(int leader) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    return cluster.otherThan(List.of(leader, cluster.metadataLeader()));
  }
}
