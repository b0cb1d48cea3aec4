package io.milena.metadata;

import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;
import static org.apache.kafka.common.config.ConfigDef.Range.between;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.ValidList;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigDef.Validator;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/**
 * Every topic configuration of Apache Kafka 4.4 with its default and limits, and Milena's own
 * {@code durability}; for each, which node configurations stand in where a topic says nothing.
 */
final class TopicConfigDefinitions {

  private static final int MIN_SEGMENT_BYTES = 1024 * 1024;

  /** The largest array a JVM promises to allocate. */
  private static final int MAX_ARRAY_BYTES = Integer.MAX_VALUE - 8;

  static final ConfigDef DEFINITIONS =
      define()
          .define(
              ConfigDefinitions.DURABILITY,
              ConfigDef.Type.STRING,
              ConfigDefinitions.DURABILITY_REPLICATED,
              ValidString.in(
                  ConfigDefinitions.DURABILITY_REPLICATED, ConfigDefinitions.DURABILITY_FSYNC),
              Importance.HIGH,
              "What an acknowledgement promises. 'replicated' (as Apache Kafka): the record is in"
                  + " the page cache of every in-sync replica. 'fsync': it has also been forced to"
                  + " disk.")
          .defineInternal(
              "internal.segment.bytes",
              ConfigDef.Type.INT,
              null,
              null,
              Importance.LOW,
              "Overrides segment.bytes, below its limit: for tests.");

  /**
   * Node configurations in whose place a topic configuration stands, most specific first; a unit
   * other than the topic's is converted.
   */
  static final Map<String, List<NodeSynonym>> SYNONYMS =
      Map.ofEntries(
          same(TopicConfig.SEGMENT_BYTES_CONFIG, "log.segment.bytes"),
          Map.entry(
              TopicConfig.SEGMENT_MS_CONFIG,
              List.of(
                  new NodeSynonym("log.roll.ms", 1),
                  new NodeSynonym("log.roll.hours", NodeSynonym.MS_PER_HOUR))),
          Map.entry(
              TopicConfig.SEGMENT_JITTER_MS_CONFIG,
              List.of(
                  new NodeSynonym("log.roll.jitter.ms", 1),
                  new NodeSynonym("log.roll.jitter.hours", NodeSynonym.MS_PER_HOUR))),
          same(TopicConfig.SEGMENT_INDEX_BYTES_CONFIG, "log.index.size.max.bytes"),
          same(TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, "log.flush.interval.messages"),
          Map.entry(
              TopicConfig.FLUSH_MS_CONFIG,
              List.of(
                  new NodeSynonym("log.flush.interval.ms", 1),
                  new NodeSynonym("log.flush.scheduler.interval.ms", 1))),
          same(TopicConfig.RETENTION_BYTES_CONFIG, "log.retention.bytes"),
          Map.entry(
              TopicConfig.RETENTION_MS_CONFIG,
              List.of(
                  new NodeSynonym("log.retention.ms", 1),
                  new NodeSynonym("log.retention.minutes", NodeSynonym.MS_PER_MINUTE),
                  new NodeSynonym("log.retention.hours", NodeSynonym.MS_PER_HOUR))),
          same(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, "message.max.bytes"),
          same(TopicConfig.MAX_DECOMPRESSED_MESSAGE_BYTES_CONFIG, "max.decompressed.message.bytes"),
          same(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "log.index.interval.bytes"),
          same(TopicConfig.DELETE_RETENTION_MS_CONFIG, "log.cleaner.delete.retention.ms"),
          same(TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, "log.cleaner.min.compaction.lag.ms"),
          same(TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG, "log.cleaner.max.compaction.lag.ms"),
          same(TopicConfig.FILE_DELETE_DELAY_MS_CONFIG, "log.segment.delete.delay.ms"),
          same(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "log.cleaner.min.cleanable.ratio"),
          same(TopicConfig.CLEANUP_POLICY_CONFIG, "log.cleanup.policy"),
          same(TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG, "unclean.leader.election.enable"),
          same(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "min.insync.replicas"),
          same(TopicConfig.COMPRESSION_TYPE_CONFIG, "compression.type"),
          same(TopicConfig.COMPRESSION_GZIP_LEVEL_CONFIG, "compression.gzip.level"),
          same(TopicConfig.COMPRESSION_LZ4_LEVEL_CONFIG, "compression.lz4.level"),
          same(TopicConfig.COMPRESSION_ZSTD_LEVEL_CONFIG, "compression.zstd.level"),
          same(TopicConfig.PREALLOCATE_CONFIG, "log.preallocate"),
          same(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "log.message.timestamp.type"),
          same(
              TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG,
              "log.message.timestamp.before.max.ms"),
          same(
              TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG,
              "log.message.timestamp.after.max.ms"),
          same(TopicConfig.LOCAL_LOG_RETENTION_MS_CONFIG, "log.local.retention.ms"),
          same(TopicConfig.LOCAL_LOG_RETENTION_BYTES_CONFIG, "log.local.retention.bytes"),
          same(TopicConfig.REMOTE_COPY_LAG_MS_CONFIG, "log.remote.copy.lag.ms"),
          same(TopicConfig.REMOTE_COPY_LAG_BYTES_CONFIG, "log.remote.copy.lag.bytes"),
          same(ConfigDefinitions.DURABILITY, ConfigDefinitions.LOG_DURABILITY));

  private TopicConfigDefinitions() {}

  /**
   * @param name node configuration
   * @param factor what one of its units is in the topic configuration's unit
   */
  record NodeSynonym(String name, long factor) {
    static final long MS_PER_MINUTE = 60_000;
    static final long MS_PER_HOUR = 3_600_000;

    /**
     * The node's value in the topic's unit; a negative one ("no limit") is -1 in every unit.
     *
     * @throws ArithmeticException if it does not fit a long
     */
    String convert(String value) {
      if (factor == 1) {
        return value;
      }
      long number = Long.parseLong(value.trim());
      return Long.toString(number < 0 ? -1 : Math.multiplyExact(number, factor));
    }
  }

  private static Map.Entry<String, List<NodeSynonym>> same(String topicConfig, String nodeConfig) {
    return Map.entry(topicConfig, List.of(new NodeSynonym(nodeConfig, 1)));
  }

  private static ConfigDef define() {
    return new Builder()
        .add(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            ConfigDef.Type.LIST,
            TopicConfig.CLEANUP_POLICY_DELETE,
            ValidList.in(TopicConfig.CLEANUP_POLICY_COMPACT, TopicConfig.CLEANUP_POLICY_DELETE),
            TopicConfig.CLEANUP_POLICY_DOC)
        .add(
            TopicConfig.COMPRESSION_TYPE_CONFIG,
            ConfigDef.Type.STRING,
            "producer",
            compressionTypes(),
            TopicConfig.COMPRESSION_TYPE_DOC)
        .add(
            TopicConfig.COMPRESSION_GZIP_LEVEL_CONFIG,
            ConfigDef.Type.INT,
            -1,
            gzipLevels(),
            TopicConfig.COMPRESSION_GZIP_LEVEL_DOC)
        .add(
            TopicConfig.COMPRESSION_LZ4_LEVEL_CONFIG,
            ConfigDef.Type.INT,
            9,
            between(1, 17),
            TopicConfig.COMPRESSION_LZ4_LEVEL_DOC)
        .add(
            TopicConfig.COMPRESSION_ZSTD_LEVEL_CONFIG,
            ConfigDef.Type.INT,
            3,
            between(-131072, 22),
            TopicConfig.COMPRESSION_ZSTD_LEVEL_DOC)
        .add(
            TopicConfig.DELETE_RETENTION_MS_CONFIG,
            ConfigDef.Type.LONG,
            86_400_000L,
            atLeast(0),
            TopicConfig.DELETE_RETENTION_MS_DOC)
        .add(
            TopicConfig.ERRORS_DEADLETTERQUEUE_GROUP_ENABLE_CONFIG,
            ConfigDef.Type.BOOLEAN,
            false,
            null,
            TopicConfig.ERRORS_DEADLETTERQUEUE_GROUP_ENABLE_DOC)
        .add(
            TopicConfig.FILE_DELETE_DELAY_MS_CONFIG,
            ConfigDef.Type.LONG,
            60_000L,
            atLeast(0),
            TopicConfig.FILE_DELETE_DELAY_MS_DOC)
        .add(
            TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG,
            ConfigDef.Type.LONG,
            Long.MAX_VALUE,
            atLeast(1),
            TopicConfig.FLUSH_MESSAGES_INTERVAL_DOC)
        .add(
            TopicConfig.FLUSH_MS_CONFIG,
            ConfigDef.Type.LONG,
            Long.MAX_VALUE,
            atLeast(0),
            TopicConfig.FLUSH_MS_DOC)
        .add(
            "follower.replication.throttled.replicas",
            ConfigDef.Type.LIST,
            "",
            new ThrottledReplicas(),
            "Replicas whose replication is throttled on the following side: a list of"
                + " partition:node pairs, or * for all.")
        .add(
            "leader.replication.throttled.replicas",
            ConfigDef.Type.LIST,
            "",
            new ThrottledReplicas(),
            "Replicas whose replication is throttled on the leading side: a list of"
                + " partition:node pairs, or * for all.")
        .add(
            TopicConfig.INDEX_INTERVAL_BYTES_CONFIG,
            ConfigDef.Type.INT,
            4096,
            atLeast(0),
            TopicConfig.INDEX_INTERVAL_BYTES_DOC)
        .add(
            TopicConfig.LOCAL_LOG_RETENTION_BYTES_CONFIG,
            ConfigDef.Type.LONG,
            -2L,
            atLeast(-2),
            TopicConfig.LOCAL_LOG_RETENTION_BYTES_DOC)
        .add(
            TopicConfig.LOCAL_LOG_RETENTION_MS_CONFIG,
            ConfigDef.Type.LONG,
            -2L,
            atLeast(-2),
            TopicConfig.LOCAL_LOG_RETENTION_MS_DOC)
        .add(
            TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG,
            ConfigDef.Type.LONG,
            Long.MAX_VALUE,
            atLeast(1),
            TopicConfig.MAX_COMPACTION_LAG_MS_DOC)
        .add(
            TopicConfig.MAX_DECOMPRESSED_MESSAGE_BYTES_CONFIG,
            ConfigDef.Type.INT,
            MAX_ARRAY_BYTES,
            between(1, MAX_ARRAY_BYTES),
            TopicConfig.MAX_DECOMPRESSED_MESSAGE_BYTES_DOC)
        .add(
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
            ConfigDef.Type.INT,
            1_048_588,
            atLeast(0),
            TopicConfig.MAX_MESSAGE_BYTES_DOC)
        .add(
            TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG,
            ConfigDef.Type.LONG,
            3_600_000L,
            atLeast(0),
            TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_DOC)
        .add(
            TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG,
            ConfigDef.Type.LONG,
            Long.MAX_VALUE,
            atLeast(0),
            TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_DOC)
        .add(
            TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
            ConfigDef.Type.STRING,
            "CreateTime",
            timestampTypes(),
            TopicConfig.MESSAGE_TIMESTAMP_TYPE_DOC)
        .add(
            TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG,
            ConfigDef.Type.DOUBLE,
            0.5,
            between(0, 1),
            TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_DOC)
        .add(
            TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG,
            ConfigDef.Type.LONG,
            0L,
            atLeast(0),
            TopicConfig.MIN_COMPACTION_LAG_MS_DOC)
        .add(
            TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
            ConfigDef.Type.INT,
            1,
            atLeast(1),
            TopicConfig.MIN_IN_SYNC_REPLICAS_DOC)
        .add(
            TopicConfig.PREALLOCATE_CONFIG,
            ConfigDef.Type.BOOLEAN,
            false,
            null,
            TopicConfig.PREALLOCATE_DOC)
        .add(
            TopicConfig.REMOTE_COPY_LAG_BYTES_CONFIG,
            ConfigDef.Type.LONG,
            -1L,
            atLeast(-1),
            TopicConfig.REMOTE_COPY_LAG_BYTES_DOC)
        .add(
            TopicConfig.REMOTE_COPY_LAG_MS_CONFIG,
            ConfigDef.Type.LONG,
            0L,
            atLeast(-1),
            TopicConfig.REMOTE_COPY_LAG_MS_DOC)
        .add(
            TopicConfig.REMOTE_LOG_COPY_DISABLE_CONFIG,
            ConfigDef.Type.BOOLEAN,
            false,
            null,
            TopicConfig.REMOTE_LOG_COPY_DISABLE_DOC)
        .add(
            TopicConfig.REMOTE_LOG_DELETE_ON_DISABLE_CONFIG,
            ConfigDef.Type.BOOLEAN,
            false,
            null,
            TopicConfig.REMOTE_LOG_DELETE_ON_DISABLE_DOC)
        .add(
            TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG,
            ConfigDef.Type.BOOLEAN,
            false,
            null,
            TopicConfig.REMOTE_LOG_STORAGE_ENABLE_DOC)
        .add(
            TopicConfig.RETENTION_BYTES_CONFIG,
            ConfigDef.Type.LONG,
            -1L,
            null,
            TopicConfig.RETENTION_BYTES_DOC)
        .add(
            TopicConfig.RETENTION_MS_CONFIG,
            ConfigDef.Type.LONG,
            604_800_000L,
            atLeast(-1),
            TopicConfig.RETENTION_MS_DOC)
        .add(
            TopicConfig.SEGMENT_BYTES_CONFIG,
            ConfigDef.Type.INT,
            1024 * 1024 * 1024,
            atLeast(MIN_SEGMENT_BYTES),
            TopicConfig.SEGMENT_BYTES_DOC)
        .add(
            TopicConfig.SEGMENT_INDEX_BYTES_CONFIG,
            ConfigDef.Type.INT,
            10 * 1024 * 1024,
            atLeast(4),
            TopicConfig.SEGMENT_INDEX_BYTES_DOC)
        .add(
            TopicConfig.SEGMENT_JITTER_MS_CONFIG,
            ConfigDef.Type.LONG,
            0L,
            atLeast(0),
            TopicConfig.SEGMENT_JITTER_MS_DOC)
        .add(
            TopicConfig.SEGMENT_MS_CONFIG,
            ConfigDef.Type.LONG,
            604_800_000L,
            atLeast(1),
            TopicConfig.SEGMENT_MS_DOC)
        .add(
            TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG,
            ConfigDef.Type.BOOLEAN,
            false,
            null,
            TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_DOC)
        .definitions;
  }

  static Validator compressionTypes() {
    return ValidString.in("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer");
  }

  static Validator timestampTypes() {
    return ValidString.in("CreateTime", "LogAppendTime");
  }

  /** 1 to 9, or -1 for zlib's own default. */
  static Validator gzipLevels() {
    return ConfigDef.LambdaValidator.with(
        (name, value) -> {
          if (!(value instanceof Integer level) || (level != -1 && (level < 1 || level > 9))) {
            throw new ConfigException(name, value, "Value must be -1 or from 1 to 9");
          }
        },
        () -> "[1,...,9] or -1");
  }

  /** {@code *}, or partition:node pairs. */
  private static final class ThrottledReplicas implements Validator {
    @Override
    public void ensureValid(String name, @Nullable Object value) {
      if (!(value instanceof List<?> replicas)) {
        throw new ConfigException(name, value, "Value must be a list");
      }
      if (replicas.equals(List.of("*"))) {
        return;
      }
      for (Object replica : replicas) {
        if (!replica.toString().trim().matches("\\d+:\\d+")) {
          throw new ConfigException(
              name, value, "Value must be * or a list of partition:node pairs, such as 0:1,1:2");
        }
      }
    }

    @Override
    public String toString() {
      return "* or [partition]:[node],[partition]:[node],...";
    }
  }

  private static final class Builder {
    private final ConfigDef definitions = new ConfigDef();

    Builder add(
        String name,
        ConfigDef.Type type,
        Object value,
        @Nullable Validator validator,
        String documentation) {
      definitions.define(name, type, value, validator, Importance.MEDIUM, documentation);
      return this;
    }
  }
}
