package io.milena;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** The checker finds what it is there to find. */
class SeenRecordsTest {

  private static final Map<Long, Long> ACKNOWLEDGED = Map.of(0L, 10L, 1L, 11L, 2L, 12L);

  private final SeenRecords seen = new SeenRecords("reader of t-0");

  private void see(long... numbers) {
    for (int offset = 0; offset < numbers.length; offset++) {
      seen.see(offset, numbers[offset]);
    }
  }

  @Test
  void soundLogHasNoViolation() {
    see(10, 11, 12, 15);
    seen.seeHighWatermark(3);
    seen.seeHighWatermark(3);
    seen.seeHighWatermark(4);
    assertThat(seen.violations(ACKNOWLEDGED, "acknowledged")).isEmpty();
  }

  @Test
  void lostRecordIsFound() {
    see(10, 11);
    assertThat(seen.violations(ACKNOWLEDGED, "acknowledged"))
        .containsExactly("reader of t-0: record 12, acknowledged at offset 2, is lost");
  }

  @Test
  void recordThatMovedIsFound() {
    see(10, 12, 15);
    assertThat(seen.violations(ACKNOWLEDGED, "acknowledged"))
        .containsExactlyInAnyOrder(
            "reader of t-0: record 11, acknowledged at offset 1, is record 12",
            "reader of t-0: record 12, acknowledged at offset 2, is record 15");
  }

  @Test
  void doubledRecordIsFound() {
    see(10, 11, 12, 12);
    assertThat(seen.violations(ACKNOWLEDGED, "acknowledged"))
        .containsExactly(
            "reader of t-0: record 12 at offset 3 after record 12: doubled or out of order");
  }

  @Test
  void reorderedRecordsAreFound() {
    see(10, 11, 12, 14, 13);
    assertThat(seen.violations(ACKNOWLEDGED, "acknowledged"))
        .containsExactly(
            "reader of t-0: record 13 at offset 4 after record 14: doubled or out of order");
  }

  @Test
  void offsetsThatJumpOrReturnAreFound() {
    seen.see(0, 10);
    seen.see(2, 11);
    seen.see(1, 12);
    assertThat(seen.violations(Map.of(), "acknowledged"))
        .containsExactly("reader of t-0: offset 2 after 0", "reader of t-0: offset 1 after 2");
  }

  @Test
  void recordThatChangedUnderItsReaderIsFound() {
    seen.see(0, 10);
    seen.see(0, 11);
    assertThat(seen.violations(Map.of(), "acknowledged"))
        .contains("reader of t-0: offset 0 was record 10, is now 11");
  }

  @Test
  void highWatermarkThatGoesBackIsFound() {
    seen.seeHighWatermark(4);
    seen.seeHighWatermark(3);
    assertThat(seen.violations(Map.of(), "acknowledged"))
        .containsExactly("reader of t-0: high watermark 3 after 4");
  }
}
