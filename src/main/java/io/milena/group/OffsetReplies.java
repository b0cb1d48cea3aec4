package io.milena.group;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Builds the answers about offsets. */
final class OffsetReplies {

  private static final long NO_OFFSET = -1;
  private static final int NO_EPOCH = -1;

  private OffsetReplies() {}

  /** The same error for every partition of a commit. */
  static OffsetCommitResponseData refuseCommit(OffsetCommitRequestData data, Errors error) {
    OffsetCommitResponseData response = new OffsetCommitResponseData();
    for (OffsetCommitRequestTopic topic : data.topics()) {
      OffsetCommitResponseTopic answer =
          new OffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
      for (OffsetCommitRequestPartition partition : topic.partitions()) {
        answer
            .partitions()
            .add(
                new OffsetCommitResponsePartition()
                    .setPartitionIndex(partition.partitionIndex())
                    .setErrorCode(error.code()));
      }
      response.topics().add(answer);
    }
    return response;
  }

  /** The offsets asked for, or all; a partition without one has offset -1. */
  static OffsetFetchResponseGroup fetched(OffsetFetchRequestGroup request, OffsetTable offsets) {
    OffsetFetchResponseGroup response =
        new OffsetFetchResponseGroup().setGroupId(request.groupId());
    if (request.topics() == null) {
      offsets
          .all()
          .forEach((topic, ofTopic) -> {
            List<OffsetFetchResponsePartitions> partitions = new ArrayList<>(ofTopic.size());
            for (Map.Entry<Integer, CommittedOffset> entry : ofTopic.entrySet()) {
              partitions.add(partition(entry.getKey(), entry.getValue()));
            }
            response
                .topics()
                .add(new OffsetFetchResponseTopics().setName(topic).setPartitions(partitions));
          });
      return response;
    }
    for (OffsetFetchRequestTopics topic : request.topics()) {
      List<OffsetFetchResponsePartitions> partitions = new ArrayList<>();
      for (int partition : topic.partitionIndexes()) {
        partitions.add(partition(partition, offsets.find(topic.name(), partition)));
      }
      response
          .topics()
          .add(
              new OffsetFetchResponseTopics()
                  .setName(topic.name())
                  .setTopicId(topic.topicId())
                  .setPartitions(partitions));
    }
    return response;
  }

  private static OffsetFetchResponsePartitions partition(
      int partition, @Nullable CommittedOffset committed) {
    OffsetFetchResponsePartitions answer =
        new OffsetFetchResponsePartitions().setPartitionIndex(partition);
    return committed == null
        ? answer.setCommittedOffset(NO_OFFSET).setCommittedLeaderEpoch(NO_EPOCH).setMetadata("")
        : answer
            .setCommittedOffset(committed.offset())
            .setCommittedLeaderEpoch(committed.leaderEpoch())
            .setMetadata(committed.metadata());
  }
}
