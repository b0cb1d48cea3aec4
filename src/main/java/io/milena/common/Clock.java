package io.milena.common;

/**
 * The seam through which everything outside pure cores reads time. Pure cores take time as an
 * argument instead.
 */
public interface Clock {

  /**
   * Wall-clock time in milliseconds since the epoch; may jump. For timestamps that people and
   * clients see.
   */
  long wallClockMs();

  /** Monotonic time in nanoseconds from an arbitrary origin. For intervals and deadlines. */
  long monotonicNanos();

  /** The machine's clocks. */
  static Clock system() {
    return SystemClock.INSTANCE;
  }
}
