package io.milena.replication;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/**
 * DeleteRecords that wait until every in-sync replica has moved its log start offset. Who asked
 * gives up by itself; what it leaves behind goes with the next that completes.
 */
final class DeletionsWaiting {

  private record Waiting(long offset, CompletableFuture<Long> reply) {}

  private final ArrayDeque<Waiting> queue = new ArrayDeque<>();

  boolean isEmpty() {
    return queue.isEmpty();
  }

  void add(long offset, CompletableFuture<Long> reply) {
    queue.add(new Waiting(offset, reply));
  }

  /** Answers those at or below the smallest log start offset of the in-sync replicas. */
  void complete(long lowWatermark) {
    queue.removeIf(waiting -> {
      if (waiting.offset() > lowWatermark) {
        return waiting.reply().isDone();
      }
      waiting.reply().complete(lowWatermark);
      return true;
    });
  }

  void fail(RuntimeException failure) {
    queue.forEach(waiting -> waiting.reply().completeExceptionally(failure));
    queue.clear();
  }
}
