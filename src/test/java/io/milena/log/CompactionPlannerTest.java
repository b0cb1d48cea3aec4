package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class CompactionPlannerTest {

  private static final long NOW = 1_000_000;

  private static LogConfig config(String... values) {
    Map<String, String> map = new java.util.HashMap<>(Map.of("cleanup.policy", "compact"));
    for (int i = 0; i < values.length; i += 2) {
      map.put(values[i], values[i + 1]);
    }
    return LogConfig.of(map);
  }

  /** Segments of 100 bytes and 10 offsets each; the last is active. Timestamps are the offsets. */
  private static CompactionPlanner.Log log(
      String topic, LogConfig config, int segments, long lastStableOffset, long checkpoint) {
    List<CompactionSource> sources = new java.util.ArrayList<>();
    for (int i = 0; i < segments; i++) {
      sources.add(new CompactionSource(i * 10L, Path.of("x"), 100, i * 10L, i * 10L + 9));
    }
    return new CompactionPlanner.Log(
        new TopicPartition(topic, 0), config, sources, 0, lastStableOffset, checkpoint);
  }

  private static CompactionPlanner.Candidate examine(CompactionPlanner.Log log) {
    return CompactionPlanner.examine(log, NOW);
  }

  @Test
  void dirtyPartReachesFromTheCheckpointToTheActiveSegment() {
    CompactionPlanner.Candidate candidate = examine(log("a", config(), 5, 45, 20));
    assertThat(candidate.firstDirtyOffset()).isEqualTo(20);
    assertThat(candidate.firstUncleanableOffset()).isEqualTo(40);
    assertThat(candidate.cleanBytes()).isEqualTo(200);
    assertThat(candidate.cleanableBytes()).isEqualTo(200);
    assertThat(candidate.dirtyRatio()).isEqualTo(0.5);
    assertThat(candidate.isDue()).as("must be above the ratio").isFalse();
    assertThat(candidate.sources()).hasSize(4);
    assertThat(examine(log("a", config(), 5, 45, 19)).isDue()).isTrue();
  }

  @Test
  void checkpointOutsideOfTheLogMeansFromTheStart() {
    assertThat(examine(log("a", config(), 5, 45, 99)).firstDirtyOffset()).isZero();
    assertThat(examine(log("a", config(), 5, 45, -1)).firstDirtyOffset()).isZero();
  }

  @Test
  void lastStableOffsetAndMinimumLagBoundWhatIsCleanable() {
    assertThat(examine(log("a", config(), 5, 25, -1)).firstUncleanableOffset()).isEqualTo(20);
    assertThat(examine(log("a", config(), 5, 5, -1)).cleanableBytes()).isZero();
    LogConfig lag = config("min.compaction.lag.ms", "" + (NOW - 15));
    assertThat(examine(log("a", lag, 5, 45, -1)).firstUncleanableOffset()).isEqualTo(10);
  }

  @Test
  void maximumLagMakesAnAlmostCleanLogDue() {
    LogConfig lag = config("max.compaction.lag.ms", "" + (NOW - 31));
    CompactionPlanner.Candidate candidate = examine(log("a", lag, 5, 45, 30));
    assertThat(candidate.overdueMs()).isEqualTo(1);
    assertThat(candidate.isDue()).isTrue();
    assertThat(examine(log("a", lag, 5, 45, 40)).isDue()).as("nothing to clean").isFalse();
  }

  @Test
  void mostOverdueThenDirtiestComesFirst() {
    CompactionPlanner.Log dirty = log("dirty", config(), 5, 45, -1);
    CompactionPlanner.Log half = log("half", config(), 5, 45, 10);
    CompactionPlanner.Log late = log("late", config("max.compaction.lag.ms", "1000"), 5, 45, 30);
    CompactionPlanner.Log deleted = log("deleted", config("cleanup.policy", "delete"), 5, 45, -1);
    assertThat(CompactionPlanner.choose(List.of(half, dirty, deleted), NOW).orElseThrow().log())
        .isSameAs(dirty);
    assertThat(CompactionPlanner.choose(List.of(half, dirty, late), NOW).orElseThrow().log())
        .isSameAs(late);
    assertThat(CompactionPlanner.choose(List.of(deleted), NOW)).isEmpty();
  }

  @Test
  void groupsFitOneSegment() {
    List<CompactionSource> sources = log("a", config(), 7, 65, -1).segments();
    assertThat(
            CompactionPlanner.group(sources, 70, config("segment.bytes", "250")).stream()
                .map(List::size))
        .containsExactly(2, 2, 2, 1);
    CompactionSource far = new CompactionSource(Integer.MAX_VALUE, Path.of("x"), 100, 0, 0);
    assertThat(
            CompactionPlanner.group(
                List.of(sources.getFirst(), far), Integer.MAX_VALUE + 2L, config()))
        .hasSize(2);
    assertThat(
            CompactionPlanner.group(
                List.of(sources.getFirst(), far), Integer.MAX_VALUE + 1L, config()))
        .hasSize(1);
  }
}
