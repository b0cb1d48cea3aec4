package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ElectLeadersResponseData.PartitionResult;
import org.apache.kafka.common.message.ElectLeadersResponseData.ReplicaElectionResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** ElectLeaders: preferred and unclean elections (KIP-183, KIP-460). */
public final class ElectLeadersHandler implements ApiHandler {

  private final MetadataService metadata;

  public ElectLeadersHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.ELECT_LEADERS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 2;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    ElectLeadersRequestData request = (ElectLeadersRequestData) message;
    ElectionType type;
    try {
      type = ElectionType.valueOf(request.electionType());
    } catch (IllegalArgumentException unknown) {
      return CompletableFuture.completedStage(
          new ElectLeadersResponseData().setErrorCode(Errors.INVALID_REQUEST.code()));
    }
    CompletionStage<ElectLeadersResponseData> decided =
        metadata
            .submit(new MetadataCommand.ElectLeaders(type == ElectionType.UNCLEAN, named(request)))
            .handle((reply, failure) ->
                failure == null
                    ? response(reply.results())
                    : new ElectLeadersResponseData().setErrorCode(Stages.errorOf(failure).code()));
    return Stages.within(
        context,
        Math.max(0, request.timeoutMs()),
        decided,
        () -> new ElectLeadersResponseData().setErrorCode(Errors.REQUEST_TIMED_OUT.code()));
  }

  /** Null asks for all partitions. */
  private static Optional<List<TopicPartition>> named(ElectLeadersRequestData request) {
    if (request.topicPartitions() == null) {
      return Optional.empty();
    }
    List<TopicPartition> partitions = new ArrayList<>();
    request
        .topicPartitions()
        .forEach(topic ->
            topic
                .partitions()
                .forEach(index -> partitions.add(new TopicPartition(topic.topic(), index))));
    return Optional.of(partitions);
  }

  private static ElectLeadersResponseData response(List<ItemResult<TopicPartition>> results) {
    Map<String, List<PartitionResult>> byTopic = new LinkedHashMap<>();
    for (ItemResult<TopicPartition> result : results) {
      byTopic
          .computeIfAbsent(result.key().topic(), _ -> new ArrayList<>())
          .add(
              new PartitionResult()
                  .setPartitionId(result.key().partition())
                  .setErrorCode(result.error().code())
                  .setErrorMessage(Stages.messageOf(result.error(), result.message())));
    }
    ElectLeadersResponseData response = new ElectLeadersResponseData();
    byTopic.forEach((topic, partitions) ->
        response
            .replicaElectionResults()
            .add(new ReplicaElectionResult().setTopic(topic).setPartitionResult(partitions)));
    return response;
  }
}
