package io.milena.http.stream;

import io.milena.http.HttpFailure;
import io.milena.http.PartitionOffsets;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.TopicPartition;

/** A place in a partition, whatever its offset is there. */
public sealed interface StartAt {

  /** The first record there is. */
  record Earliest() implements StartAt {}

  /** What comes from now on. */
  record Latest() implements StartAt {}

  /** An offset, the same in every partition. */
  record Offset(long offset) implements StartAt {}

  /** The first record that is not older. */
  record Timestamp(long timestampMs) implements StartAt {}

  /** Reads {@code earliest}, {@code latest}, an offset, or a time in ISO 8601. */
  static StartAt parse(String text) {
    switch (text) {
      case "earliest", "beginning" -> {
        return new Earliest();
      }
      case "latest", "end" -> {
        return new Latest();
      }
      default -> {
        try {
          return text.matches("\\d{1,18}")
              ? new Offset(Long.parseLong(text))
              : new Timestamp(Instant.parse(text).toEpochMilli());
        } catch (DateTimeParseException _) {
          throw HttpFailure.badRequest(
              "from is '"
                  + text
                  + "': say earliest, latest, an offset, or a time such as 2026-01-31T12:00:00Z");
        }
      }
    }
  }

  /**
   * The offset.
   *
   * @param bound exclusive end of what this reader may see
   */
  default long in(ReplicaView view, ToLongFunction<ReplicaView> bound) throws IOException {
    long start = view.log().logStartOffset();
    long end = bound.applyAsLong(view);
    return switch (this) {
      case Earliest _ -> start;
      case Latest _ -> end;
      case Offset(long offset) -> Math.clamp(offset, start, Math.max(start, end));
      case Timestamp(long timestampMs) ->
          view.log().offsetForTimestamp(timestampMs, end).map(found -> found.offset()).orElse(end);
    };
  }

  /** The offsets in partitions of other nodes, asked of their leaders. */
  default CompletionStage<Map<TopicPartition, Long>> in(
      PartitionOffsets offsets, Collection<TopicPartition> partitions, boolean committedOnly) {
    if (partitions.isEmpty()) {
      return CompletableFuture.completedFuture(Map.of());
    }
    return switch (this) {
      case Earliest _ -> offsets.at(partitions, PartitionOffsets.EARLIEST, committedOnly);
      case Latest _ -> offsets.at(partitions, PartitionOffsets.LATEST, committedOnly);
      case Offset(long offset) ->
          offsets
              .at(partitions, PartitionOffsets.LATEST, committedOnly)
              .thenApply(ends -> {
                ends.replaceAll((_, end) -> Math.min(offset, end));
                return ends;
              });
      case Timestamp(long timestampMs) -> offsets.at(partitions, timestampMs, committedOnly);
    };
  }
}
