package io.milena.metadata;

import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;
import static org.apache.kafka.common.config.ConfigDef.Range.between;

import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.ValidList;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigDef.Validator;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * The node (Kafka: broker) configurations of Apache Kafka 4.4 that mean something in Milena, with
 * Kafka's names and defaults, and Milena's own {@code log.durability}. Which of them may change
 * while the node runs is stated beside each.
 */
final class NodeConfigDefinitions {

  /** More threads than any machine has use for; a slip of the finger is refused. */
  private static final int THREADS_MAX = 1_000;

  private static final Set<String> DYNAMIC = new TreeSet<>();
  private static final ConfigDef DEF = new ConfigDef();

  static final ConfigDef DEFINITIONS;

  static {
    identity();
    connections();
    topics();
    logDefaults();
    logMaintenance();
    replication();
    groups();
    transactions();
    DEFINITIONS = DEF;
  }

  private NodeConfigDefinitions() {}

  /** Whether AlterConfigs may change it; the others come from the configuration file only. */
  static boolean isDynamic(String name) {
    return DYNAMIC.contains(name);
  }

  private static void identity() {
    fixed(
        "node.id",
        ConfigDef.Type.INT,
        0,
        atLeast(0),
        "Identifies the node; kept in its data directory.");
    fixed("broker.id", ConfigDef.Type.INT, null, null, "Older name of node.id.");
    fixed(
        "process.roles",
        ConfigDef.Type.LIST,
        "broker,controller",
        null,
        "Every node has both roles.");
    fixed(
        "broker.rack",
        ConfigDef.Type.STRING,
        null,
        null,
        "Where the node stands: replicas are spread.");
    fixed(
        "log.dir",
        ConfigDef.Type.STRING,
        "data",
        null,
        "Where the log lies, unless log.dirs says.");
    fixed("log.dirs", ConfigDef.Type.STRING, null, null, "Comma-separated directories of the log.");
    fixed("listeners", ConfigDef.Type.LIST, "PLAINTEXT://:9092", null, "Where the node listens.");
    fixed(
        "advertised.listeners",
        ConfigDef.Type.LIST,
        null,
        null,
        "Where clients are told to connect.");
    fixed(
        "listener.security.protocol.map",
        ConfigDef.Type.STRING,
        "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        null,
        "Security protocol of each listener name.");
    fixed(
        "inter.broker.listener.name",
        ConfigDef.Type.STRING,
        null,
        null,
        "Listener used between nodes.");
  }

  private static void connections() {
    fixed(
        "num.network.threads",
        ConfigDef.Type.INT,
        null,
        null,
        "Event loops that serve connections.");
    fixed(
        "connections.max.idle.ms",
        ConfigDef.Type.LONG,
        600_000L,
        null,
        "Idle connections are closed.");
    // With 0, as Kafka allows, nobody could connect to undo it.
    dynamic(
        "max.connections",
        ConfigDef.Type.INT,
        Integer.MAX_VALUE,
        atLeast(1),
        "Connections in all.");
    dynamic(
        "max.connections.per.ip",
        ConfigDef.Type.INT,
        Integer.MAX_VALUE,
        atLeast(0),
        "Connections of a peer.");
    dynamic(
        "max.connections.per.ip.overrides",
        ConfigDef.Type.STRING,
        "",
        ConfigDef.LambdaValidator.with(
            NodeConfigDefinitions::checkOverridesPerIp, () -> "HOST:COUNT[,HOST:COUNT...]"),
        "host:count, ...");
    dynamic(
        "max.connection.creation.rate",
        ConfigDef.Type.INT,
        Integer.MAX_VALUE,
        atLeast(1),
        "New connections a second.");
    fixed(
        "socket.request.max.bytes",
        ConfigDef.Type.INT,
        104_857_600,
        atLeast(1),
        "Largest request.");
    fixed(
        "socket.send.buffer.bytes",
        ConfigDef.Type.INT,
        102_400,
        null,
        "SO_SNDBUF; -1: the system's.");
    fixed(
        "socket.receive.buffer.bytes",
        ConfigDef.Type.INT,
        102_400,
        null,
        "SO_RCVBUF; -1: the system's.");
    fixed("socket.listen.backlog.size", ConfigDef.Type.INT, 50, atLeast(1), "Pending connections.");
    fixed(
        "queued.max.request.bytes",
        ConfigDef.Type.LONG,
        -1L,
        null,
        "Request bytes held; -1: unlimited.");
    fixed(
        "fetch.max.bytes",
        ConfigDef.Type.INT,
        57_671_680,
        atLeast(1024),
        "Most bytes of a Fetch answer.");
    fixed(
        "max.incremental.fetch.session.cache.slots",
        ConfigDef.Type.INT,
        1000,
        atLeast(0),
        "Incremental fetch sessions kept.");
    fixed(
        "max.request.partition.size.limit",
        ConfigDef.Type.INT,
        2000,
        atLeast(1),
        "Most partitions in one answer of DescribeTopicPartitions.");
  }

  private static void topics() {
    fixed(
        "auto.create.topics.enable",
        ConfigDef.Type.BOOLEAN,
        true,
        null,
        "Creates topics when asked for.");
    fixed(
        "delete.topic.enable",
        ConfigDef.Type.BOOLEAN,
        true,
        null,
        "Whether topics can be deleted.");
    fixed(
        "num.partitions",
        ConfigDef.Type.INT,
        1,
        atLeast(1),
        "Partitions of a topic that does not say.");
    fixed(
        "default.replication.factor",
        ConfigDef.Type.INT,
        1,
        atLeast(1),
        "Replication factor of a topic that does not say.");
  }

  private static void logDefaults() {
    dynamic(
        ConfigDefinitions.LOG_DURABILITY,
        ConfigDef.Type.STRING,
        ConfigDefinitions.DURABILITY_REPLICATED,
        ValidString.in(ConfigDefinitions.DURABILITY_REPLICATED, ConfigDefinitions.DURABILITY_FSYNC),
        "Durability of topics that do not say: replicated or fsync.");
    dynamic(
        "log.cleanup.policy",
        ConfigDef.Type.LIST,
        "delete",
        ValidList.in("compact", "delete"),
        "Default of cleanup.policy.");
    dynamic(
        "compression.type",
        ConfigDef.Type.STRING,
        "producer",
        TopicConfigDefinitions.compressionTypes(),
        "Default of compression.type.");
    dynamic(
        "compression.gzip.level",
        ConfigDef.Type.INT,
        -1,
        TopicConfigDefinitions.gzipLevels(),
        "Level of gzip.");
    dynamic("compression.lz4.level", ConfigDef.Type.INT, 9, between(1, 17), "Level of lz4.");
    dynamic(
        "compression.zstd.level", ConfigDef.Type.INT, 3, between(-131072, 22), "Level of zstd.");
    dynamic(
        "message.max.bytes", ConfigDef.Type.INT, 1_048_588, atLeast(0), "Largest record batch.");
    dynamic(
        "max.decompressed.message.bytes",
        ConfigDef.Type.INT,
        Integer.MAX_VALUE - 8,
        between(1, Integer.MAX_VALUE - 8),
        "Largest record batch once decompressed.");
    dynamic(
        "log.message.timestamp.type",
        ConfigDef.Type.STRING,
        "CreateTime",
        TopicConfigDefinitions.timestampTypes(),
        "Default of message.timestamp.type.");
    dynamic(
        "log.message.timestamp.before.max.ms",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        atLeast(0),
        "How far a timestamp may lie in the past.");
    dynamic(
        "log.message.timestamp.after.max.ms",
        ConfigDef.Type.LONG,
        3_600_000L,
        atLeast(0),
        "How far a timestamp may lie in the future.");
    dynamic(
        "log.segment.bytes",
        ConfigDef.Type.INT,
        1 << 30,
        atLeast(1 << 20),
        "Size at which to roll.");
    dynamic(
        "log.roll.ms",
        ConfigDef.Type.LONG,
        null,
        null,
        "Age at which to roll; before log.roll.hours.");
    fixed("log.roll.hours", ConfigDef.Type.INT, 168, atLeast(1), "Age at which to roll.");
    dynamic("log.roll.jitter.ms", ConfigDef.Type.LONG, null, null, "Before log.roll.jitter.hours.");
    fixed(
        "log.roll.jitter.hours",
        ConfigDef.Type.INT,
        0,
        atLeast(0),
        "Spreads the rolls of segments.");
    dynamic(
        "log.index.size.max.bytes",
        ConfigDef.Type.INT,
        10 << 20,
        atLeast(4),
        "Largest offset index.");
    dynamic(
        "log.index.interval.bytes", ConfigDef.Type.INT, 4096, atLeast(0), "Bytes an index entry.");
    dynamic(
        "log.retention.bytes", ConfigDef.Type.LONG, -1L, null, "Bytes kept a partition; -1: all.");
    dynamic(
        "log.retention.ms",
        ConfigDef.Type.LONG,
        null,
        null,
        "Time kept; before log.retention.minutes.");
    fixed(
        "log.retention.minutes",
        ConfigDef.Type.INT,
        null,
        null,
        "Time kept; before log.retention.hours.");
    fixed("log.retention.hours", ConfigDef.Type.INT, 168, null, "Time kept; -1: for ever.");
    dynamic(
        "log.local.retention.ms", ConfigDef.Type.LONG, -2L, atLeast(-2), "No tiered storage here.");
    dynamic(
        "log.local.retention.bytes",
        ConfigDef.Type.LONG,
        -2L,
        atLeast(-2),
        "No tiered storage here.");
    dynamic(
        "log.remote.copy.lag.ms", ConfigDef.Type.LONG, 0L, atLeast(-1), "No tiered storage here.");
    dynamic(
        "log.remote.copy.lag.bytes",
        ConfigDef.Type.LONG,
        -1L,
        atLeast(-1),
        "No tiered storage here.");
    dynamic(
        "log.flush.interval.messages",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        atLeast(1),
        "Records after which a partition is forced to disk.");
    dynamic(
        "log.flush.interval.ms",
        ConfigDef.Type.LONG,
        null,
        null,
        "Age at which records are forced.");
    fixed(
        "log.flush.scheduler.interval.ms",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        null,
        "How often log.flush.interval.ms is looked at.");
    dynamic(
        "log.preallocate", ConfigDef.Type.BOOLEAN, false, null, "Allocates segments in advance.");
    dynamic(
        "log.segment.delete.delay.ms",
        ConfigDef.Type.LONG,
        60_000L,
        atLeast(0),
        "Time from a segment's removal to that of its file.");
    dynamic(
        "log.cleaner.delete.retention.ms",
        ConfigDef.Type.LONG,
        86_400_000L,
        atLeast(0),
        "How long compaction keeps tombstones.");
    dynamic(
        "log.cleaner.min.compaction.lag.ms",
        ConfigDef.Type.LONG,
        0L,
        atLeast(0),
        "Age before compaction.");
    dynamic(
        "log.cleaner.max.compaction.lag.ms",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        atLeast(1),
        "Age by which records are compacted.");
    dynamic(
        "log.cleaner.min.cleanable.ratio",
        ConfigDef.Type.DOUBLE,
        0.5,
        between(0, 1),
        "Share of not yet compacted bytes at which compaction starts.");
  }

  private static void logMaintenance() {
    fixed(
        "log.retention.check.interval.ms",
        ConfigDef.Type.LONG,
        300_000L,
        atLeast(1),
        "How often retention is looked at.");
    fixed(
        "log.flush.offset.checkpoint.interval.ms",
        ConfigDef.Type.INT,
        60_000,
        atLeast(1),
        "How often recovery points are written.");
    fixed("log.cleaner.enable", ConfigDef.Type.BOOLEAN, true, null, "Whether compaction runs.");
    dynamic(
        "log.cleaner.threads",
        ConfigDef.Type.INT,
        1,
        between(1, THREADS_MAX),
        "Logs compacted at a time.");
    dynamic(
        "log.cleaner.backoff.ms",
        ConfigDef.Type.LONG,
        15_000L,
        atLeast(0),
        "Pause with nothing to do.");
    dynamic(
        "log.cleaner.dedupe.buffer.size",
        ConfigDef.Type.LONG,
        16_777_216L,
        atLeast(1 << 20),
        "Most memory for keys of all compactions together; Kafka's default is eight times as"
            + " much.");
    dynamic("log.cleaner.io.buffer.size", ConfigDef.Type.INT, 524_288, atLeast(0), "Copy buffer.");
    dynamic(
        "log.cleaner.io.max.bytes.per.second",
        ConfigDef.Type.DOUBLE,
        Double.MAX_VALUE,
        atLeast(1),
        "Compaction reads and writes no faster.");
    dynamic(
        "replica.alter.log.dirs.io.max.bytes.per.second",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        atLeast(1),
        "Moving logs between log directories copies no faster.");
    dynamic(
        "num.recovery.threads.per.data.dir",
        ConfigDef.Type.INT,
        2,
        between(1, THREADS_MAX),
        "Threads of log recovery.");
    fixed(
        "metadata.log.max.record.bytes.between.snapshots",
        ConfigDef.Type.LONG,
        20_971_520L,
        atLeast(1),
        "Bytes of metadata records after which a snapshot is taken.");
  }

  private static void replication() {
    dynamic(
        "min.insync.replicas",
        ConfigDef.Type.INT,
        1,
        atLeast(1),
        "In-sync replicas that acks=all needs, for topics that do not say.");
    dynamic(
        "unclean.leader.election.enable",
        ConfigDef.Type.BOOLEAN,
        false,
        null,
        "Whether a replica out of sync may lead, losing records, for topics that do not say.");
    fixed(
        "replica.high.watermark.checkpoint.interval.ms",
        ConfigDef.Type.LONG,
        5_000L,
        atLeast(1),
        "How often high watermarks are written.");
    fixed(
        "replica.lag.time.max.ms",
        ConfigDef.Type.LONG,
        30_000L,
        null,
        "Lag that ends being in sync.");
    fixed(
        "replica.fetch.max.bytes", ConfigDef.Type.INT, 1_048_576, atLeast(0), "Bytes a partition.");
    fixed(
        "replica.fetch.wait.max.ms",
        ConfigDef.Type.INT,
        500,
        null,
        "Longest wait of a follower's fetch.");
    fixed(
        "replica.fetch.response.max.bytes",
        ConfigDef.Type.INT,
        10 * 1024 * 1024,
        atLeast(0),
        "Bytes an answer to a follower's fetch.");
    fixed(
        "replica.fetch.backoff.ms",
        ConfigDef.Type.INT,
        1_000,
        atLeast(0),
        "Pause of a follower's partition whose answer could not be taken.");
    fixed(
        "replica.selector.class",
        ConfigDef.Type.STRING,
        null,
        ValidString.in(
            null,
            "org.apache.kafka.common.replica.LeaderSelector",
            "org.apache.kafka.common.replica.RackAwareReplicaSelector"),
        "Which replica consumers fetch from: the leader, or one in their rack (KIP-392).");
    dynamic(
        "leader.replication.throttled.rate",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        atLeast(0),
        "Bytes/s.");
    dynamic(
        "follower.replication.throttled.rate",
        ConfigDef.Type.LONG,
        Long.MAX_VALUE,
        atLeast(0),
        "Bytes/s.");
    fixed(
        "broker.heartbeat.interval.ms",
        ConfigDef.Type.INT,
        2000,
        null,
        "Time between liveness reports.");
    fixed(
        "broker.session.timeout.ms",
        ConfigDef.Type.INT,
        9000,
        null,
        "Silence after which it is fenced.");
    fixed(
        "controlled.shutdown.enable",
        ConfigDef.Type.BOOLEAN,
        true,
        null,
        "Hands leaders over first.");
    fixed(
        "auto.leader.rebalance.enable",
        ConfigDef.Type.BOOLEAN,
        true,
        null,
        "Returns to preferred leaders.");
    fixed(
        "leader.imbalance.check.interval.seconds",
        ConfigDef.Type.LONG,
        0L,
        atLeast(0),
        "How long a leader stays that is not the preferred one; 0 for not at all.");
    fixed(
        "leader.imbalance.per.broker.percentage",
        ConfigDef.Type.INT,
        0,
        atLeast(0),
        "Of the partitions that prefer a node, how many may be led elsewhere.");
  }

  private static void groups() {
    fixed("group.min.session.timeout.ms", ConfigDef.Type.INT, 6000, null, "Classic groups.");
    fixed("group.max.session.timeout.ms", ConfigDef.Type.INT, 1_800_000, null, "Classic groups.");
    fixed("group.initial.rebalance.delay.ms", ConfigDef.Type.INT, 3000, null, "Classic groups.");
    fixed(
        "group.max.size",
        ConfigDef.Type.INT,
        Integer.MAX_VALUE,
        atLeast(1),
        "Members of a classic group.");
    fixed(
        "group.consumer.assignors",
        ConfigDef.Type.LIST,
        "uniform,range",
        null,
        "Assignors, best first.");
    fixed(
        "group.consumer.max.size",
        ConfigDef.Type.INT,
        Integer.MAX_VALUE,
        atLeast(1),
        "Members of a group.");
    fixed("group.consumer.session.timeout.ms", ConfigDef.Type.INT, 45_000, atLeast(1), "Default.");
    fixed(
        "group.consumer.min.session.timeout.ms",
        ConfigDef.Type.INT,
        45_000,
        atLeast(1),
        "Least allowed.");
    fixed(
        "group.consumer.max.session.timeout.ms",
        ConfigDef.Type.INT,
        60_000,
        atLeast(1),
        "Most allowed.");
    fixed("group.consumer.heartbeat.interval.ms", ConfigDef.Type.INT, 5000, atLeast(1), "Default.");
    fixed(
        "group.consumer.min.heartbeat.interval.ms",
        ConfigDef.Type.INT,
        5000,
        atLeast(1),
        "Least allowed.");
    fixed(
        "group.consumer.max.heartbeat.interval.ms",
        ConfigDef.Type.INT,
        15_000,
        atLeast(1),
        "Most allowed.");
    dynamic(
        "group.consumer.assignment.interval.ms", ConfigDef.Type.INT, 1000, atLeast(0), "Default.");
    fixed(
        "group.consumer.min.assignment.interval.ms",
        ConfigDef.Type.INT,
        0,
        atLeast(0),
        "Least allowed.");
    fixed(
        "group.consumer.max.assignment.interval.ms",
        ConfigDef.Type.INT,
        15_000,
        atLeast(0),
        "Most allowed.");
    fixed(
        "offsets.topic.num.partitions",
        ConfigDef.Type.INT,
        50,
        atLeast(1),
        "Of __consumer_offsets.");
    fixed(
        "offsets.topic.replication.factor",
        ConfigDef.Type.SHORT,
        (short) 3,
        atLeast(1),
        "Of __consumer_offsets; fewer replicas where there are fewer nodes.");
    fixed(
        "offsets.topic.segment.bytes",
        ConfigDef.Type.INT,
        104_857_600,
        atLeast(1),
        "Of its segments.");
    fixed(
        "offsets.retention.minutes",
        ConfigDef.Type.INT,
        10_080,
        atLeast(1),
        "Offsets of empty groups.");
    fixed(
        "offsets.retention.check.interval.ms",
        ConfigDef.Type.LONG,
        600_000L,
        atLeast(1),
        "How often offset retention is looked at.");
    fixed(
        "offset.metadata.max.bytes",
        ConfigDef.Type.INT,
        4096,
        null,
        "Metadata of a committed offset.");
    fixed(
        "offsets.commit.timeout.ms", ConfigDef.Type.INT, 5000, atLeast(1), "Wait for the commit.");
  }

  private static void transactions() {
    fixed(
        "transaction.max.timeout.ms",
        ConfigDef.Type.INT,
        900_000,
        atLeast(1),
        "Longest transaction.");
    fixed(
        "transaction.state.log.num.partitions",
        ConfigDef.Type.INT,
        50,
        atLeast(1),
        "Of the state topic.");
    fixed(
        "transaction.state.log.replication.factor",
        ConfigDef.Type.SHORT,
        (short) 3,
        atLeast(1),
        "Of __transaction_state; fewer replicas where there are fewer nodes.");
    fixed(
        "transaction.state.log.min.isr",
        ConfigDef.Type.INT,
        2,
        atLeast(1),
        "Of __transaction_state.");
    fixed(
        "transaction.state.log.segment.bytes",
        ConfigDef.Type.INT,
        104_857_600,
        atLeast(1),
        "Segments.");
    fixed(
        "transactional.id.expiration.ms",
        ConfigDef.Type.INT,
        604_800_000,
        atLeast(1),
        "Of unused ids.");
    dynamic(
        "producer.id.expiration.ms",
        ConfigDef.Type.INT,
        86_400_000,
        atLeast(1),
        "Of unused producers.");
  }

  private static void checkOverridesPerIp(String name, @Nullable Object value) {
    for (String entry : String.valueOf(value).split(",", -1)) {
      if (!entry.isBlank() && !entry.strip().matches(".+:\\d{1,9}")) {
        throw new ConfigException(name, value, "write it as HOST:COUNT[,HOST:COUNT...]");
      }
    }
  }

  /** A configuration that stays as the node was started with it. */
  private static void fixed(
      String name,
      ConfigDef.Type type,
      @Nullable Object value,
      @Nullable Validator validator,
      String documentation) {
    DEF.define(name, type, value, validator, Importance.MEDIUM, documentation);
  }

  /** A configuration that AlterConfigs may change, for one node or as the default of all. */
  private static void dynamic(
      String name,
      ConfigDef.Type type,
      @Nullable Object value,
      @Nullable Validator validator,
      String documentation) {
    fixed(name, type, value, validator, documentation);
    DYNAMIC.add(name);
  }
}
