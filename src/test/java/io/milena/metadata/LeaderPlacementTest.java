package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LeaderPlacementTest {

  /** Node ids as in "1 2 3". */
  private static List<Integer> ids(String text) {
    return text.isBlank()
        ? List.of()
        : Arrays.stream(text.trim().split(" ")).map(Integer::valueOf).toList();
  }

  private static IntPredicate among(String live) {
    return Set.copyOf(ids(live))::contains;
  }

  private static ReplicaSetImage set(String replicas, String isr, String elr) {
    return new ReplicaSetImage(
        0,
        ids(replicas),
        List.of(),
        List.of(),
        ReplicaSetImage.NO_LEADER,
        4,
        ids(isr),
        ids(elr),
        List.of(),
        7,
        false);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # replicas, isr,     elr,   live,    chosen
          '1 2 3',   '1 2 3', '',    '1 2 3', 1
          '3 2 1',   '1 2 3', '',    '1 2 3', 3
          '1 2 3',   '3 2',   '',    '1 2 3', 2
          '1 2 3',   '1 2 3', '',    '2 3',   2
          '1 2 3',   '3',     '1',   '1 2 3', 3
          '1 2 3',   '3',     '2 1', '1 2',   1
          '1 2 3',   '',      '2',   '1 2 3', 2
          '1 2 3',   '1',     '',    '2 3',   none
          '1 2 3',   '1',     '2',   '3',     none
          '1 2 3',   '1 2 3', '',    '',      none
          """)
  void theFirstAssignedLiveReplicaLeadsThatHasEveryCommittedRecord(
      String replicas, String isr, String elr, String live, String chosen) {
    OptionalInt expected =
        chosen.equals("none") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(chosen));
    assertThat(LeaderPlacement.choose(set(replicas, isr, elr), among(live))).isEqualTo(expected);
  }

  @Test
  void anEmergencyGrantsTheSetToThePlaceWhereShardingPutsItsEntity() {
    for (List<Integer> replicas :
        List.of(List.of(0, 1, 2), List.of(1, 2, 0), List.of(2, 1, 0), List.of(2, 0, 1))) {
      for (int dead = 0; dead < 3; dead++) {
        MetadataFixture group = MetadataFixture.withNodes(3);
        group.create(MetadataFixture.topic("t", Map.of(0, replicas)));
        group.fence(dead);
        ReplicaSetImage set = group.setOf("t", 0);
        assertThat(LeaderPlacement.choose(group.image(), set.id())).hasValue(set.leader());
        assertThat(LeaderPlacement.place(group.image(), set.id(), Set.of(0, 1, 2)))
            .hasValue(set.leader());
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # isr,    elr, live,    leaving, successor
          '1 2 3', '',  '1 2 3', 1,       2
          '1 2 3', '',  '1 2 3', 3,       1
          '1 3',   '',  '1 2 3', 1,       3
          '1',     '2', '1 2 3', 1,       none
          '1 2',   '',  '1 3',   1,       none
          """)
  void onlyAnInSyncReplicaSucceedsALeaderThatResigns(
      String isr, String elr, String live, int leaving, String successor) {
    OptionalInt expected =
        successor.equals("none")
            ? OptionalInt.empty()
            : OptionalInt.of(Integer.parseInt(successor));
    assertThat(LeaderPlacement.successor(set("1 2 3", isr, elr), leaving, among(live)))
        .isEqualTo(expected);
  }

  @Test
  void anEntityGoesToTheLeaderWhileTheChosenNodeCannotTakeIt() {
    MetadataFixture group = preferredIsBack();
    int set = group.setOf("t", 0).id();
    assertThat(LeaderPlacement.place(group.image(), set, Set.of(0, 1))).hasValue(0);
    assertThat(LeaderPlacement.place(group.image(), set, Set.of(1))).hasValue(1);
    assertThat(LeaderPlacement.place(group.image(), set, Set.of(2))).isEmpty();
    assertThat(LeaderPlacement.place(group.image(), 999, Set.of(0, 1))).isEmpty();
  }

  @Test
  void theSetOfAPreferredLeaderThatIsBackIsMisplacedOnceItsNodeCanTakeIt() {
    MetadataFixture group = preferredIsBack();
    int set = group.setOf("t", 0).id();
    Map<Integer, Set<Integer>> placed = Map.of(0, Set.of(), 1, Set.of(set));
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(), 10, _ -> true))
        .containsExactly(set);
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(set), 10, _ -> true))
        .isEmpty();
    assertThat(
            LeaderPlacement.misplaced(
                group.image(), Map.of(1, Set.of(set)), Set.of(), 10, _ -> true))
        .isEmpty();
    assertThat(
            LeaderPlacement.misplaced(
                group.image(), Map.of(0, Set.of(set), 1, Set.of()), Set.of(), 10, _ -> true))
        .isEmpty();
  }

  @Test
  void setsThatAreGoneAreGivenUpAFewAtATime() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    Set<Integer> gone = Set.of(100, 101, 102, 103, 104);
    Map<Integer, Set<Integer>> placed = Map.of(0, gone);
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(), 10, _ -> true))
        .isEqualTo(gone);
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(100), 3, _ -> true))
        .hasSize(2)
        .doesNotContain(100);
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(100, 101), 1, _ -> true))
        .isEmpty();
  }

  @Test
  void setsOfSeveralNodesShareOneLimit() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    Map<Integer, Set<Integer>> placed = Map.of(0, Set.of(100, 101, 102), 1, Set.of(200, 201, 202));
    assertThat(
            LeaderPlacement.misplaced(group.image(), placed, Set.of(), 4, _ -> true).stream()
                .collect(Collectors.toSet()))
        .hasSize(4);
  }

  /** Node 1 leads, as node 0, which is preferred and in sync, has just come back. */
  private static MetadataFixture preferredIsBack() {
    MetadataFixture group = MetadataFixture.withNodes(2);
    group.create(MetadataFixture.topic("t", Map.of(0, List.of(0, 1))));
    ReplicaSetImage set = group.setOf("t", 0);
    var reply =
        group.submit(
            new MetadataCommand.ResignLeadership(
                set.id(), 0, group.image().nodes().get(0).nodeEpoch(), set.leaderEpoch()));
    assertThat(reply.leader()).isEqualTo(1);
    return group;
  }
}
