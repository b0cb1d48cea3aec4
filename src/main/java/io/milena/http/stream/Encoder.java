package io.milena.http.stream;

import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;

/**
 * Makes what is sent of records; one a stream, used by its stage alone.
 *
 * @param <T> what is sent at a time
 */
interface Encoder<T> {

  /**
   * Adds a record.
   *
   * @param position the reader's position after it, if it is wanted
   */
  void add(TopicPartition partition, Record record, Supplier<String> position);

  /** Bytes that were added since the last {@link #take}. */
  int sizeBytes();

  /** Everything that was added since the last call. */
  T take();

  /** What is sent when there is nothing to send; null for nothing. */
  @org.jspecify.annotations.Nullable
  T keepAlive();
}
