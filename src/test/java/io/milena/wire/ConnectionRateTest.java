package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ConnectionRateTest {

  private final ConnectionRate rate = new ConnectionRate();

  private long count(int perSecond, long atMs) {
    return rate.count(perSecond, TimeUnit.MILLISECONDS.toNanos(atMs));
  }

  @Test
  void aBurstOfOneSecondPassesAndTheRestWaits() {
    for (int i = 0; i < 10; i++) {
      assertThat(count(10, 5_000)).isZero();
    }
    assertThat(count(10, 5_000)).isEqualTo(100);
    assertThat(count(10, 5_100)).isEqualTo(100);
  }

  @Test
  void aQuietTimeGivesNoMoreThanOneSecondOfThem() {
    assertThat(count(2, 0)).isZero();
    assertThat(count(2, 3_600_000)).isZero();
    assertThat(count(2, 3_600_000)).isZero();
    assertThat(count(2, 3_600_000)).isEqualTo(500);
  }

  @Test
  void anotherLimitHoldsFromTheNextOneOn() {
    assertThat(count(1, 0)).isZero();
    assertThat(count(1, 0)).isEqualTo(1_000);
    assertThat(count(1_000, 0)).isEqualTo(2);
  }
}
