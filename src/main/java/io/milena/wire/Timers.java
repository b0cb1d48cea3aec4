package io.milena.wire;

import io.milena.wire.handler.ConnectionContext.TimerTask;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The timers of one event loop: a binary heap by deadline. A cancelled one stays until its deadline
 * or until half of the heap is cancelled, so cancelling costs nothing. Bounded by the requests that
 * wait. Used on the loop's thread only.
 */
final class Timers {
  private static final int SWEEP_MIN = 64;

  private final PriorityQueue<Timer> heap = new PriorityQueue<>();
  private int cancelled;

  TimerTask schedule(long deadlineNanos, Runnable task) {
    Timer timer = new Timer(deadlineNanos, task);
    heap.add(timer);
    return timer;
  }

  /** Nanoseconds until the next timer is due, 0 or less when one is, MAX_VALUE without timers. */
  long nanosToNext(long nowNanos) {
    for (Timer next = heap.peek(); next != null; next = heap.peek()) {
      if (next.task != null) {
        return next.deadlineNanos - nowNanos;
      }
      heap.poll();
      cancelled--;
    }
    return Long.MAX_VALUE;
  }

  /** The next due task, taken out of the heap; null when none is due. */
  @Nullable Runnable pollDue(long nowNanos) {
    if (nanosToNext(nowNanos) > 0) {
      return null;
    }
    Timer due = heap.poll();
    if (due == null) {
      return null;
    }
    Runnable task = due.task;
    due.task = null;
    return task;
  }

  int size() {
    return heap.size() - cancelled;
  }

  private final class Timer implements TimerTask, Comparable<Timer> {
    final long deadlineNanos;

    /** Null once it has run or is cancelled. */
    @Nullable Runnable task;

    Timer(long deadlineNanos, Runnable task) {
      this.deadlineNanos = deadlineNanos;
      this.task = task;
    }

    @Override
    public void cancel() {
      if (task == null) {
        return;
      }
      task = null;
      cancelled++;
      if (cancelled > SWEEP_MIN && cancelled > heap.size() / 2) {
        heap.removeIf(timer -> timer.task == null);
        cancelled = 0;
      }
    }

    @Override
    public int compareTo(Timer other) {
      return Long.signum(deadlineNanos - other.deadlineNanos);
    }
  }
}
