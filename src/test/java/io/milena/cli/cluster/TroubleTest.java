package io.milena.cli.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TroubleTest {

  private static final Map<Integer, NodeState> NODES =
      Map.of(1, NodeState.LIVE, 2, NodeState.LIVE, 3, NodeState.FENCED);
  private static final Map<String, Integer> MIN_IN_SYNC = Map.of("t", 2);

  @Test
  void wholePartitionsAreNoTrouble() {
    assertThat(find(partition(0, 1, List.of(1, 2), List.of(2, 1)))).isEmpty();
  }

  @Test
  void partitionsThatLackTheSameReplicaAreOneTroubleThatNamesIt() {
    List<Trouble> troubles =
        find(
            partition(0, 1, List.of(1, 2, 3), List.of(1, 2)),
            partition(1, 2, List.of(2, 3, 1), List.of(2, 1)),
            partition(2, 2, List.of(2, 3, 1), List.of(1, 2)),
            partition(4, 2, List.of(2, 3, 1), List.of(1, 2)));
    assertThat(troubles)
        .singleElement()
        .satisfies(trouble -> {
          assertThat(trouble.kind()).isEqualTo(Trouble.Kind.UNDER_REPLICATED);
          assertThat(trouble.ranges()).isEqualTo("0-2,4");
          assertThat(trouble.reason())
              .isEqualTo(
                  "advances with 2 of 3 replicas in sync; node 3 is fenced: stopped, cut off or"
                      + " starting");
        });
  }

  @Test
  void fewerInSyncThanTheMinimumRefusesAcksAll() {
    List<Trouble> troubles = find(partition(0, 1, List.of(1, 2, 9), List.of(1)));
    assertThat(troubles)
        .singleElement()
        .satisfies(trouble -> {
          assertThat(trouble.kind()).isEqualTo(Trouble.Kind.BELOW_MIN_IN_SYNC);
          assertThat(trouble.reason())
              .contains(
                  "acks=all is refused",
                  "in sync is only node 1, min.insync.replicas is 2",
                  "node 2 is live and catches up",
                  "node 9 is not registered");
        });
  }

  @Test
  void theReplicaThatMustComeBackIsNamed() {
    assertThat(reason(partition(0, -1, List.of(2, 3), List.of(3))))
        .contains("only node 3 has all records", "it is fenced", "start it again");
    assertThat(reason(new PartitionState("t", 0, -1, List.of(2, 3, 9), List.of(), List.of(3, 9))))
        .contains(
            "only nodes 3, 9 have all records", "node 9 is not registered", "start one of them");
  }

  @Test
  void aLiveInSyncReplicaWillLead() {
    assertThat(reason(partition(0, -1, List.of(2, 3), List.of(2, 3))))
        .contains("a leader is being chosen, and can be node 2");
  }

  @Test
  void whereNobodyHasAllRecordsTheWayOutAndItsPriceAreNamed() {
    assertThat(reason(partition(0, -1, List.of(2, 3), List.of())))
        .contains("no replica is known to have all records", "unclean.leader.election.enable");
  }

  @Test
  void theWorstComesFirst() {
    assertThat(
            find(
                partition(0, 1, List.of(1, 2, 3), List.of(1, 2)),
                partition(1, 1, List.of(1, 2), List.of(1)),
                partition(2, -1, List.of(3), List.of(3))))
        .extracting(Trouble::kind)
        .containsExactly(
            Trouble.Kind.NO_LEADER, Trouble.Kind.BELOW_MIN_IN_SYNC, Trouble.Kind.UNDER_REPLICATED);
  }

  private static String reason(PartitionState partition) {
    return find(partition).getFirst().reason();
  }

  private static List<Trouble> find(PartitionState... partitions) {
    return Trouble.find(List.of(partitions), NODES, MIN_IN_SYNC);
  }

  private static PartitionState partition(
      int number, int leader, List<Integer> replicas, List<Integer> inSync) {
    return new PartitionState("t", number, leader, replicas, inSync, List.of());
  }
}
