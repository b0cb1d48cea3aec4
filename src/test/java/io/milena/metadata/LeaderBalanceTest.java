package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;

class LeaderBalanceTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  /** Node 0 is preferred by t (4 partitions) and u (12); each is led by node 1. */
  private static MetadataFixture outOfBalance() {
    MetadataFixture group = MetadataFixture.withNodes(3);
    group.create(partitions("t", 4, List.of(0, 1)));
    group.create(partitions("u", 12, List.of(0, 1, 2)));
    for (String topic : List.of("t", "u")) {
      claim(group, topic, 1);
    }
    return group;
  }

  private static MetadataCommand.NewTopic partitions(
      String name, int count, List<Integer> replicas) {
    Map<Integer, List<Integer>> assignments = new java.util.HashMap<>();
    for (int i = 0; i < count; i++) {
      assignments.put(i, replicas);
    }
    return MetadataFixture.topic(name, assignments);
  }

  private static void claim(MetadataFixture group, String topic, int node) {
    ReplicaSetImage set = group.setOf(topic, 0);
    group.submit(
        new MetadataCommand.ClaimLeadership(
            set.id(), node, group.image().nodes().get(node).nodeEpoch(), set.leaderEpoch()));
    assertThat(group.setOf(topic, 0).leader()).isEqualTo(node);
  }

  private static LeaderBalance balance(boolean enabled, int seconds, int percent) {
    return new LeaderBalance(
        new LeaderBalance.Settings(enabled, Duration.ofSeconds(seconds), percent), 0);
  }

  private static void assertReturning(
      MetadataFixture group, IntPredicate mayReturn, String... topics) {
    for (String topic : List.of("t", "u")) {
      assertThat(mayReturn.test(group.setOf(topic, 0).id()))
          .as(topic)
          .isEqualTo(List.of(topics).contains(topic));
    }
  }

  @Test
  void withoutSettingsEverySetReturnsAtOnce() {
    MetadataFixture group = outOfBalance();
    LeaderBalance balance = new LeaderBalance(LeaderBalance.Settings.AT_ONCE, 0);
    assertReturning(group, balance.check(group.image(), 0), "t", "u");
  }

  @Test
  void switchedOffNoneDoes() {
    MetadataFixture group = outOfBalance();
    assertReturning(group, balance(false, 0, 0).check(group.image(), 900 * SECOND));
  }

  @Test
  void itWaitsForTheNextCheckAndThenGoesOnUntilAllHaveReturned() {
    MetadataFixture group = outOfBalance();
    LeaderBalance balance = balance(true, 300, 0);
    assertReturning(group, balance.check(group.image(), 299 * SECOND));
    assertReturning(group, balance.check(group.image(), 300 * SECOND), "t", "u");
    claim(group, "t", 0);
    assertReturning(group, balance.check(group.image(), 310 * SECOND), "t", "u");
  }

  @Test
  void itSparesANodeThatLacksNoMoreThanItMay() {
    MetadataFixture group = outOfBalance();
    claim(group, "u", 0);
    assertReturning(group, balance(true, 0, 25).check(group.image(), 0));
    assertReturning(group, balance(true, 0, 24).check(group.image(), 0), "t", "u");
  }

  @Test
  void aSetThatMayNotReturnIsNotMisplacedWhileItsLeaderWorks() {
    MetadataFixture group = outOfBalance();
    int set = group.setOf("t", 0).id();
    Map<Integer, Set<Integer>> placed = Map.of(0, Set.of(), 1, Set.of(set), 2, Set.of());
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(), 10, _ -> true))
        .containsExactly(set);
    assertThat(LeaderPlacement.misplaced(group.image(), placed, Set.of(), 10, _ -> false))
        .isEmpty();
    Map<Integer, Set<Integer>> elsewhere = Map.of(0, Set.of(), 1, Set.of(), 2, Set.of(set));
    assertThat(LeaderPlacement.misplaced(group.image(), elsewhere, Set.of(), 10, _ -> false))
        .as("its entity is where nobody leads")
        .containsExactly(set);
  }
}
