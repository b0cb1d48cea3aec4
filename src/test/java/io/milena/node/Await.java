package io.milena.node;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waiting for a condition, with a deadline. */
public final class Await {

  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private Await() {}

  /**
   * Waits until a condition holds.
   *
   * @param what is waited for, for the failure's message
   */
  public static void until(Callable<Boolean> condition, String what) throws Exception {
    until(condition, what, TIMEOUT_NANOS);
  }

  /** Waits longer, or shorter, than is usual. */
  public static void until(Callable<Boolean> condition, String what, long timeoutNanos)
      throws Exception {
    long deadline = System.nanoTime() + timeoutNanos;
    while (!condition.call()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not in time: " + what);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }
}
