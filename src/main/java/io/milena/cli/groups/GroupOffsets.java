package io.milena.cli.groups;

import io.milena.cli.Failures;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** What the commands about groups ask the cluster about offsets. */
final class GroupOffsets {

  private GroupOffsets() {}

  /** What the group has committed; partitions without a commit are left out. */
  static Map<TopicPartition, OffsetAndMetadata> committed(Admin admin, String group) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        new HashMap<>(
            Failures.await(
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(),
                "read the offsets of group '" + group + "'"));
    committed.values().removeIf(offset -> offset == null);
    return committed;
  }

  /** The offset of {@code spec} in each partition; -1 where there is none. */
  static Map<TopicPartition, Long> offsets(
      Admin admin, Collection<TopicPartition> partitions, OffsetSpec spec) {
    Map<TopicPartition, OffsetSpec> question = HashMap.newHashMap(partitions.size());
    partitions.forEach(partition -> question.put(partition, spec));
    Map<TopicPartition, Long> offsets = HashMap.newHashMap(partitions.size());
    Failures.await(admin.listOffsets(question).all(), "read the partitions' offsets")
        .forEach((partition, info) -> offsets.put(partition, info.offset()));
    return offsets;
  }
}
