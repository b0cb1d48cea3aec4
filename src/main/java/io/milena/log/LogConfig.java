package io.milena.log;

import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.TimestampType;

/**
 * The topic settings that a log obeys, under Kafka's names and with Kafka's defaults; plus Milena's
 * {@code durability}. Sizes are bytes, times milliseconds.
 *
 * @param segmentBytes {@code segment.bytes}: roll before the active segment would grow beyond it
 * @param segmentMs {@code segment.ms}: roll when the active segment is older, by record timestamps
 * @param segmentJitterMs {@code segment.jitter.ms}: a random part of it is taken off {@code
 *     segmentMs}
 * @param segmentIndexBytes {@code segment.index.bytes}: size at which an index is full, and the
 *     segment rolls
 * @param indexIntervalBytes {@code index.interval.bytes}: log bytes between two index entries
 * @param retentionMs {@code retention.ms}; -1 for unlimited
 * @param retentionBytes {@code retention.bytes}; -1 for unlimited
 * @param compact whether {@code cleanup.policy} contains compact
 * @param delete whether {@code cleanup.policy} contains delete
 * @param flushMessages {@code flush.messages}: records between two flushes
 * @param flushMs {@code flush.ms}: time a record may stay unflushed
 * @param maxMessageBytes {@code max.message.bytes}: size of the largest batch accepted
 * @param timestampType {@code message.timestamp.type}
 * @param timestampBeforeMaxMs {@code message.timestamp.before.max.ms}
 * @param timestampAfterMaxMs {@code message.timestamp.after.max.ms}
 * @param compressionType {@code compression.type}: producer, uncompressed, gzip, snappy, lz4, zstd
 * @param compressionGzipLevel {@code compression.gzip.level}
 * @param compressionLz4Level {@code compression.lz4.level}
 * @param compressionZstdLevel {@code compression.zstd.level}
 * @param minCompactionLagMs {@code min.compaction.lag.ms}
 * @param maxCompactionLagMs {@code max.compaction.lag.ms}
 * @param deleteRetentionMs {@code delete.retention.ms}
 * @param minCleanableDirtyRatio {@code min.cleanable.dirty.ratio}
 * @param fileDeleteDelayMs {@code file.delete.delay.ms}: how long a deleted segment stays readable
 * @param preallocate {@code preallocate}; accepted, and without effect here
 * @param durability when an append may be acknowledged
 * @param producerExpirationMs {@code producer.id.expiration.ms}, a setting of the node: how long a
 *     producer is remembered that writes nothing
 */
public record LogConfig(
    int segmentBytes,
    long segmentMs,
    long segmentJitterMs,
    int segmentIndexBytes,
    int indexIntervalBytes,
    long retentionMs,
    long retentionBytes,
    boolean compact,
    boolean delete,
    long flushMessages,
    long flushMs,
    int maxMessageBytes,
    TimestampType timestampType,
    long timestampBeforeMaxMs,
    long timestampAfterMaxMs,
    String compressionType,
    int compressionGzipLevel,
    int compressionLz4Level,
    int compressionZstdLevel,
    long minCompactionLagMs,
    long maxCompactionLagMs,
    long deleteRetentionMs,
    double minCleanableDirtyRatio,
    long fileDeleteDelayMs,
    boolean preallocate,
    Durability durability,
    long producerExpirationMs) {

  /** Name of Milena's own setting. */
  public static final String DURABILITY_CONFIG = "durability";

  /** Name of the setting of nodes that is no topic's. */
  public static final String PRODUCER_EXPIRATION_CONFIG = "producer.id.expiration.ms";

  /** What must have happened to a batch before its append is acknowledged. */
  public enum Durability {
    /** Kafka's way: it is in the page cache; copies on other nodes make it durable. */
    REPLICATED,
    /** It has been forced to disk. */
    FSYNC
  }

  /** Kafka's defaults. */
  public static final LogConfig DEFAULTS = of(Map.of());

  /**
   * The settings of a topic.
   *
   * @param values effective values by Kafka's names; what is missing has Kafka's default, names
   *     that no log needs are ignored
   * @throws ConfigException for a value that cannot be read or is out of range, naming both
   */
  public static LogConfig of(Map<String, String> values) {
    String policy = values.getOrDefault(TopicConfig.CLEANUP_POLICY_CONFIG, "delete");
    return new LogConfig(
        intValue(values, TopicConfig.SEGMENT_BYTES_CONFIG, 1 << 30, 14),
        longValue(values, TopicConfig.SEGMENT_MS_CONFIG, days(7), 1),
        longValue(values, TopicConfig.SEGMENT_JITTER_MS_CONFIG, 0, 0),
        intValue(values, TopicConfig.SEGMENT_INDEX_BYTES_CONFIG, 10 * 1024 * 1024, 4),
        intValue(values, TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, 4096, 0),
        longValue(values, TopicConfig.RETENTION_MS_CONFIG, days(7), -1),
        longValue(values, TopicConfig.RETENTION_BYTES_CONFIG, -1, Long.MIN_VALUE),
        contains(policy, TopicConfig.CLEANUP_POLICY_COMPACT),
        contains(policy, TopicConfig.CLEANUP_POLICY_DELETE),
        longValue(values, TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, Long.MAX_VALUE, 1),
        longValue(values, TopicConfig.FLUSH_MS_CONFIG, Long.MAX_VALUE, 0),
        intValue(values, TopicConfig.MAX_MESSAGE_BYTES_CONFIG, 1024 * 1024 + 12, 0),
        TimestampType.forName(
            values.getOrDefault(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "CreateTime")),
        longValue(values, TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG, Long.MAX_VALUE, 0),
        longValue(values, TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG, 3_600_000, 0),
        values.getOrDefault(TopicConfig.COMPRESSION_TYPE_CONFIG, "producer"),
        intValue(values, TopicConfig.COMPRESSION_GZIP_LEVEL_CONFIG, -1, -1),
        intValue(values, TopicConfig.COMPRESSION_LZ4_LEVEL_CONFIG, 9, 1),
        intValue(values, TopicConfig.COMPRESSION_ZSTD_LEVEL_CONFIG, 3, Integer.MIN_VALUE),
        longValue(values, TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, 0, 0),
        longValue(values, TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG, Long.MAX_VALUE, 1),
        longValue(values, TopicConfig.DELETE_RETENTION_MS_CONFIG, days(1), 0),
        ratio(values),
        longValue(values, TopicConfig.FILE_DELETE_DELAY_MS_CONFIG, 60_000, 0),
        Boolean.parseBoolean(values.getOrDefault(TopicConfig.PREALLOCATE_CONFIG, "false")),
        durability(values.getOrDefault(DURABILITY_CONFIG, "replicated")),
        longValue(values, PRODUCER_EXPIRATION_CONFIG, days(1), 1));
  }

  /**
   * How old the active segment may get: {@code segment.ms}, and where the log is compacted no more
   * than {@code max.compaction.lag.ms}, as only what is rolled can be compacted (KIP-354).
   */
  public long rollMs() {
    return compact ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs;
  }

  private static long days(int days) {
    return days * 86_400_000L;
  }

  private static boolean contains(String policy, String word) {
    for (String part : policy.split(",", -1)) {
      if (part.trim().toLowerCase(Locale.ROOT).equals(word)) {
        return true;
      }
    }
    return false;
  }

  private static int intValue(Map<String, String> values, String name, int preset, int minimum) {
    long value = longValue(values, name, preset, minimum);
    if (value > Integer.MAX_VALUE) {
      throw new ConfigException(name, value, "must be at most " + Integer.MAX_VALUE);
    }
    return (int) value;
  }

  private static long longValue(
      Map<String, String> values, String name, long preset, long minimum) {
    String text = values.get(name);
    if (text == null) {
      return preset;
    }
    long value;
    try {
      value = Long.parseLong(text.trim());
    } catch (NumberFormatException e) {
      throw new ConfigException(name, text, "must be a whole number");
    }
    if (value < minimum) {
      throw new ConfigException(name, text, "must be at least " + minimum);
    }
    return value;
  }

  private static double ratio(Map<String, String> values) {
    String name = TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG;
    String text = values.getOrDefault(name, "0.5");
    try {
      double value = Double.parseDouble(text.trim());
      if (value >= 0 && value <= 1) {
        return value;
      }
    } catch (NumberFormatException e) {
      // falls through to the message below
    }
    throw new ConfigException(name, text, "must be a number from 0 to 1");
  }

  private static Durability durability(String text) {
    return switch (text.trim().toLowerCase(Locale.ROOT)) {
      case "replicated" -> Durability.REPLICATED;
      case "fsync" -> Durability.FSYNC;
      default -> throw new ConfigException(DURABILITY_CONFIG, text, "must be replicated or fsync");
    };
  }
}
