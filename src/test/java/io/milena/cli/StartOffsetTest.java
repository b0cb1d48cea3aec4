package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartOffsetTest {

  private static final long NOW_MS = Instant.parse("2026-11-21T12:00:00Z").toEpochMilli();
  private static final TopicPartition P0 = new TopicPartition("t", 0);

  @Test
  void readsEveryForm() {
    assertThat(StartOffset.parse("earliest", NOW_MS)).isEqualTo(new StartOffset.Earliest());
    assertThat(StartOffset.parse("LATEST", NOW_MS)).isEqualTo(new StartOffset.Latest());
    assertThat(StartOffset.parse("42", NOW_MS)).isEqualTo(new StartOffset.At(42));
    assertThat(StartOffset.parse("-10", NOW_MS)).isEqualTo(new StartOffset.BeforeEnd(10));
    assertThat(StartOffset.parse("timestamp:1763700000000", NOW_MS))
        .isEqualTo(new StartOffset.AtTime(1_763_700_000_000L));
    assertThat(StartOffset.parse("timestamp:2026-11-21T11:00:00Z", NOW_MS))
        .isEqualTo(new StartOffset.AtTime(NOW_MS - 3_600_000));
    assertThat(StartOffset.parse("timestamp:2026-11-21T13:00:00+02:00", NOW_MS))
        .isEqualTo(new StartOffset.AtTime(NOW_MS - 3_600_000));
    assertThat(StartOffset.parse("timestamp:-15m", NOW_MS))
        .isEqualTo(new StartOffset.AtTime(NOW_MS - 900_000));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "first", "1.5", "--3", "timestamp:", "timestamp:soon", "99999999999999999999"})
  void whatIsNoOffsetIsAUsageError(String text) {
    assertThatThrownBy(() -> StartOffset.parse(text, NOW_MS))
        .isInstanceOfSatisfying(
            CliException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE));
  }

  @Test
  void staysWithinWhatThePartitionHolds() {
    assertThat(resolve("earliest", -1)).isEqualTo(5);
    assertThat(resolve("latest", -1)).isEqualTo(20);
    assertThat(resolve("3", -1)).isEqualTo(5);
    assertThat(resolve("12", -1)).isEqualTo(12);
    assertThat(resolve("99", -1)).isEqualTo(20);
    assertThat(resolve("-4", -1)).isEqualTo(16);
    assertThat(resolve("-400", -1)).isEqualTo(5);
    assertThat(resolve("-9223372036854775807", -1)).isEqualTo(5);
    assertThat(resolve("timestamp:1", 7)).isEqualTo(7);
  }

  @Test
  void timeAfterTheLastRecordIsTheEnd() {
    assertThat(resolve("timestamp:1", -1)).isEqualTo(20);
  }

  private static long resolve(String text, long found) {
    return StartOffset.parse(text, NOW_MS)
        .resolve(Map.of(P0, 5L), Map.of(P0, 20L), Map.of(P0, found))
        .getOrDefault(P0, -1L);
  }
}
