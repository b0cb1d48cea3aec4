package io.milena.group;

/**
 * What an operator may set of the group coordinator, under Kafka's names.
 *
 * @param initialRebalanceDelayMs {@code group.initial.rebalance.delay.ms}: how long an empty group
 *     waits for more members before its first generation
 * @param minSessionTimeoutMs {@code group.min.session.timeout.ms}, inclusive
 * @param maxSessionTimeoutMs {@code group.max.session.timeout.ms}, inclusive
 * @param maxSize {@code group.max.size}: most members of one group
 * @param newMemberJoinTimeoutMs how long a member without a member id of its own may wait in a
 *     JoinGroup before it is taken for gone
 * @param offsetMetadataMaxBytes {@code offset.metadata.max.bytes}: longest text kept with an offset
 * @param offsetsRetentionMs {@code offsets.retention.minutes}, in milliseconds
 * @param offsetsRetentionCheckIntervalMs {@code offsets.retention.check.interval.ms}
 * @param offsetsCommitTimeoutMs {@code offsets.commit.timeout.ms}: how long a write may wait for
 *     the in-sync replicas
 * @param offsetsTopicPartitions {@code offsets.topic.num.partitions}
 * @param offsetsTopicReplicationFactor {@code offsets.topic.replication.factor}, lowered to the
 *     number of nodes there are
 * @param offsetsTopicSegmentBytes {@code offsets.topic.segment.bytes}
 */
public record GroupConfig(
    int initialRebalanceDelayMs,
    int minSessionTimeoutMs,
    int maxSessionTimeoutMs,
    int maxSize,
    int newMemberJoinTimeoutMs,
    int offsetMetadataMaxBytes,
    long offsetsRetentionMs,
    long offsetsRetentionCheckIntervalMs,
    int offsetsCommitTimeoutMs,
    int offsetsTopicPartitions,
    int offsetsTopicReplicationFactor,
    int offsetsTopicSegmentBytes) {

  /** Kafka's defaults. */
  public static final GroupConfig DEFAULT =
      new GroupConfig(
          3_000,
          6_000,
          1_800_000,
          Integer.MAX_VALUE,
          300_000,
          4_096,
          7L * 24 * 3_600_000,
          600_000,
          5_000,
          50,
          3,
          104_857_600);
}
