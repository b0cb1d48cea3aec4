package io.milena.wire.exchange;

/**
 * How followers ask, under Kafka's names where Kafka has one.
 *
 * @param maxWaitMs {@code replica.fetch.wait.max.ms}: how long a leader keeps a poll when there is
 *     nothing to say
 * @param maxBytes {@code replica.fetch.response.max.bytes}: of records in one answer, but for one
 *     batch that is larger
 * @param partitionMaxBytes {@code replica.fetch.max.bytes}: of records of one partition in one
 *     answer, but for one batch that is larger
 * @param backoffMs {@code replica.fetch.backoff.ms}: before a partition whose answer could not be
 *     taken is asked for again
 */
public record ExchangeSettings(int maxWaitMs, int maxBytes, int partitionMaxBytes, int backoffMs) {

  /** Kafka's defaults. */
  public static final ExchangeSettings DEFAULTS =
      new ExchangeSettings(500, 10 * 1024 * 1024, 1024 * 1024, 1_000);

  public ExchangeSettings {
    if (maxWaitMs < 1 || maxBytes < 1 || partitionMaxBytes < 1 || backoffMs < 0) {
      throw new IllegalArgumentException(
          "replica.fetch.wait.max.ms (%d), replica.fetch.response.max.bytes (%d) and replica.fetch.max.bytes (%d) must be at least 1, replica.fetch.backoff.ms (%d) at least 0"
              .formatted(maxWaitMs, maxBytes, partitionMaxBytes, backoffMs));
    }
  }
}
