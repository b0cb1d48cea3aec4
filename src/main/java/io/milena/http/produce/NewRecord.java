package io.milena.http.produce;

import java.util.List;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * A record to be written.
 *
 * @param partition null to have it chosen: by the key, as Kafka's clients do, or any
 * @param timestampMs null for now
 */
@SuppressWarnings("ArrayRecordComponent") // Passed on, never compared.
public record NewRecord(
    @Nullable Integer partition,
    @Nullable Long timestampMs,
    byte @Nullable [] key,
    byte @Nullable [] value,
    List<Header> headers) {

  public NewRecord {
    headers = List.copyOf(headers);
  }

  /** What it takes in memory, about. */
  public int sizeBytes() {
    return 64 + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
  }
}
