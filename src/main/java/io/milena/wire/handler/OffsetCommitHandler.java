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
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** OffsetCommit: topics by name, from version 10 by id (KIP-848). */
public final class OffsetCommitHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_TOPIC_IDS = 10;

  private final GroupCoordinator coordinator;
  private final MetadataService metadata;

  public OffsetCommitHandler(GroupCoordinator coordinator, MetadataService metadata) {
    this.coordinator = coordinator;
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.OFFSET_COMMIT;
  }

  @Override
  public short minVersion() {
    return 2;
  }

  @Override
  public short maxVersion() {
    return 10;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    OffsetCommitRequestData data = (OffsetCommitRequestData) message;
    boolean byId = context.apiVersion() >= FIRST_VERSION_WITH_TOPIC_IDS;
    MetadataImage image = metadata.image();
    List<OffsetCommitRequestTopic> known = new ArrayList<>(data.topics().size());
    List<OffsetCommitResponseTopic> refused = new ArrayList<>();
    for (OffsetCommitRequestTopic topic : data.topics()) {
      TopicImage found = byId ? image.topic(topic.topicId()) : image.topic(topic.name());
      if (found == null) {
        refused.add(
            refuse(topic, byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION));
      } else {
        known.add(topic.setName(found.name()).setTopicId(found.id()));
      }
    }
    if (known.isEmpty()) {
      return CompletableFuture.completedFuture(new OffsetCommitResponseData().setTopics(refused));
    }
    return coordinator
        .ask(new GroupRequest.CommitOffsets(data.setTopics(known), context.apiVersion()))
        .thenApply(response -> {
          response.topics().addAll(refused);
          return response;
        });
  }

  private static OffsetCommitResponseTopic refuse(OffsetCommitRequestTopic topic, Errors error) {
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
    return answer;
  }
}
