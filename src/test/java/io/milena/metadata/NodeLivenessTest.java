package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.FenceNode;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NodeLivenessTest {

  private static final long INTERVAL = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long SILENCE = TimeUnit.MILLISECONDS.toNanos(1_200);

  private final MetadataFixture group = MetadataFixture.withNodes(3);
  private final NodeLiveness liveness = new NodeLiveness(0, SILENCE, INTERVAL);
  private long nowNanos = 77;

  private long epoch(int node) {
    return group.image().nodes().get(node).nodeEpoch();
  }

  private FenceNode fence(int node) {
    return new FenceNode(node, epoch(node));
  }

  private List<FenceNode> verdicts() {
    return liveness.verdicts(group.image()).stream().map(NodeLiveness.Verdict::command).toList();
  }

  /** So many ticks at the pace they should have, in each of which these nodes are heard of. */
  private void ticks(int count, int... heard) {
    for (int i = 0; i < count; i++) {
      nowNanos += INTERVAL;
      liveness.tick(nowNanos);
      for (int node : heard) {
        liveness.heard(node);
      }
    }
  }

  @Test
  void nodeThatIsNotHeardOfIsFencedAfterTheTimeoutAndNotBefore() {
    ticks(1, 1, 2);
    assertThat(verdicts()).isEmpty();
    ticks(24, 1);
    assertThat(verdicts()).isEmpty();
    ticks(1, 1);
    assertThat(verdicts()).containsExactly(fence(2));
  }

  @Test
  void verdictIsRepeatedOnlyAfterAWhile() {
    ticks(1, 1, 2);
    ticks(30, 1);
    assertThat(verdicts()).containsExactly(fence(2));
    assertThat(verdicts()).isEmpty();
    ticks(25, 1);
    assertThat(verdicts()).containsExactly(fence(2));
    group.submit(fence(2));
    ticks(25, 1);
    assertThat(verdicts()).isEmpty();
  }

  @Test
  void nodeThatIsGoneForCertainIsFencedAtOnceAndItsNextLifeIsNot() {
    ticks(1, 1, 2);
    liveness.gone(group.image().nodes().get(2));
    assertThat(verdicts()).containsExactly(fence(2));
    group.start(2, java.util.Optional.empty());
    ticks(1, 1, 2);
    assertThat(verdicts()).isEmpty();
  }

  @Test
  void pauseOfThisNodeIsNobodysSilence() {
    ticks(2, 1, 2);
    nowNanos += TimeUnit.SECONDS.toNanos(20);
    ticks(1);
    assertThat(verdicts()).isEmpty();
    for (int i = 0; i < 400; i++) {
      liveness.tick(nowNanos);
    }
    assertThat(verdicts()).isEmpty();
  }

  @Test
  void newLeaderGivesEverybodyTimeButTheLastLeader() {
    ticks(1, 1, 2);
    ticks(20);
    liveness.lead(1);
    ticks(5);
    assertThat(verdicts()).containsExactly(fence(1));
    group.submit(fence(1));
    ticks(20);
    assertThat(verdicts()).containsExactly(fence(2));
  }

  @Test
  void withoutATimeoutNobodyIsSilent() {
    NodeLiveness patient = new NodeLiveness(0, 0, INTERVAL);
    for (int i = 0; i < 1_000; i++) {
      nowNanos += INTERVAL;
      patient.tick(nowNanos);
    }
    assertThat(patient.verdicts(group.image())).isEmpty();
  }
}
