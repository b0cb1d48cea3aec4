package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.TopicReference;
import io.milena.metadata.MetadataReply.TopicDeleted;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** DeleteTopics, by name or by id (KIP-516): the metadata group decides each topic for itself. */
public final class DeleteTopicsHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_DELETION_DISABLED = 3;
  private static final short FIRST_VERSION_WITH_TOPIC_IDS = 6;

  private final MetadataService metadata;

  public DeleteTopicsHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DELETE_TOPICS;
  }

  @Override
  public short minVersion() {
    return 1;
  }

  @Override
  public short maxVersion() {
    return 6;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    DeleteTopicsRequestData request = (DeleteTopicsRequestData) message;
    short version = context.apiVersion();
    List<TopicReference> asked = references(version, request);
    if (asked.isEmpty()) {
      return CompletableFuture.completedStage(new DeleteTopicsResponseData());
    }
    if (request.timeoutMs() <= 0) {
      // As Kafka: nothing can be decided in no time, so nothing is done.
      return CompletableFuture.completedStage(
          allRefused(
              asked,
              Errors.REQUEST_TIMED_OUT,
              "A timeout of " + request.timeoutMs() + " ms leaves no time: nothing was deleted."));
    }
    CompletionStage<DeleteTopicsResponseData> decided =
        metadata
            .submit(new MetadataCommand.DeleteTopics(asked))
            .handle((reply, failure) ->
                failure == null
                    ? response(version, reply.topics())
                    : allRefused(asked, Stages.errorOf(failure), Stages.reasonOf(failure)));
    return Stages.within(
        context,
        request.timeoutMs(),
        decided,
        () -> allRefused(asked, Errors.REQUEST_TIMED_OUT, Stages.TIMED_OUT));
  }

  private static List<TopicReference> references(short version, DeleteTopicsRequestData request) {
    List<TopicReference> references = new ArrayList<>();
    if (version < FIRST_VERSION_WITH_TOPIC_IDS) {
      for (String name : request.topicNames()) {
        references.add(new TopicReference(Optional.of(name), Optional.empty()));
      }
      return references;
    }
    for (DeleteTopicState topic : request.topics()) {
      Optional<Uuid> id = Optional.of(topic.topicId()).filter(each -> !each.equals(Uuid.ZERO_UUID));
      references.add(new TopicReference(Optional.ofNullable(topic.name()), id));
    }
    return references;
  }

  private static DeleteTopicsResponseData response(short version, List<TopicDeleted> topics) {
    DeleteTopicsResponseData response = new DeleteTopicsResponseData();
    Set<TopicDeleted> answered = new HashSet<>();
    for (TopicDeleted topic : topics) {
      // A topic that was asked for twice is answered once.
      if (answered.add(topic)) {
        Errors error =
            topic.error() == Errors.TOPIC_DELETION_DISABLED
                    && version < FIRST_VERSION_WITH_DELETION_DISABLED
                ? Errors.INVALID_REQUEST
                : topic.error();
        response.responses().add(result(topic.name(), topic.topicId(), error, topic.message()));
      }
    }
    return response;
  }

  private static DeleteTopicsResponseData allRefused(
      List<TopicReference> asked, Errors error, String reason) {
    DeleteTopicsResponseData response = new DeleteTopicsResponseData();
    for (TopicReference topic : asked) {
      response.responses().add(result(topic.name(), topic.id(), error, reason));
    }
    return response;
  }

  private static DeletableTopicResult result(
      Optional<String> name, Optional<Uuid> id, Errors error, String message) {
    return new DeletableTopicResult()
        .setName(name.orElse(null))
        .setTopicId(id.orElse(Uuid.ZERO_UUID))
        .setErrorCode(error.code())
        .setErrorMessage(Stages.messageOf(error, message));
  }
}
