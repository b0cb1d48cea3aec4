package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.Reassignment;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData.ReassignableTopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** AlterPartitionReassignments: the metadata group decides each partition for itself (KIP-455). */
public final class AlterPartitionReassignmentsHandler implements ApiHandler {

  private final MetadataService metadata;

  public AlterPartitionReassignmentsHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.ALTER_PARTITION_REASSIGNMENTS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 1;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    AlterPartitionReassignmentsRequestData request =
        (AlterPartitionReassignmentsRequestData) message;
    List<Reassignment> asked = new ArrayList<>();
    for (ReassignableTopic topic : request.topics()) {
      for (ReassignablePartition partition : topic.partitions()) {
        asked.add(
            new Reassignment(
                new TopicPartition(topic.name(), partition.partitionIndex()),
                Optional.ofNullable(partition.replicas()).map(List::copyOf)));
      }
    }
    CompletionStage<AlterPartitionReassignmentsResponseData> decided =
        metadata
            .submit(
                new MetadataCommand.AlterReassignments(
                    asked, request.allowReplicationFactorChange()))
            .handle((reply, failure) ->
                failure == null
                    ? response(request, reply.results())
                    : refusal(request, Stages.errorOf(failure), Stages.reasonOf(failure)));
    return Stages.within(
        context,
        Math.max(0, request.timeoutMs()),
        decided,
        () -> refusal(request, Errors.REQUEST_TIMED_OUT, Stages.TIMED_OUT));
  }

  private static AlterPartitionReassignmentsResponseData refusal(
      AlterPartitionReassignmentsRequestData request, Errors error, String reason) {
    return response(request, List.of()).setErrorCode(error.code()).setErrorMessage(reason);
  }

  private static AlterPartitionReassignmentsResponseData response(
      AlterPartitionReassignmentsRequestData request, List<ItemResult<TopicPartition>> results) {
    Map<String, List<ReassignablePartitionResponse>> byTopic = new LinkedHashMap<>();
    for (ItemResult<TopicPartition> result : results) {
      byTopic
          .computeIfAbsent(result.key().topic(), _ -> new ArrayList<>())
          .add(
              new ReassignablePartitionResponse()
                  .setPartitionIndex(result.key().partition())
                  .setErrorCode(result.error().code())
                  .setErrorMessage(Stages.messageOf(result.error(), result.message())));
    }
    AlterPartitionReassignmentsResponseData response =
        new AlterPartitionReassignmentsResponseData()
            .setAllowReplicationFactorChange(request.allowReplicationFactorChange());
    byTopic.forEach((topic, partitions) ->
        response
            .responses()
            .add(new ReassignableTopicResponse().setName(topic).setPartitions(partitions)));
    return response;
  }
}
