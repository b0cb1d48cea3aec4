package io.milena.wire;

import java.util.concurrent.TimeUnit;

/**
 * A limit of connections a second, as a bucket of tokens that holds what one second gives: a burst
 * of that size passes. Not thread-safe.
 */
final class ConnectionRate {

  private boolean used;
  private double tokens;
  private long filledNanos;

  /**
   * Counts a connection.
   *
   * @param perSecond the limit as it is now, 1 or more
   * @return milliseconds that the next one has to wait; 0 while the limit is kept
   */
  long count(int perSecond, long nowNanos) {
    double filled = (double) (nowNanos - filledNanos) / TimeUnit.SECONDS.toNanos(1) * perSecond;
    tokens = (used ? Math.min(perSecond, tokens + filled) : perSecond) - 1;
    used = true;
    filledNanos = nowNanos;
    return tokens >= 0 ? 0 : (long) Math.ceil(-tokens / perSecond * TimeUnit.SECONDS.toMillis(1));
  }
}
