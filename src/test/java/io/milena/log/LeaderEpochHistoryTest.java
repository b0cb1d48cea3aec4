package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.LeaderEpochHistory.Entry;
import io.milena.log.LogView.EpochEnd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeaderEpochHistoryTest {

  private static final LeaderEpochHistory HISTORY =
      LeaderEpochHistory.EMPTY.with(2, 10).with(4, 20).with(7, 30);

  @Test
  void endOfAnEpochIsWhereTheNextKnownOneBegins() {
    assertThat(HISTORY.endOf(2, 99)).isEqualTo(new EpochEnd(2, 20));
    assertThat(HISTORY.endOf(3, 99)).isEqualTo(new EpochEnd(2, 20));
    assertThat(HISTORY.endOf(6, 99)).isEqualTo(new EpochEnd(4, 30));
    assertThat(HISTORY.endOf(7, 99)).isEqualTo(new EpochEnd(7, 99));
  }

  @Test
  void endOfAnUnknownEpochIsUnknown() {
    assertThat(HISTORY.endOf(8, 99)).isEqualTo(new EpochEnd(-1, -1));
    assertThat(HISTORY.endOf(-1, 99)).isEqualTo(new EpochEnd(-1, -1));
    assertThat(LeaderEpochHistory.EMPTY.endOf(0, 99)).isEqualTo(new EpochEnd(-1, -1));
  }

  @Test
  void epochBelowTheOldestEndsWhereTheOldestBegins() {
    assertThat(HISTORY.endOf(1, 99)).isEqualTo(new EpochEnd(1, 10));
  }

  @Test
  void laterKnowledgeReplacesWhatContradictsIt() {
    assertThat(HISTORY.with(7, 35)).isSameAs(HISTORY);
    assertThat(HISTORY.with(8, 20).entries()).containsExactly(new Entry(2, 10), new Entry(8, 20));
  }

  @Test
  void truncationKeepsTheEpochInForceAtTheStart() {
    assertThat(HISTORY.truncatedFromStart(25).entries())
        .containsExactly(new Entry(4, 25), new Entry(7, 30));
    assertThat(HISTORY.truncatedToEnd(30).entries())
        .containsExactly(new Entry(2, 10), new Entry(4, 20));
    assertThat(HISTORY.epochAt(9)).isEqualTo(-1);
    assertThat(HISTORY.epochAt(29)).isEqualTo(4);
  }

  @Test
  void fileIsKafkas(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("leader-epoch-checkpoint");
    CheckpointFile.writeEpochs(file, HISTORY);
    assertThat(Files.readAllLines(file)).isEqualTo(List.of("0", "3", "2 10", "4 20", "7 30"));
    assertThat(CheckpointFile.readEpochs(file)).isEqualTo(HISTORY);
  }
}
