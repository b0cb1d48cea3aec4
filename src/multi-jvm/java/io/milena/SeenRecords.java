package io.milena;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one reader has seen of one partition, into which one idempotent producer wrote numbered
 * records; and what is wrong with it. Safe for threads.
 */
public final class SeenRecords {

  /** Enough to understand what happened; a log that is broken all through would fill the report. */
  private static final int VIOLATIONS_MAX = 20;

  private final String reader;
  private final Map<Long, Long> numbers = new TreeMap<>();
  private final List<String> violations = new ArrayList<>();
  private long nextOffset = -1;
  private long lastNumber = -1;
  private long highWatermark = -1;

  /**
   * @param reader who reads which partition, for messages
   */
  public SeenRecords(String reader) {
    this.reader = reader;
  }

  /** The reader was given a record. */
  public synchronized void see(long offset, long number) {
    if (nextOffset >= 0 && offset != nextOffset) {
      violation("%s: offset %d after %d", reader, offset, nextOffset - 1);
    }
    if (number <= lastNumber) {
      violation(
          "%s: record %d at offset %d after record %d: doubled or out of order",
          reader, number, offset, lastNumber);
    }
    nextOffset = offset + 1;
    lastNumber = Math.max(lastNumber, number);
    Long before = numbers.put(offset, number);
    if (before != null && before != number) {
      violation("%s: offset %d was record %d, is now %d", reader, offset, before, number);
    }
  }

  /** The reader was told a high watermark. */
  public synchronized void seeHighWatermark(long offset) {
    if (offset < highWatermark) {
      violation("%s: high watermark %d after %d", reader, offset, highWatermark);
    }
    highWatermark = Math.max(highWatermark, offset);
  }

  /** Something happened to the reader that must not. */
  public synchronized void violation(String format, Object... arguments) {
    if (violations.size() < VIOLATIONS_MAX) {
      violations.add(format.formatted(arguments));
    }
  }

  /** How many records were seen. */
  public synchronized int count() {
    return numbers.size();
  }

  /**
   * Everything that is wrong: with what was seen, and with it beside what should be there.
   *
   * @param expected numbers by offset, all of which must have been seen
   * @param who knows of them, for messages
   */
  public synchronized List<String> violations(Map<Long, Long> expected, String who) {
    List<String> all = new ArrayList<>(violations);
    expected.forEach((offset, number) -> {
      Long found = numbers.get(offset);
      if (!number.equals(found) && all.size() < VIOLATIONS_MAX) {
        all.add(
            "%s: record %d, %s at offset %d, is %s"
                .formatted(
                    reader, number, who, offset, found == null ? "lost" : "record " + found));
      }
    });
    return all;
  }

  /** Numbers by offset. */
  public synchronized Map<Long, Long> numbers() {
    return new TreeMap<>(numbers);
  }
}
