package io.milena.replication;

/**
 * A limit in bytes per second for replication that is throttled (KIP-73), as a token bucket: what
 * was sent is paid for by time that passes. Somebody may begin while nothing is owed, however much
 * it then takes, so that a batch larger than the limit gets through; who comes next waits until it
 * is paid. Time is monotonic, in nanoseconds. Any thread.
 */
public final class ReplicationQuota {

  /** No limit. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  /** So often who waits asks again, should the limit be raised meanwhile. */
  static final long DELAY_MS_MAX = 1_000;

  private static final double NANOS_PER_SECOND = 1e9;

  private volatile long bytesPerSecond = UNLIMITED;

  /** Bytes that may be sent; below 0 what is owed. At most what one second brings. */
  private double allowance;

  private long paidAtNanos;

  /**
   * Limits what is sent from now on; what is owed is forgiven.
   *
   * @param newBytesPerSecond 0 for nothing at all
   */
  public synchronized void limit(long newBytesPerSecond, long nowNanos) {
    if (newBytesPerSecond < 0) {
      throw new IllegalArgumentException(newBytesPerSecond + " bytes per second are no limit");
    }
    if (newBytesPerSecond != bytesPerSecond) {
      bytesPerSecond = newBytesPerSecond;
      allowance = newBytesPerSecond;
      paidAtNanos = nowNanos;
    }
  }

  /** Whether there is a limit at all: one volatile read. */
  public boolean isLimited() {
    return bytesPerSecond != UNLIMITED;
  }

  /**
   * How long to wait before something may be sent.
   *
   * @return 0 for at once, at most {@link #DELAY_MS_MAX}; then ask again
   */
  public synchronized long delayMs(long nowNanos) {
    if (!isLimited()) {
      return 0;
    }
    pay(nowNanos);
    if (allowance > 0) {
      return 0;
    }
    double seconds = (1 - allowance) / bytesPerSecond;
    return Math.clamp((long) Math.ceil(seconds * 1_000), 1, DELAY_MS_MAX);
  }

  /** Something was sent. */
  public synchronized void record(long bytes, long nowNanos) {
    if (isLimited()) {
      pay(nowNanos);
      allowance -= bytes;
    }
  }

  private void pay(long nowNanos) {
    double seconds = (double) Math.max(0, nowNanos - paidAtNanos) / NANOS_PER_SECOND;
    double rate = bytesPerSecond;
    allowance = Math.min(rate, allowance + seconds * rate);
    paidAtNanos = nowNanos;
  }
}
