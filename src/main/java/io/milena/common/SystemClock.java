package io.milena.common;

/** The machine's clocks, read directly. */
enum SystemClock implements Clock {
  INSTANCE;

  @Override
  public long wallClockMs() {
    return System.currentTimeMillis();
  }

  @Override
  public long monotonicNanos() {
    return System.nanoTime();
  }
}
