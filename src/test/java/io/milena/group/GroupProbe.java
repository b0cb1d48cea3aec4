package io.milena.group;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;

/** Looks into a group the way a client would. */
final class GroupProbe {

  private GroupProbe() {}

  static long committed(ClassicGroup group, TopicPartition partition, Moment now) {
    OffsetFetchRequestGroup request =
        new OffsetFetchRequestGroup()
            .setGroupId(group.groupId())
            .setTopics(
                List.of(
                    new OffsetFetchRequestTopics()
                        .setName(partition.topic())
                        .setPartitionIndexes(List.of(partition.partition()))));
    Effects effects = group.handle(0, new GroupRequest.FetchOffsets(request, false), now);
    OffsetFetchResponseGroup response =
        (OffsetFetchResponseGroup) effects.replies().getFirst().response();
    return response.topics().getFirst().partitions().getFirst().committedOffset();
  }
}
