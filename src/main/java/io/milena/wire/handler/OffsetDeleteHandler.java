package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponsePartition;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** OffsetDelete: forgets committed offsets of topics the group does not subscribe to (KIP-496). */
public final class OffsetDeleteHandler implements ApiHandler {

  private final GroupCoordinator coordinator;
  private final MetadataService metadata;

  public OffsetDeleteHandler(GroupCoordinator coordinator, MetadataService metadata) {
    this.coordinator = coordinator;
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.OFFSET_DELETE;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 0;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    OffsetDeleteRequestData data = (OffsetDeleteRequestData) message;
    MetadataImage image = metadata.image();
    List<OffsetDeleteResponseTopic> refused = new ArrayList<>();
    OffsetDeleteRequestTopicCollection known = new OffsetDeleteRequestTopicCollection();
    for (OffsetDeleteRequestTopic topic : data.topics()) {
      TopicImage found = image.topic(topic.name());
      if (found == null) {
        refused.add(refuse(topic));
      } else {
        known.add(topic.duplicate());
      }
    }
    OffsetDeleteRequestData checked =
        new OffsetDeleteRequestData().setGroupId(data.groupId()).setTopics(known);
    return coordinator
        .ask(new GroupRequest.DeleteOffsets(checked))
        .thenApply(response -> {
          if (response.errorCode() == Errors.NONE.code()) {
            response.topics().addAll(refused);
          }
          return response;
        });
  }

  private static OffsetDeleteResponseTopic refuse(OffsetDeleteRequestTopic topic) {
    OffsetDeleteResponseTopic answer = new OffsetDeleteResponseTopic().setName(topic.name());
    for (OffsetDeleteRequestPartition partition : topic.partitions()) {
      answer
          .partitions()
          .add(
              new OffsetDeleteResponsePartition()
                  .setPartitionIndex(partition.partitionIndex())
                  .setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code()));
    }
    return answer;
  }
}
