package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.MorePartitions;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** CreatePartitions: the metadata group decides each topic for itself (KIP-195). */
public final class CreatePartitionsHandler implements ApiHandler {

  private final MetadataService metadata;

  public CreatePartitionsHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.CREATE_PARTITIONS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 3;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    CreatePartitionsRequestData request = (CreatePartitionsRequestData) message;
    List<ItemResult<String>> refused = new ArrayList<>();
    List<MorePartitions> asked = translate(request, refused);
    if (asked.isEmpty()) {
      return CompletableFuture.completedStage(response(refused, List.of()));
    }
    if (request.timeoutMs() <= 0) {
      // As Kafka: nothing can be decided in no time, so nothing is done.
      return CompletableFuture.completedStage(
          allRefused(
              refused,
              asked,
              Errors.REQUEST_TIMED_OUT,
              "A timeout of " + request.timeoutMs() + " ms leaves no time: nothing was created."));
    }
    CompletionStage<CreatePartitionsResponseData> decided =
        metadata
            .submit(new MetadataCommand.CreatePartitions(asked, request.validateOnly()))
            .handle((reply, failure) ->
                failure == null
                    ? response(refused, reply.results())
                    : allRefused(
                        refused, asked, Stages.errorOf(failure), Stages.reasonOf(failure)));
    return Stages.within(
        context,
        request.timeoutMs(),
        decided,
        () -> allRefused(refused, asked, Errors.REQUEST_TIMED_OUT, Stages.TIMED_OUT));
  }

  private static List<MorePartitions> translate(
      CreatePartitionsRequestData request, List<ItemResult<String>> refused) {
    Set<String> seen = new HashSet<>();
    Set<String> repeated = new HashSet<>();
    for (CreatePartitionsTopic topic : request.topics()) {
      if (!seen.add(topic.name()) && repeated.add(topic.name())) {
        refused.add(
            new ItemResult<>(topic.name(), Errors.INVALID_REQUEST, "Duplicate topic name."));
      }
    }
    List<MorePartitions> asked = new ArrayList<>();
    for (CreatePartitionsTopic topic : request.topics()) {
      if (repeated.contains(topic.name())) {
        continue;
      }
      List<CreatePartitionsAssignment> byHand = topic.assignments();
      if (byHand != null && byHand.isEmpty()) {
        // Null asks for an automatic assignment; an empty list is one by hand that lacks them all.
        refused.add(
            new ItemResult<>(
                topic.name(),
                Errors.INVALID_REPLICA_ASSIGNMENT,
                "The list of manual assignments for topic "
                    + topic.name()
                    + " is empty: give one for each new partition, or none at all."));
        continue;
      }
      List<List<Integer>> assignments = new ArrayList<>();
      if (byHand != null) {
        for (CreatePartitionsAssignment assignment : byHand) {
          assignments.add(List.copyOf(assignment.brokerIds()));
        }
      }
      asked.add(new MorePartitions(topic.name(), topic.count(), assignments));
    }
    return asked;
  }

  private static CreatePartitionsResponseData allRefused(
      List<ItemResult<String>> refused, List<MorePartitions> asked, Errors error, String reason) {
    List<ItemResult<String>> others = new ArrayList<>();
    for (MorePartitions topic : asked) {
      others.add(new ItemResult<>(topic.topic(), error, reason));
    }
    return response(refused, others);
  }

  private static CreatePartitionsResponseData response(
      List<ItemResult<String>> refused, List<ItemResult<String>> decided) {
    CreatePartitionsResponseData response = new CreatePartitionsResponseData();
    for (List<ItemResult<String>> results : List.of(refused, decided)) {
      for (ItemResult<String> result : results) {
        response
            .results()
            .add(
                new CreatePartitionsTopicResult()
                    .setName(result.key())
                    .setErrorCode(result.error().code())
                    .setErrorMessage(Stages.messageOf(result.error(), result.message())));
      }
    }
    return response;
  }
}
