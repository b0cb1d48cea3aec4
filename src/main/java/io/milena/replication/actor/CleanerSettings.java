package io.milena.replication.actor;

import java.time.Duration;

/**
 * How logs are compacted on a node, under Kafka's names.
 *
 * @param enabled {@code log.cleaner.enable}
 * @param threads {@code log.cleaner.threads}, each of which compacts one log at a time
 * @param backoff {@code log.cleaner.backoff.ms}: pause between two looks for something to compact
 * @param dedupeBufferBytes {@code log.cleaner.dedupe.buffer.size}: memory for keys, of all threads
 *     together; taken as it is needed
 * @param bytesPerSecond {@code log.cleaner.io.max.bytes.per.second}, read and written, of all
 *     threads together
 */
public record CleanerSettings(
    boolean enabled, int threads, Duration backoff, long dedupeBufferBytes, double bytesPerSecond) {

  public CleanerSettings {
    if (threads < 1) {
      throw new IllegalArgumentException("log.cleaner.threads is " + threads + ": at least 1");
    }
    if (backoff.isNegative()) {
      throw new IllegalArgumentException("log.cleaner.backoff.ms is negative");
    }
    if (!(bytesPerSecond > 0)) {
      throw new IllegalArgumentException(
          "log.cleaner.io.max.bytes.per.second is " + bytesPerSecond + ": it must be above 0");
    }
  }

  /** A thread's share of the memory for keys. */
  long dedupeBufferBytesEach() {
    return dedupeBufferBytes / threads;
  }

  /** A thread's share of what may be read and written in a second. */
  double bytesPerSecondEach() {
    return bytesPerSecond / threads;
  }
}
