package io.milena.group.actor;

import io.milena.replication.Replica;
import java.util.concurrent.CompletableFuture;

/** Waits for a replica's high watermark. */
final class HighWatermark {

  private HighWatermark() {}

  /**
   * Completes once everything below {@code offset} is replicated; maybe never. Listens to the
   * replica until then, or until it is cancelled.
   */
  static CompletableFuture<Void> reaches(Replica replica, long offset) {
    CompletableFuture<Void> reached = new CompletableFuture<>();
    Runnable look =
        () -> {
          if (replica.view().highWatermark() >= offset) {
            reached.complete(null);
          }
        };
    replica.addListener(look);
    reached.whenComplete((_, _) -> replica.removeListener(look));
    look.run();
    return reached;
  }
}
