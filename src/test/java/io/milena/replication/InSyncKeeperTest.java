package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** Node 1 leads set 4 of the nodes 1, 2 and 3; times are in units of the test. */
class InSyncKeeperTest {

  private static final int SET = 4;
  private static final int EPOCH = 7;
  private static final long PAUSE = 10;
  private static final long JOINING_MAX = 100;
  private static final TopicIdPartition P = partition(0);
  private static final TopicIdPartition Q = partition(1);

  private final List<String> told = new ArrayList<>();
  private final List<InSyncProposal> proposals = new ArrayList<>();
  private final InSyncKeeper keeper =
      new InSyncKeeper(
          new InSyncKeeper.Effects() {
            @Override
            public void join(TopicIdPartition partition, int epoch, int node, long nodeEpoch) {
              told.add("join " + name(partition) + " " + node + "@" + nodeEpoch);
            }

            @Override
            public void withdraw(TopicIdPartition partition, int epoch, int node) {
              told.add("withdraw " + name(partition) + " " + node);
            }

            @Override
            public void propose(InSyncProposal proposal) {
              proposals.add(proposal);
            }
          },
          PAUSE,
          JOINING_MAX);

  private static TopicIdPartition partition(int index) {
    return new TopicIdPartition(new Uuid(1, 1), new TopicPartition("t", index));
  }

  private static String name(TopicIdPartition partition) {
    return partition.equals(P) ? "P" : "Q";
  }

  private void image(int partitionEpoch, List<Integer> isr, TopicIdPartition... partitions) {
    image(partitionEpoch, isr, Map.of(1, 10L, 2, 20L, 3, 30L), partitions);
  }

  private void image(
      int partitionEpoch,
      List<Integer> isr,
      Map<Integer, Long> live,
      TopicIdPartition... partitions) {
    keeper.onLed(
        new LedSet(SET, EPOCH, partitionEpoch, List.of(1, 2, 3), isr, live, Set.of(partitions)), 0);
  }

  private void caughtUp(TopicIdPartition partition, int node, long nodeEpoch) {
    keeper.onCaughtUp(SET, partition, EPOCH, node, nodeEpoch, 0);
  }

  private void joined(TopicIdPartition partition, int node, long nodeEpoch, long now) {
    keeper.onJoined(SET, partition, EPOCH, node, nodeEpoch, now);
  }

  private void joinBoth(int node, long nodeEpoch) {
    caughtUp(P, node, nodeEpoch);
    caughtUp(Q, node, nodeEpoch);
    joined(P, node, nodeEpoch, 0);
    joined(Q, node, nodeEpoch, 0);
  }

  @Test
  void expandsOnceEveryPartitionHasCaughtUpAndThenOnceEachWaits() {
    image(5, List.of(1, 2), P, Q);
    caughtUp(P, 3, 30);
    assertThat(told).as("Q has not").isEmpty();
    caughtUp(Q, 3, 30);
    assertThat(told).containsExactlyInAnyOrder("join P 3@30", "join Q 3@30");
    joined(Q, 3, 30, 0);
    assertThat(proposals).as("P does not wait for it yet").isEmpty();
    joined(P, 3, 30, 0);
    assertThat(proposals)
        .containsExactly(
            new InSyncProposal(0, SET, EPOCH, 5, List.of(1, 2, 3), List.of(10L, 20L, 30L)));
    image(6, List.of(1, 2, 3));
    keeper.onAnswer(proposals.getFirst(), 0);
    keeper.onTime(1_000);
    assertThat(proposals).hasSize(1);
    assertThat(told).hasSize(2);
  }

  @Test
  void twoReplicasAtOnceAreOneProposal() {
    image(5, List.of(1), P);
    caughtUp(P, 2, 20);
    caughtUp(P, 3, 30);
    joined(P, 2, 20, 0);
    assertThat(proposals).extracting(InSyncProposal::isr).containsExactly(List.of(1, 2));
    joined(P, 3, 30, 0);
    assertThat(proposals).as("one at a time").hasSize(1);
    image(6, List.of(1, 2), P);
    assertThat(proposals)
        .extracting(InSyncProposal::isr)
        .containsExactly(List.of(1, 2), List.of(1, 2, 3));
  }

  @Test
  void aRefusalDoesNotEndTheWaitingAndIsAskedAgainAfterAPause() {
    image(5, List.of(1, 2), P, Q);
    joinBoth(3, 30);
    told.clear();
    keeper.onAnswer(proposals.getFirst(), 0);
    keeper.onTime(PAUSE - 1);
    assertThat(proposals).hasSize(1);
    assertThat(keeper.nanosToNext(PAUSE - 1)).isEqualTo(1);
    keeper.onTime(PAUSE);
    assertThat(proposals).hasSize(2);
    assertThat(proposals.getLast().number()).isEqualTo(1);
    keeper.onTime(10 * JOINING_MAX);
    assertThat(told).as("it may have been accepted after all").isEmpty();
  }

  @Test
  void aNewerVersionOfTheSetEndsAProposalAndItIsMadeForThatOne() {
    image(5, List.of(1, 2), P, Q);
    joinBoth(3, 30);
    image(6, List.of(1, 2), P, Q);
    assertThat(proposals).extracting(InSyncProposal::partitionEpoch).containsExactly(5, 6);
    keeper.onAnswer(proposals.getFirst(), 0);
    keeper.onTime(PAUSE);
    assertThat(proposals).as("an answer to the past").hasSize(2);
  }

  @Test
  void aPartitionThatIsAddedHasToJoinAsWell() {
    image(5, List.of(1, 2), P);
    caughtUp(P, 3, 30);
    joined(P, 3, 30, 0);
    assertThat(proposals).hasSize(1);
    image(6, List.of(1, 2), P, Q);
    assertThat(proposals).hasSize(1);
    told.clear();
    caughtUp(Q, 3, 30);
    assertThat(told).containsExactly("join Q 3@30");
    joined(Q, 3, 30, 0);
    assertThat(proposals).extracting(InSyncProposal::partitionEpoch).containsExactly(5, 6);
  }

  @Test
  void theEndOfALifeOfTheNodeEndsTheWaiting() {
    image(5, List.of(1, 2), P, Q);
    joinBoth(3, 30);
    told.clear();
    image(5, List.of(1, 2), Map.of(1, 10L, 2, 20L), P, Q);
    assertThat(told).containsExactlyInAnyOrder("withdraw P 3", "withdraw Q 3");
    keeper.onAnswer(proposals.getFirst(), 0);
    keeper.onTime(PAUSE);
    assertThat(proposals).hasSize(1);
    image(5, List.of(1, 2), Map.of(1, 10L, 2, 20L, 3, 31L), P, Q);
    joinBoth(3, 30);
    assertThat(proposals).as("the life that is over").hasSize(1);
    joinBoth(3, 31);
    assertThat(proposals.getLast().nodeEpochs()).containsExactly(10L, 20L, 31L);
  }

  @Test
  void aNewerLifeThatFetchesBeforeTheImageShowsItIsRemembered() {
    image(5, List.of(1, 2), P, Q);
    caughtUp(P, 3, 31);
    caughtUp(Q, 3, 31);
    caughtUp(Q, 3, 30);
    assertThat(told).isEmpty();
    image(5, List.of(1, 2), Map.of(1, 10L, 2, 20L, 3, 31L), P, Q);
    assertThat(told).containsExactlyInAnyOrder("join P 3@31", "join Q 3@31");
  }

  @Test
  void aReplicaThatDoesNotComeIsNotWaitedForLong() {
    image(5, List.of(1, 2), P, Q);
    caughtUp(P, 3, 30);
    caughtUp(Q, 3, 30);
    joined(P, 3, 30, 0);
    told.clear();
    keeper.onTime(JOINING_MAX);
    assertThat(told).isEmpty();
    keeper.onTime(JOINING_MAX + 1);
    assertThat(told).containsExactlyInAnyOrder("withdraw P 3", "withdraw Q 3");
    joined(Q, 3, 30, JOINING_MAX + 1);
    assertThat(proposals).as("of a joining that has ended").isEmpty();
    caughtUp(P, 3, 30);
    caughtUp(Q, 3, 30);
    told.clear();
    keeper.onTime(JOINING_MAX + 1 + PAUSE);
    assertThat(told).hasSize(2);
  }

  @Test
  void aReplicaThatLagsInOnePartitionLeavesTheSet() {
    image(5, List.of(1, 2, 3));
    keeper.onLagging(SET, EPOCH, 3, 0);
    assertThat(proposals)
        .containsExactly(new InSyncProposal(0, SET, EPOCH, 5, List.of(1, 2), List.of(10L, 20L)));
    keeper.onLagging(SET, EPOCH, 2, 0);
    assertThat(proposals).as("one at a time").hasSize(1);
    image(6, List.of(1, 2), P);
    assertThat(proposals)
        .extracting(InSyncProposal::isr)
        .containsExactly(List.of(1, 2), List.of(1));
  }

  @Test
  void whoHasCaughtUpAgainByTheNextReviewStays() {
    image(5, List.of(1, 2, 3));
    keeper.onLagging(SET, EPOCH, 3, 0);
    keeper.onReview(1);
    keeper.onAnswer(proposals.getFirst(), 1);
    keeper.onTime(1 + PAUSE);
    assertThat(proposals).hasSize(1);
  }

  @Test
  void anotherLeaderEpochBeginsFromNothing() {
    image(5, List.of(1, 2), P, Q);
    joinBoth(3, 30);
    told.clear();
    keeper.onLed(
        new LedSet(
            SET,
            EPOCH + 1,
            6,
            List.of(1, 2, 3),
            List.of(1, 2),
            Map.of(1, 10L, 2, 20L, 3, 30L),
            Set.of(P, Q)),
        0);
    joinBoth(3, 30);
    assertThat(told).as("reports of the past").isEmpty();
    keeper.onLost(SET);
    keeper.onLagging(SET, EPOCH + 1, 2, 0);
    assertThat(proposals).hasSize(1);
  }

  @Test
  void aSetWithoutPartitionsTakesEveryLiveReplica() {
    image(5, List.of(1), Map.of(1, 10L, 3, 30L));
    assertThat(proposals).extracting(InSyncProposal::isr).containsExactly(List.of(1, 3));
  }

  @Test
  void nothingIsProposedWhileTheImageIsToShowThatAMemberLeft() {
    Map<Integer, Long> live = new LinkedHashMap<>(Map.of(1, 10L, 3, 30L));
    image(5, List.of(1, 2), live, P);
    caughtUp(P, 3, 30);
    joined(P, 3, 30, 0);
    assertThat(proposals).isEmpty();
  }
}
