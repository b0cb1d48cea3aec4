package io.milena.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReplicationQuotaTest {

  private static final long START_NANOS = -12_345;

  private final ReplicationQuota quota = new ReplicationQuota();

  private static long at(long ms) {
    return START_NANOS + TimeUnit.MILLISECONDS.toNanos(ms);
  }

  @Test
  void withoutALimitNothingWaits() {
    quota.record(Long.MAX_VALUE / 2, at(0));
    assertThat(quota.isLimited()).isFalse();
    assertThat(quota.delayMs(at(0))).isZero();
    quota.limit(10, at(0));
    assertThat(quota.isLimited()).isTrue();
    quota.limit(ReplicationQuota.UNLIMITED, at(0));
    assertThat(quota.delayMs(at(0))).isZero();
  }

  @Test
  void whatWasTakenIsPaidForByTime() {
    quota.limit(1_000, at(0));
    assertThat(quota.delayMs(at(0))).as("somebody may begin").isZero();
    quota.record(1_500, at(0));
    assertThat(quota.delayMs(at(0))).isEqualTo(501);
    assertThat(quota.delayMs(at(500))).isEqualTo(1);
    assertThat(quota.delayMs(at(501))).isZero();
  }

  @Test
  void whoWaitsLongAsksAgain() {
    quota.limit(1, at(0));
    quota.record(1_000_000, at(0));
    assertThat(quota.delayMs(at(0))).isEqualTo(ReplicationQuota.DELAY_MS_MAX);
    quota.limit(1_000, at(10));
    assertThat(quota.delayMs(at(10))).as("debts of the old limit are forgiven").isZero();
  }

  @Test
  void noMoreThanOneSecondIsSavedUp() {
    quota.limit(1_000, at(0));
    quota.record(1_500, at(3_600_000));
    assertThat(quota.delayMs(at(3_600_000))).isEqualTo(501);
  }

  @Test
  void nothingAtAllIsALimitToo() {
    quota.limit(0, at(0));
    assertThat(quota.delayMs(at(0))).isEqualTo(ReplicationQuota.DELAY_MS_MAX);
    assertThat(quota.delayMs(at(1_000_000))).isEqualTo(ReplicationQuota.DELAY_MS_MAX);
    assertThatThrownBy(() -> quota.limit(-1, at(0))).isInstanceOf(IllegalArgumentException.class);
  }

  /** Whatever sizes come at whatever times: the rate is kept, and used. */
  @Test
  void theRateHoldsInTheLongRun() {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      ReplicationQuota limited = new ReplicationQuota();
      long rate = 1 + random.nextInt(1_000_000);
      int sizeMax = 1 + random.nextInt(2_000_000);
      limited.limit(rate, at(0));
      long now = 0;
      long sent = 0;
      while (now < 1_000_000) {
        long delay = limited.delayMs(at(now));
        if (delay > 0) {
          now += delay;
        } else {
          long size = 1 + random.nextInt(sizeMax);
          limited.record(size, at(now));
          sent += size;
        }
      }
      double seconds = now / 1_000.0;
      assertThat((double) sent)
          .as("seed " + seed)
          .isLessThanOrEqualTo(rate * (seconds + 1) + sizeMax)
          .isGreaterThanOrEqualTo(rate * (seconds - 1.1) * 0.99);
    }
  }
}
