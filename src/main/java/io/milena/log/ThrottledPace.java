package io.milena.log;

import io.milena.common.Clock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A limit in bytes per second for one compaction thread, {@code
 * log.cleaner.io.max.bytes.per.second}; any thread may change or stop it.
 */
public final class ThrottledPace implements CompactionPace {

  /** Unused allowance is not saved up for longer than this. */
  private static final long SAVED_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);

  private final Clock clock;
  private volatile double bytesPerSecond;
  private long paidUntilNanos;
  private volatile boolean stopped;

  /**
   * @param bytesPerSecond above 0; read and written together
   */
  public ThrottledPace(Clock clock, double bytesPerSecond) {
    this.clock = clock;
    this.bytesPerSecond = checked(bytesPerSecond);
    this.paidUntilNanos = clock.monotonicNanos();
  }

  private static double checked(double bytesPerSecond) {
    if (!(bytesPerSecond > 0)) {
      throw new IllegalArgumentException(bytesPerSecond + " bytes per second are no pace");
    }
    return bytesPerSecond;
  }

  /** Another limit from now on, also for who waits already. */
  public void bytesPerSecond(double newest) {
    bytesPerSecond = checked(newest);
  }

  @Override
  public boolean proceed(long bytes) {
    double rate = bytesPerSecond;
    long now = clock.monotonicNanos();
    paidUntilNanos =
        Math.max(paidUntilNanos, now - SAVED_NANOS_MAX)
            + (long) (bytes / rate * TimeUnit.SECONDS.toNanos(1));
    while (!stopped && !Thread.currentThread().isInterrupted()) {
      now = clock.monotonicNanos();
      long leftNanos = paidUntilNanos - now;
      if (leftNanos <= 0) {
        return true;
      }
      double newest = bytesPerSecond;
      if (newest != rate) {
        leftNanos = (long) (leftNanos * (rate / newest));
        paidUntilNanos = now + leftNanos;
        rate = newest;
      }
      LockSupport.parkNanos(this, Math.min(leftNanos, TimeUnit.MILLISECONDS.toNanos(100)));
    }
    return false;
  }

  /** Makes the compaction stop at its next piece of work; within about 0.1 s when it waits. */
  public void stop() {
    stopped = true;
  }
}
