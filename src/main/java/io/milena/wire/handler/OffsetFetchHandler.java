package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartition;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopic;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * OffsetFetch: one group, from version 8 several; topics by name, from version 10 by id (KIP-709,
 * KIP-848).
 */
public final class OffsetFetchHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_GROUP_ERROR = 2;
  private static final short FIRST_VERSION_WITH_GROUPS = 8;
  private static final short FIRST_VERSION_WITH_TOPIC_IDS = 10;
  private static final long NO_OFFSET = -1;

  private final GroupCoordinator coordinator;
  private final MetadataService metadata;

  public OffsetFetchHandler(GroupCoordinator coordinator, MetadataService metadata) {
    this.coordinator = coordinator;
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.OFFSET_FETCH;
  }

  @Override
  public short minVersion() {
    return 1;
  }

  @Override
  public short maxVersion() {
    return 10;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    OffsetFetchRequestData data = (OffsetFetchRequestData) message;
    short version = context.apiVersion();
    if (version < FIRST_VERSION_WITH_GROUPS) {
      return coordinator
          .ask(new GroupRequest.FetchOffsets(singleGroup(data, version), data.requireStable()))
          .thenApply(group -> ofSingleGroup(data, group, version));
    }
    boolean byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
    List<CompletableFuture<OffsetFetchResponseGroup>> answers = new ArrayList<>();
    for (OffsetFetchRequestGroup group : data.groups()) {
      answers.add(
          (byId
                  ? fetchById(group, data.requireStable())
                  : coordinator.ask(new GroupRequest.FetchOffsets(group, data.requireStable())))
              .toCompletableFuture());
    }
    return Stages.all(answers).thenApply(groups -> new OffsetFetchResponseData().setGroups(groups));
  }

  private CompletionStage<OffsetFetchResponseGroup> fetchById(
      OffsetFetchRequestGroup group, boolean requireStable) {
    MetadataImage image = metadata.image();
    List<OffsetFetchResponseTopics> unknown = new ArrayList<>();
    if (group.topics() != null) {
      List<OffsetFetchRequestTopics> known = new ArrayList<>();
      for (OffsetFetchRequestTopics topic : group.topics()) {
        TopicImage found = image.topic(topic.topicId());
        if (found == null) {
          unknown.add(refuse(topic));
        } else {
          known.add(topic.setName(found.name()));
        }
      }
      group.setTopics(known);
    }
    return coordinator
        .ask(new GroupRequest.FetchOffsets(group, requireStable))
        .thenApply(response -> {
          if (response.errorCode() != Errors.NONE.code()) {
            return response;
          }
          List<OffsetFetchResponseTopics> identified = new ArrayList<>();
          for (OffsetFetchResponseTopics topic : response.topics()) {
            TopicImage found = image.topic(topic.name());
            if (found != null) {
              identified.add(topic.setTopicId(found.id()));
            } else if (!topic.topicId().equals(Uuid.ZERO_UUID)) {
              identified.add(topic);
            } // Offsets of a topic that is gone cannot be told by id.
          }
          identified.addAll(unknown);
          return response.setTopics(identified);
        });
  }

  private static OffsetFetchResponseTopics refuse(OffsetFetchRequestTopics topic) {
    OffsetFetchResponseTopics answer =
        new OffsetFetchResponseTopics().setName(topic.name()).setTopicId(topic.topicId());
    for (int partition : topic.partitionIndexes()) {
      answer
          .partitions()
          .add(
              new OffsetFetchResponsePartitions()
                  .setPartitionIndex(partition)
                  .setCommittedOffset(NO_OFFSET)
                  .setMetadata("")
                  .setErrorCode(Errors.UNKNOWN_TOPIC_ID.code()));
    }
    return answer;
  }

  /** Null topics ask for all; before version 2 that could not be asked, and empty was empty. */
  private static OffsetFetchRequestGroup singleGroup(OffsetFetchRequestData data, short version) {
    OffsetFetchRequestGroup group = new OffsetFetchRequestGroup().setGroupId(data.groupId());
    if (data.topics() == null && version >= FIRST_VERSION_WITH_GROUP_ERROR) {
      return group.setTopics(null);
    }
    List<OffsetFetchRequestTopics> topics = new ArrayList<>();
    if (data.topics() != null) {
      data.topics()
          .forEach(topic ->
              topics.add(
                  new OffsetFetchRequestTopics()
                      .setName(topic.name())
                      .setPartitionIndexes(topic.partitionIndexes())));
    }
    return group.setTopics(topics);
  }

  /** Version 1 has no error of the group: each partition that was asked for carries it. */
  private static OffsetFetchResponseData ofSingleGroup(
      OffsetFetchRequestData request, OffsetFetchResponseGroup group, short version) {
    OffsetFetchResponseData response = new OffsetFetchResponseData();
    if (group.errorCode() != Errors.NONE.code()) {
      if (version >= FIRST_VERSION_WITH_GROUP_ERROR) {
        return response.setErrorCode(group.errorCode());
      }
      request
          .topics()
          .forEach(topic -> {
            OffsetFetchResponseTopic answer = new OffsetFetchResponseTopic().setName(topic.name());
            for (int partition : topic.partitionIndexes()) {
              answer
                  .partitions()
                  .add(
                      new OffsetFetchResponsePartition()
                          .setPartitionIndex(partition)
                          .setCommittedOffset(NO_OFFSET)
                          .setMetadata("")
                          .setErrorCode(group.errorCode()));
            }
            response.topics().add(answer);
          });
      return response;
    }
    for (OffsetFetchResponseTopics topic : group.topics()) {
      OffsetFetchResponseTopic answer = new OffsetFetchResponseTopic().setName(topic.name());
      for (OffsetFetchResponsePartitions partition : topic.partitions()) {
        answer
            .partitions()
            .add(
                new OffsetFetchResponsePartition()
                    .setPartitionIndex(partition.partitionIndex())
                    .setCommittedOffset(partition.committedOffset())
                    .setCommittedLeaderEpoch(partition.committedLeaderEpoch())
                    .setMetadata(partition.metadata())
                    .setErrorCode(partition.errorCode()));
      }
      response.topics().add(answer);
    }
    return response;
  }
}
