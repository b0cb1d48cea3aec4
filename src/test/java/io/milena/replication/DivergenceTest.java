package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.LeaderEpochHistory;
import io.milena.log.LogView;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;

class DivergenceTest {

  /** Epoch 2 from offset 10, epoch 5 from 20; offsets 10 to 29. */
  private static final LogView LEADER =
      log(10, 30, new LeaderEpochHistory.Entry(2, 10), new LeaderEpochHistory.Entry(5, 20));

  static LogView log(long start, long end, LeaderEpochHistory.Entry... entries) {
    LeaderEpochHistory epochs = new LeaderEpochHistory(List.of(entries));
    return (LogView)
        Proxy.newProxyInstance(
            LogView.class.getClassLoader(),
            new Class<?>[] {LogView.class},
            (_, method, arguments) ->
                switch (method.getName()) {
                  case "logStartOffset" -> start;
                  case "logEndOffset" -> end;
                  case "latestLeaderEpoch" -> epochs.latestEpoch();
                  case "endOffsetForEpoch" -> epochs.endOf((int) arguments[0], end);
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private static Divergence diverging(int epoch, long endOffset) {
    return new Divergence.Diverging(new DivergingEpoch(epoch, endOffset));
  }

  @Test
  void aFollowerWithinAnEpochThatTheLeaderKnowsAgrees() {
    assertThat(Divergence.of(LEADER, 30, 5)).isEqualTo(Divergence.None.NONE);
    assertThat(Divergence.of(LEADER, 25, 5)).isEqualTo(Divergence.None.NONE);
    assertThat(Divergence.of(LEADER, 20, 2)).isEqualTo(Divergence.None.NONE);
    assertThat(Divergence.of(LEADER, 15, 2)).isEqualTo(Divergence.None.NONE);
  }

  @Test
  void aFollowerPastTheEndOfItsEpochDiverges() {
    assertThat(Divergence.of(LEADER, 21, 2)).isEqualTo(diverging(2, 20));
    assertThat(Divergence.of(LEADER, 31, 5)).isEqualTo(diverging(5, 30));
  }

  @Test
  void aFollowerOfAnEpochThatTheLeaderLacksDivergesAtTheEpochBefore() {
    assertThat(Divergence.of(LEADER, 25, 4)).isEqualTo(diverging(2, 20));
    // The leader has appended nothing in the newest epoch yet.
    assertThat(Divergence.of(LEADER, 25, 7)).isEqualTo(diverging(5, 30));
  }

  @Test
  void aFollowerBeforeTheLogStartBeginsAnewAndOneAtItAgrees() {
    assertThat(Divergence.of(LEADER, 9, 1)).isEqualTo(Divergence.BelowLogStart.BELOW_LOG_START);
    assertThat(Divergence.of(LEADER, 0, -1)).isEqualTo(Divergence.BelowLogStart.BELOW_LOG_START);
    assertThat(Divergence.of(LEADER, 10, 1)).isEqualTo(Divergence.None.NONE);
  }

  @Test
  void anEmptyFollowerAgreesWithinTheLeadersLogOnly() {
    assertThat(Divergence.of(LEADER, 17, -1)).isEqualTo(Divergence.None.NONE);
    assertThat(Divergence.of(LEADER, 31, -1)).isEqualTo(diverging(5, 30));
    assertThat(Divergence.of(log(0, 0), 0, -1)).isEqualTo(Divergence.None.NONE);
  }

  @Test
  void aFollowerAheadOfALeaderWithoutHistoryHasToGoBackToItsEnd() {
    assertThat(Divergence.of(log(7, 7), 12, 3)).isEqualTo(diverging(-1, 7));
  }
}
