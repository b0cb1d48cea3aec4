package io.milena.replication;

import io.milena.log.AppendOutcome;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.Errors;

/**
 * Appends that are in the leader's log and wait to be kept well enough to be acknowledged: those
 * with acks=all for the high watermark, the others (with {@code fsync} only) for this node's own
 * flush. Bounded by what the network layer admits: every waiting append holds a request buffer of
 * its budget.
 */
final class Acknowledgements {

  private record Waiting(
      long endOffset,
      long deadlineNanos,
      AppendOutcome outcome,
      CompletableFuture<AppendOutcome> reply) {}

  private static final long NEVER_NANOS = TimeUnit.DAYS.toNanos(36_525);

  /** In offset order but for duplicates, which wait their turn. */
  private final ArrayDeque<Waiting> forHighWatermark = new ArrayDeque<>();

  private final ArrayDeque<Waiting> forFlush = new ArrayDeque<>();

  boolean isEmpty() {
    return forHighWatermark.isEmpty() && forFlush.isEmpty();
  }

  /**
   * Adds one.
   *
   * @param endOffset exclusive end of what it appended
   * @param everyReplica whether it waits for the high watermark, or for this node only
   */
  void add(
      long endOffset,
      boolean everyReplica,
      long deadlineNanos,
      AppendOutcome outcome,
      CompletableFuture<AppendOutcome> reply) {
    (everyReplica ? forHighWatermark : forFlush)
        .add(new Waiting(endOffset, deadlineNanos, outcome, reply));
  }

  /** Acknowledges everything that ends at or below what it waits for (exclusive ends). */
  void acknowledge(long highWatermark, long keptEndOffset) {
    acknowledge(forHighWatermark, highWatermark);
    acknowledge(forFlush, keptEndOffset);
  }

  private static void acknowledge(ArrayDeque<Waiting> queue, long endOffset) {
    while (!queue.isEmpty() && queue.peek().endOffset() <= endOffset) {
      Waiting waiting = queue.remove();
      waiting.reply().complete(waiting.outcome());
    }
  }

  /** Gives up on those whose time has come; their records stay in the log. */
  void expire(long nowNanos) {
    expire(forHighWatermark, nowNanos);
    expire(forFlush, nowNanos);
  }

  private static void expire(ArrayDeque<Waiting> queue, long nowNanos) {
    queue.removeIf(waiting -> {
      if (waiting.deadlineNanos() - nowNanos > 0) {
        return false;
      }
      waiting
          .reply()
          .complete(
              new AppendOutcome.Rejected(
                  Errors.REQUEST_TIMED_OUT,
                  "the batch is in the leader's log, but not on every in-sync replica in time"));
      return true;
    });
  }

  /** Time to the earliest deadline, negative once it has passed; a century when nobody waits. */
  long nanosToDeadline(long nowNanos) {
    long shortest = NEVER_NANOS;
    for (Waiting waiting : forHighWatermark) {
      shortest = Math.min(shortest, waiting.deadlineNanos() - nowNanos);
    }
    for (Waiting waiting : forFlush) {
      shortest = Math.min(shortest, waiting.deadlineNanos() - nowNanos);
    }
    return shortest;
  }

  /** Gives up on those that wait for other replicas. */
  void failThoseForEveryReplica(Errors error, String message) {
    fail(forHighWatermark, error, message);
  }

  /** Gives up on all of them. */
  void fail(Errors error, String message) {
    fail(forHighWatermark, error, message);
    fail(forFlush, error, message);
  }

  private static void fail(ArrayDeque<Waiting> queue, Errors error, String message) {
    if (queue.isEmpty()) {
      return;
    }
    AppendOutcome rejected = new AppendOutcome.Rejected(error, message);
    for (Waiting waiting : queue) {
      waiting.reply().complete(rejected);
    }
    queue.clear();
  }
}
