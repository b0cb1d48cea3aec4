package io.milena.http.produce;

import akka.NotUsed;
import akka.stream.javadsl.Flow;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/** Takes together what came while the last records were being written. */
public final class Waiting {

  /** More than this does not wait: the client is not read from until it is written. */
  private static final long BYTES_MAX = 1024 * 1024;

  private Waiting() {}

  /**
   * Lists of what waited, in order; a single one that is larger than the bound is a list of its
   * own.
   *
   * @param sizeBytes of one
   */
  public static <T> Flow<T, List<T>, NotUsed> together(ToLongFunction<T> sizeBytes) {
    return Flow.<T>create()
        .batchWeighted(
            BYTES_MAX,
            sizeBytes::applyAsLong,
            first -> {
              List<T> batch = new ArrayList<>();
              batch.add(first);
              return batch;
            },
            (batch, next) -> {
              batch.add(next);
              return batch;
            });
  }
}
