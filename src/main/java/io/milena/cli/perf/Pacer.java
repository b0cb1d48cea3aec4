package io.milena.cli.perf;

import java.util.concurrent.locks.LockSupport;

/**
 * Spreads events evenly. Latencies are counted from {@link #awaitTurn}'s answer, when an event was
 * due, so that a stall of the server shows in every event it delayed (no coordinated omission).
 *
 * @param perSecond events a second; 0 for as fast as they come
 */
record Pacer(double perSecond, long startNs) {

  /** Waits until event {@code index} is due and says when that was. */
  long awaitTurn(long index) {
    if (perSecond <= 0) {
      return System.nanoTime();
    }
    long dueNs = dueNs(index);
    for (long waitNs = dueNs - System.nanoTime(); waitNs > 0; waitNs = dueNs - System.nanoTime()) {
      LockSupport.parkNanos(waitNs);
    }
    return dueNs;
  }

  long dueNs(long index) {
    return startNs + (long) (index * (1e9 / perSecond));
  }
}
