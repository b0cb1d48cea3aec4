package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LeaderProgressTest {

  @Test
  void aSingleReplicaCommitsWhatItHas() {
    LeaderProgress progress = new LeaderProgress(1, List.of(1), 10, 4);
    assertThat(progress.highWatermark()).isEqualTo(10);
    assertThat(progress.onLocalEnd(12)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(12);
  }

  @Test
  void theSlowestInSyncReplicaHoldsTheHighWatermark() {
    LeaderProgress progress = new LeaderProgress(1, List.of(1, 2, 3), 10, 4);
    assertThat(progress.highWatermark()).isEqualTo(4);
    assertThat(progress.onFollowerEnd(2, 9)).isFalse();
    assertThat(progress.onFollowerEnd(3, 7)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(7);
  }

  @Test
  void aReplicaNotHeardOfInThisEpochHoldsItToo() {
    LeaderProgress progress = new LeaderProgress(1, List.of(1, 2), 10, 0);
    assertThat(progress.onLocalEnd(20)).isFalse();
    assertThat(progress.highWatermark()).isZero();
  }

  @Test
  void leavingTheIsrLetsItMoveOn() {
    LeaderProgress progress = new LeaderProgress(1, List.of(1, 2), 10, 3);
    assertThat(progress.onInSyncReplicas(List.of(1))).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(10);
  }

  @Test
  void itNeverGoesBackwardsWhenAFollowerTruncatesOrTheIsrGrows() {
    LeaderProgress progress = new LeaderProgress(1, List.of(1), 10, 0);
    assertThat(progress.onInSyncReplicas(List.of(1, 2))).isFalse();
    assertThat(progress.onFollowerEnd(2, 5)).isFalse();
    assertThat(progress.highWatermark()).isEqualTo(10);
  }

  @Test
  void itIsNeverPastTheLeadersOwnLog() {
    LeaderProgress progress = new LeaderProgress(1, List.of(1), 10, 15);
    assertThat(progress.highWatermark()).isEqualTo(10);
    LeaderProgress without = new LeaderProgress(1, List.of(2), 10, 0);
    assertThat(without.onFollowerEnd(2, 50)).isTrue();
    assertThat(without.highWatermark()).isEqualTo(10);
  }
}
