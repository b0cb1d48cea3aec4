package io.milena.node;

import io.milena.group.GroupConfig;
import java.util.Map;

/** The settings of the group coordinator, from the node's effective configuration. */
final class GroupSettings {

  private GroupSettings() {}

  static GroupConfig of(Map<String, String> values) {
    GroupConfig otherwise = GroupConfig.DEFAULT;
    return new GroupConfig(
        whole(values, "group.initial.rebalance.delay.ms", otherwise.initialRebalanceDelayMs()),
        whole(values, "group.min.session.timeout.ms", otherwise.minSessionTimeoutMs()),
        whole(values, "group.max.session.timeout.ms", otherwise.maxSessionTimeoutMs()),
        whole(values, "group.max.size", otherwise.maxSize()),
        otherwise.newMemberJoinTimeoutMs(),
        whole(values, "offset.metadata.max.bytes", otherwise.offsetMetadataMaxBytes()),
        60_000L
            * whole(
                values,
                "offsets.retention.minutes",
                (int) (otherwise.offsetsRetentionMs() / 60_000)),
        whole(
            values,
            "offsets.retention.check.interval.ms",
            (int) otherwise.offsetsRetentionCheckIntervalMs()),
        whole(values, "offsets.commit.timeout.ms", otherwise.offsetsCommitTimeoutMs()),
        whole(values, "offsets.topic.num.partitions", otherwise.offsetsTopicPartitions()),
        whole(
            values, "offsets.topic.replication.factor", otherwise.offsetsTopicReplicationFactor()),
        whole(values, "offsets.topic.segment.bytes", otherwise.offsetsTopicSegmentBytes()));
  }

  private static int whole(Map<String, String> values, String name, int otherwise) {
    String value = values.get(name);
    if (value == null) {
      return otherwise;
    }
    try {
      return Integer.parseInt(value.trim());
    } catch (NumberFormatException notANumber) {
      throw StartupException.wrongConfiguration(
          name + " is '" + value + "': it must be a whole number", notANumber);
    }
  }
}
