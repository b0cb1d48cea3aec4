package io.milena.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A position in a partition as a person names it. */
public sealed interface StartOffset {

  /** How it is written, for help and errors. */
  String SYNTAX = "earliest, latest, N, -N (N before the end), timestamp:TIME";

  /** The first record there is. */
  record Earliest() implements StartOffset {}

  /** After the last record there is. */
  record Latest() implements StartOffset {}

  /** The record with this offset. */
  record At(long offset) implements StartOffset {}

  /** So many offsets before the end. */
  record BeforeEnd(long count) implements StartOffset {}

  /** The first record with this timestamp (milliseconds since 1970, UTC) or a later one. */
  record AtTime(long timestampMs) implements StartOffset {}

  /** What this position needs to be looked up in the cluster. */
  default OffsetSpec lookup() {
    return switch (this) {
      case Earliest _ -> OffsetSpec.earliest();
      case AtTime time -> OffsetSpec.forTimestamp(time.timestampMs());
      case Latest _, At _, BeforeEnd _ -> OffsetSpec.latest();
    };
  }

  /**
   * The offset in each partition, within what the partition holds.
   *
   * @param starts the first offset of each partition, inclusive
   * @param ends the end of each partition, exclusive
   * @param found the answer to {@link #lookup}; -1 where no record is that young
   */
  default Map<TopicPartition, Long> resolve(
      Map<TopicPartition, Long> starts,
      Map<TopicPartition, Long> ends,
      Map<TopicPartition, Long> found) {
    Set<TopicPartition> partitions = ends.keySet();
    Map<TopicPartition, Long> resolved = HashMap.newHashMap(partitions.size());
    for (TopicPartition partition : partitions) {
      long start = starts.getOrDefault(partition, 0L);
      long end = ends.getOrDefault(partition, start);
      long wanted =
          switch (this) {
            case Earliest _ -> start;
            case Latest _ -> end;
            case At at -> at.offset();
            case BeforeEnd beforeEnd -> end - Math.min(beforeEnd.count(), end);
            case AtTime _ -> {
              long offset = found.getOrDefault(partition, -1L);
              yield offset < 0 ? end : offset;
            }
          };
      resolved.put(partition, Math.clamp(wanted, start, Math.max(start, end)));
    }
    return resolved;
  }

  /**
   * Reads a position.
   *
   * @param nowMs what relative times such as {@code timestamp:-15m} count from
   * @throws CliException where the text is none of {@link #SYNTAX}
   */
  static StartOffset parse(String text, long nowMs) {
    String word = text.strip().toLowerCase(Locale.ROOT);
    if (word.startsWith("timestamp:")) {
      return new AtTime(Times.parse(text.strip().substring("timestamp:".length()), nowMs));
    }
    try {
      return switch (word) {
        case "earliest", "beginning", "start" -> new Earliest();
        case "latest", "end" -> new Latest();
        default ->
            word.matches("-\\d+")
                ? new BeforeEnd(Long.parseLong(word.substring(1)))
                : new At(Long.parseLong(word));
      };
    } catch (NumberFormatException _) {
      throw CliException.usage("'" + text + "' is no offset: expected " + SYNTAX);
    }
  }

  /** Lets picocli read positions, with relative times counted from now. */
  final class Converter implements ITypeConverter<StartOffset> {

    @Override
    public StartOffset convert(String value) {
      try {
        return parse(value, System.currentTimeMillis());
      } catch (CliException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  /** Points in time as a person writes them. */
  final class Times {

    private static final Pattern RELATIVE = Pattern.compile("-(\\d{1,9})(ms|s|m|h|d)");

    private static final Map<String, Long> UNITS_MS =
        Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

    private Times() {}

    /**
     * Reads ISO 8601 (without an offset: local time), milliseconds since 1970, or {@code -15m}.
     *
     * @return milliseconds since 1970, UTC
     */
    static long parse(String text, long nowMs) {
      Matcher relative = RELATIVE.matcher(text);
      if (relative.matches()) {
        return nowMs
            - Long.parseLong(relative.group(1)) * UNITS_MS.getOrDefault(relative.group(2), 1L);
      }
      try {
        if (text.matches("\\d{1,18}")) {
          return Long.parseLong(text);
        }
        if (!text.contains("T")) {
          return LocalDate.parse(text)
              .atStartOfDay(ZoneId.systemDefault())
              .toInstant()
              .toEpochMilli();
        }
        if (text.endsWith("Z")) {
          return Instant.parse(text).toEpochMilli();
        }
        return text.matches(".*[+-]\\d\\d:?\\d\\d")
            ? OffsetDateTime.parse(text).toInstant().toEpochMilli()
            : LocalDateTime.parse(text).atZone(ZoneId.systemDefault()).toInstant().toEpochMilli();
      } catch (DateTimeException _) {
        throw CliException.usage(
            "'"
                + text
                + "' is no time: expected for example 2026-11-21T09:30:00Z, milliseconds since"
                + " 1970, or "
                + UNITS_MS.keySet().stream()
                    .sorted()
                    .map(unit -> "-15" + unit)
                    .collect(Collectors.joining(", ")));
      }
    }
  }
}
