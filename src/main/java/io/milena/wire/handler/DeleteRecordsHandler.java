package io.milena.wire.handler;

import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaView;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** DeleteRecords: moves the log start offset of partitions forward. */
public final class DeleteRecordsHandler implements ApiHandler {

  private static final long NO_OFFSET = -1;

  private final LeaderLookup lookup;

  public DeleteRecordsHandler(LeaderLookup lookup) {
    this.lookup = lookup;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DELETE_RECORDS;
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
    DeleteRecordsRequestData request = (DeleteRecordsRequestData) message;
    DeleteRecordsResponseData response = new DeleteRecordsResponseData();
    List<CompletableFuture<?>> pending = new ArrayList<>();
    for (DeleteRecordsTopic topic : request.topics()) {
      DeleteRecordsTopicResult topicResult = new DeleteRecordsTopicResult().setName(topic.name());
      response.topics().add(topicResult);
      for (DeleteRecordsPartition partition : topic.partitions()) {
        DeleteRecordsPartitionResult result =
            new DeleteRecordsPartitionResult()
                .setPartitionIndex(partition.partitionIndex())
                .setLowWatermark(NO_OFFSET);
        topicResult.partitions().add(result);
        pending.add(
            delete(context, topic.name(), partition, Math.max(0, request.timeoutMs()), result));
      }
    }
    return CompletableFuture.allOf(pending.toArray(CompletableFuture[]::new))
        .thenApply(_ -> response);
  }

  private CompletableFuture<Void> delete(
      RequestContext context,
      String topic,
      DeleteRecordsPartition partition,
      int timeoutMs,
      DeleteRecordsPartitionResult result) {
    Replica replica = lookup.find(topic, partition.partitionIndex());
    ReplicaView view = replica == null ? null : replica.view();
    Errors error = lookup.check(topic, partition.partitionIndex(), replica, view, -1);
    TopicImage image = lookup.image().topic(topic);
    if (error == Errors.NONE && image != null && image.internal()) {
      error = Errors.INVALID_TOPIC_EXCEPTION;
    }
    if (error != Errors.NONE || replica == null) {
      result.setErrorCode(error.code());
      return CompletableFuture.completedFuture(null);
    }
    CompletionStage<Deleted> deleted =
        replica
            .deleteRecords(partition.offset())
            .handle((lowWatermark, failure) ->
                failure == null
                    ? new Deleted(Errors.NONE, lowWatermark)
                    : new Deleted(Stages.errorOf(failure), NO_OFFSET));
    // In-sync replicas may take their time to follow; the records go all the same.
    return Stages.within(
            context, timeoutMs, deleted, () -> new Deleted(Errors.REQUEST_TIMED_OUT, NO_OFFSET))
        .thenAccept(
            what -> result.setErrorCode(what.error().code()).setLowWatermark(what.lowWatermark()))
        .toCompletableFuture();
  }

  private record Deleted(Errors error, long lowWatermark) {}
}
