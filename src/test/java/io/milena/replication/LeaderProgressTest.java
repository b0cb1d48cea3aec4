package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LeaderProgressTest {

  private static final int SELF = 1;
  private static final int EPOCH = 7;
  private static final List<Integer> REPLICAS = List.of(1, 2, 3);

  private final List<String> reports = new ArrayList<>();

  private LeaderProgress progress(
      long logEnd, long highWatermark, int minIsr, List<Integer> replicas, List<Integer> isr) {
    LeaderProgress progress =
        new LeaderProgress(
            SELF,
            EPOCH,
            logEnd,
            logEnd,
            highWatermark,
            minIsr,
            new InSyncReports() {
              @Override
              public void onCaughtUp(int leaderEpoch, int nodeId, long nodeEpoch) {
                reports.add("caught up " + nodeId + "@" + nodeEpoch);
              }

              @Override
              public void onJoined(int leaderEpoch, int nodeId, long nodeEpoch) {
                reports.add("joined " + nodeId + "@" + nodeEpoch);
              }

              @Override
              public void onLagging(int leaderEpoch, int nodeId) {
                reports.add("lagging " + nodeId);
              }
            });
    progress.onReplicas(replicas, isr, 0);
    return progress;
  }

  private static FollowerPosition at(int node, long end) {
    return at(node, 0, end, 0);
  }

  private static FollowerPosition at(int node, long nodeEpoch, long end, long nowNanos) {
    return new FollowerPosition(node, nodeEpoch, EPOCH, 0, end, end, nowNanos);
  }

  @Test
  void aSingleReplicaCommitsWhatItHas() {
    LeaderProgress progress = progress(10, 4, 2, List.of(1), List.of(1));
    assertThat(progress.highWatermark()).isEqualTo(10);
    assertThat(progress.onLocalEnd(12, 12)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(12);
    assertThat(progress.onLocalEnd(14, 13)).as("kept, not written").isTrue();
    assertThat(progress.highWatermark()).isEqualTo(13);
  }

  @Test
  void theSlowestInSyncReplicaHoldsTheHighWatermark() {
    LeaderProgress progress = progress(10, 4, 1, REPLICAS, REPLICAS);
    assertThat(progress.highWatermark()).isEqualTo(4);
    assertThat(progress.onFollower(at(2, 9))).isFalse();
    assertThat(progress.onFollower(at(3, 7))).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(7);
  }

  @Test
  void whatIsOnlyWrittenAtAFollowerIsNotKept() {
    LeaderProgress progress = progress(10, 4, 1, List.of(1, 2), List.of(1, 2));
    progress.onFollower(new FollowerPosition(2, 0, EPOCH, 0, 10, 6, 0));
    assertThat(progress.highWatermark()).isEqualTo(6);
  }

  @Test
  void aReplicaNotHeardOfInThisEpochHoldsItToo() {
    LeaderProgress progress = progress(10, 0, 1, List.of(1, 2), List.of(1, 2));
    assertThat(progress.onLocalEnd(20, 20)).isFalse();
    assertThat(progress.highWatermark()).isZero();
  }

  @Test
  void leavingTheIsrLetsItMoveOn() {
    LeaderProgress progress = progress(10, 3, 1, List.of(1, 2), List.of(1, 2));
    assertThat(progress.onReplicas(List.of(1, 2), List.of(1), 0)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(10);
  }

  @Test
  void underTheMinimumItStandsStillUntilThereAreEnoughAgain() {
    LeaderProgress progress = progress(10, 3, 2, REPLICAS, REPLICAS);
    assertThat(progress.onReplicas(REPLICAS, List.of(1), 0)).isFalse();
    assertThat(progress.isUnderMinIsr()).isTrue();
    progress.onFollower(at(2, 10));
    assertThat(progress.highWatermark()).isEqualTo(3);
    assertThat(progress.onReplicas(REPLICAS, List.of(1, 2), 0)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(10);
    assertThat(progress.onMinInSyncReplicas(3)).isFalse();
    assertThat(progress.onLocalEnd(12, 12)).isFalse();
    progress.onFollower(at(2, 12));
    assertThat(progress.highWatermark()).isEqualTo(10);
    assertThat(progress.onMinInSyncReplicas(1)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(12);
  }

  @Test
  void itNeverGoesBackwardsWhenTheIsrGrows() {
    LeaderProgress progress = progress(10, 0, 1, List.of(1, 2), List.of(1));
    assertThat(progress.highWatermark()).isEqualTo(10);
    assertThat(progress.onReplicas(List.of(1, 2), List.of(1, 2), 0)).isFalse();
    assertThat(progress.onFollower(at(2, 5))).isFalse();
    assertThat(progress.highWatermark()).isEqualTo(10);
  }

  @Test
  void aFollowerThatHasCaughtUpIsNamedOnceAndCountsFromWhenItIsAskedToJoin() {
    LeaderProgress progress = progress(10, 4, 1, List.of(1, 2), List.of(1));
    progress.onFollower(at(2, 5, 9, 0));
    assertThat(reports).as("the epoch began at 10").isEmpty();
    progress.onFollower(at(2, 5, 10, 0));
    progress.onFollower(at(2, 5, 10, 0));
    assertThat(reports).containsExactly("caught up 2@5");
    progress.onLocalEnd(15, 15);
    assertThat(progress.highWatermark()).as("it does not count yet").isEqualTo(15);
    progress.join(2, 5);
    progress.onLocalEnd(20, 20);
    assertThat(progress.highWatermark()).as("it counts").isEqualTo(15);
    assertThat(reports).as("it is behind").hasSize(1);
    assertThat(progress.onFollower(at(2, 5, 17, 0))).isTrue();
    assertThat(reports).containsExactly("caught up 2@5", "joined 2@5");
    assertThat(progress.highWatermark()).isEqualTo(17);
    assertThat(progress.withdraw(2)).isTrue();
    assertThat(progress.highWatermark()).isEqualTo(20);
  }

  @Test
  void anotherLifeOfAFollowerStartsFromNothing() {
    LeaderProgress progress = progress(10, 10, 1, List.of(1, 2), List.of(1));
    progress.onFollower(at(2, 5, 10, 0));
    progress.join(2, 5);
    assertThat(reports).containsExactly("caught up 2@5", "joined 2@5");
    progress.onFollower(at(2, 6, 8, 0));
    progress.onFollower(at(2, 5, 11, 0));
    assertThat(reports).as("a position of the past").hasSize(2);
    progress.join(2, 5);
    progress.onLocalEnd(12, 12);
    assertThat(progress.highWatermark()).as("the life that joined is over").isEqualTo(12);
    progress.onFollower(at(2, 6, 12, 0));
    assertThat(reports).last().isEqualTo("caught up 2@6");
  }

  @Test
  void aPositionThatComesLateTakesNothingBack() {
    LeaderProgress progress = progress(10, 0, 1, List.of(1, 2), List.of(1, 2));
    progress.onFollower(at(2, 8));
    progress.onFollower(at(2, 6));
    progress.onLocalEnd(11, 11);
    assertThat(progress.highWatermark()).isEqualTo(8);
    progress.onFollower(at(2, 9));
    assertThat(progress.highWatermark()).isEqualTo(9);
  }

  @Test
  void anInSyncFollowerThatStaysBehindIsNamedAtEachReviewAndOneThatHasAllIsNot() {
    LeaderProgress progress = progress(10, 0, 1, REPLICAS, REPLICAS);
    progress.onFollower(at(2, 0, 10, 0));
    progress.onFollower(at(3, 0, 10, 0));
    progress.review(1_000, 100);
    assertThat(reports).as("idle, with everything").isEmpty();
    progress.onLocalEnd(20, 20);
    progress.onFollower(at(2, 0, 20, 1_090));
    progress.review(1_099, 100);
    assertThat(reports).isEmpty();
    progress.review(1_101, 100);
    assertThat(reports).containsExactly("lagging 3");
    // It runs after a leader that never stands still: it had what there was when it fetched before.
    progress.onFollower(at(3, 0, 15, 1_102));
    progress.onLocalEnd(30, 30);
    progress.onFollower(at(3, 0, 20, 1_150));
    progress.review(1_180, 100);
    assertThat(reports).filteredOn("lagging 3"::equals).hasSize(1);
  }

  @Test
  void aSilentFollowerThatKeepsEverythingIsNeverLagging() {
    LeaderProgress progress = progress(10, 10, 1, List.of(1, 2), List.of(1, 2));
    progress.onFollower(at(2, 0, 10, 0));
    progress.review(1_000, 100);
    assertThat(reports).isEmpty();
    progress.onLocalEnd(11, 11);
    progress.review(1_100, 100);
    assertThat(reports).isEmpty();
    progress.review(1_101, 100);
    assertThat(reports).containsExactly("lagging 2");
  }

  @Test
  void aFollowerThatWritesButDoesNotKeepIsLagging() {
    LeaderProgress progress = progress(10, 6, 1, List.of(1, 2), List.of(1, 2));
    progress.onFollower(new FollowerPosition(2, 0, EPOCH, 0, 10, 6, 50));
    progress.review(101, 100);
    assertThat(reports).containsExactly("lagging 2");
  }

  @Test
  void aReviewSaysAgainWhoHasCaughtUpAndWhoHasJoined() {
    LeaderProgress progress = progress(10, 10, 1, List.of(1, 2), List.of(1));
    progress.onFollower(at(2, 5, 10, 0));
    progress.review(1, 100);
    progress.join(2, 5);
    progress.review(2, 100);
    assertThat(reports)
        .containsExactly("caught up 2@5", "caught up 2@5", "joined 2@5", "joined 2@5");
  }

  @Test
  void theLowWatermarkIsTheSmallestLogStartAmongThoseInSync() {
    LeaderProgress progress = progress(10, 0, 1, REPLICAS, List.of(1, 2));
    progress.onFollower(new FollowerPosition(2, 0, EPOCH, 3, 10, 10, 0));
    progress.onFollower(new FollowerPosition(3, 0, EPOCH, 1, 10, 10, 0));
    assertThat(progress.lowWatermark(5)).isEqualTo(3);
    assertThat(progress.lowWatermark(2)).isEqualTo(2);
  }
}
