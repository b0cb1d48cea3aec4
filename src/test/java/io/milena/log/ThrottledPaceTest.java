package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ThrottledPaceTest {

  /** A clock that moves on by 50 µs each time somebody looks. */
  private static final class SteppingClock implements Clock {
    private long nanos;

    @Override
    public long wallClockMs() {
      return 0;
    }

    @Override
    public long monotonicNanos() {
      return nanos += TimeUnit.MICROSECONDS.toNanos(50);
    }
  }

  @Test
  void waitsUntilTheBytesArePaidFor() {
    SteppingClock clock = new SteppingClock();
    ThrottledPace pace = new ThrottledPace(clock, 1_000_000);
    long begun = clock.monotonicNanos();
    assertThat(pace.proceed(500)).isTrue();
    assertThat(pace.proceed(500)).isTrue();
    assertThat(clock.monotonicNanos() - begun)
        .isBetween(TimeUnit.MICROSECONDS.toNanos(900), TimeUnit.MICROSECONDS.toNanos(1_300));
  }

  @Test
  void anotherLimitHoldsForWhoWaitsAlready() throws InterruptedException {
    // A real clock: at 1 byte/s the first run would take 30 years, and it is over at once.
    ThrottledPace pace = new ThrottledPace(Clock.system(), 1);
    CountDownLatch begun = new CountDownLatch(1);
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              begun.countDown();
              pace.proceed(1_000_000_000L);
            });
    begun.await();
    pace.bytesPerSecond(1e18);
    waiting.join(60_000);
    assertThat(waiting.isAlive()).isFalse();
  }

  @Test
  void stopEndsTheRun() {
    ThrottledPace pace = new ThrottledPace(new SteppingClock(), 1);
    pace.stop();
    assertThat(pace.proceed(1_000_000_000L)).isFalse();
  }
}
