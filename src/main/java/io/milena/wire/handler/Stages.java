package io.milena.wire.handler;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Waiting for stages, as handlers do. */
final class Stages {

  /** What clients are told when a change was not decided in time. */
  static final String TIMED_OUT =
      "The metadata group did not decide in time; the change may still be made: look before you"
          + " repeat it.";

  private Stages() {}

  /**
   * The stage, or what stands in for it once the time is up; the stage itself goes on.
   *
   * @param timeoutMs 0 or more
   */
  static <T> CompletionStage<T> within(
      RequestContext context, long timeoutMs, CompletionStage<T> stage, Supplier<T> onTimeout) {
    CompletableFuture<T> result = new CompletableFuture<>();
    CompletableFuture<T> future = stage.toCompletableFuture();
    if (future.isDone()) {
      return future;
    }
    ConnectionContext.TimerTask timer =
        context.schedule(timeoutMs, () -> result.complete(onTimeout.get()));
    future.whenComplete((value, failure) -> {
      context.execute(timer::cancel);
      if (failure == null) {
        result.complete(value);
      } else {
        result.completeExceptionally(failure);
      }
    });
    return result;
  }

  /** Completes with all results, in their order, once the last is there. */
  static <T> CompletionStage<List<T>> all(List<CompletableFuture<T>> stages) {
    return CompletableFuture.allOf(stages.toArray(CompletableFuture[]::new))
        .thenApply(_ -> stages.stream().map(CompletableFuture::join).toList());
  }

  /** What to tell a client of a failure of a stage. */
  static String reasonOf(Throwable failure) {
    Errors error = errorOf(failure);
    return error == Errors.REQUEST_TIMED_OUT ? TIMED_OUT : error.message();
  }

  /** Kafka's error for a failure of a stage. */
  static Errors errorOf(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException wrapped && wrapped.getCause() != null
            ? wrapped.getCause()
            : failure;
    return Errors.forException(cause);
  }

  /** An error's message as responses carry it: null when there is nothing to say. */
  static @Nullable String messageOf(Errors error, String message) {
    return error == Errors.NONE || message.isEmpty() ? null : message;
  }
}
