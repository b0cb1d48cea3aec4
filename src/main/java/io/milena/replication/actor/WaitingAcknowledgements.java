package io.milena.replication.actor;

import io.milena.log.AppendOutcome;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.Errors;

/**
 * Appends that are in the log and wait to be kept well enough to be acknowledged, in offset order.
 * Bounded by what the network layer admits: every waiting append holds a request buffer of its
 * budget.
 */
final class WaitingAcknowledgements {

  private record Waiting(
      long endOffset,
      long deadlineNanos,
      AppendOutcome outcome,
      CompletableFuture<AppendOutcome> reply) {}

  private static final long NEVER_NANOS = TimeUnit.DAYS.toNanos(36_525);

  private final ArrayDeque<Waiting> queue = new ArrayDeque<>();

  /** True when nobody waits. */
  boolean isEmpty() {
    return queue.isEmpty();
  }

  /**
   * Adds one; {@code endOffset} (exclusive) is never below that of the one before, but for
   * duplicates, which wait their turn.
   */
  void add(
      long endOffset,
      long deadlineNanos,
      AppendOutcome outcome,
      CompletableFuture<AppendOutcome> reply) {
    queue.add(new Waiting(endOffset, deadlineNanos, outcome, reply));
  }

  /** Acknowledges everything that ends at or below an offset (exclusive end). */
  void acknowledge(long keptEndOffset) {
    while (!queue.isEmpty() && queue.peek().endOffset() <= keptEndOffset) {
      Waiting waiting = queue.remove();
      waiting.reply().complete(waiting.outcome());
    }
  }

  /** Gives up on those whose time has come; their records stay in the log. */
  void expire(long nowNanos) {
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
    for (Waiting waiting : queue) {
      shortest = Math.min(shortest, waiting.deadlineNanos() - nowNanos);
    }
    return shortest;
  }

  /** Gives up on all of them. */
  void fail(Errors error, String message) {
    AppendOutcome rejected = new AppendOutcome.Rejected(error, message);
    for (Waiting waiting : queue) {
      waiting.reply().complete(rejected);
    }
    queue.clear();
  }
}
