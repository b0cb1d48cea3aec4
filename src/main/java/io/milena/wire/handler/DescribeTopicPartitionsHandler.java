package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * DescribeTopicPartitions: partitions with their eligible leader replicas, in pages (KIP-966).
 * Topics come in order of name; a page ends with the cursor of what comes next.
 */
public final class DescribeTopicPartitionsHandler implements ApiHandler {

  private final MetadataService metadata;
  private final NodeIdentity node;

  public DescribeTopicPartitionsHandler(MetadataService metadata, NodeIdentity node) {
    this.metadata = metadata;
    this.node = node;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DESCRIBE_TOPIC_PARTITIONS;
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
    DescribeTopicPartitionsRequestData request = (DescribeTopicPartitionsRequestData) message;
    MetadataImage image = metadata.image();
    boolean everyTopic = request.topics().isEmpty();
    NavigableSet<String> names = new TreeSet<>();
    if (everyTopic) {
      names.addAll(image.topicsByName().keySet());
    }
    for (TopicRequest topic : request.topics()) {
      names.add(topic.name());
    }

    String firstTopic = "";
    int firstPartition = 0;
    DescribeTopicPartitionsRequestData.Cursor cursor = request.cursor();
    if (cursor != null) {
      firstTopic = cursor.topicName();
      firstPartition = cursor.partitionIndex();
      if (firstPartition < 0) {
        return refused("The cursor's partition index must not be negative: " + firstPartition);
      }
      if (!everyTopic && !names.contains(firstTopic)) {
        return refused("The topics asked for must contain the cursor's topic: " + firstTopic);
      }
    }
    return CompletableFuture.completedStage(
        page(
            context.listenerName(),
            image,
            names.tailSet(firstTopic, true),
            firstTopic,
            firstPartition,
            limit(image, request)));
  }

  private static CompletionStage<DescribeTopicPartitionsResponseData> refused(String reason) {
    return CompletableFuture.failedStage(new InvalidRequestException(reason));
  }

  private int limit(MetadataImage image, DescribeTopicPartitionsRequestData request) {
    int max = Integer.parseInt(node.config(image, "max.request.partition.size.limit"));
    return Math.clamp(request.responsePartitionLimit(), 1, max);
  }

  private static DescribeTopicPartitionsResponseData page(
      String listener,
      MetadataImage image,
      NavigableSet<String> names,
      String firstTopic,
      int firstPartition,
      int limit) {
    DescribeTopicPartitionsResponseData response = new DescribeTopicPartitionsResponseData();
    int remaining = limit;
    for (String name : names) {
      if (remaining == 0) {
        return response.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(0));
      }
      DescribeTopicPartitionsResponseTopic described =
          new DescribeTopicPartitionsResponseTopic()
              .setName(name)
              .setTopicAuthorizedOperations(AuthorizedOperations.ON_TOPIC);
      response.topics().add(described);
      TopicImage topic = image.topic(name);
      if (topic == null) {
        Errors error =
            Topic.isValid(name)
                ? Errors.UNKNOWN_TOPIC_OR_PARTITION
                : Errors.INVALID_TOPIC_EXCEPTION;
        described.setErrorCode(error.code()).setIsInternal(Topic.isInternal(name));
        continue;
      }
      described.setTopicId(topic.id()).setIsInternal(topic.internal());
      int from = name.equals(firstTopic) ? firstPartition : 0;
      int to = (int) Math.min(topic.partitions().size(), (long) from + remaining);
      for (int partition = from; partition < to; partition++) {
        described.partitions().add(describe(image, topic.partitions().get(partition), listener));
      }
      if (to < topic.partitions().size() && from < to) {
        return response.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(to));
      }
      remaining -= Math.max(0, to - from);
    }
    return response;
  }

  private static DescribeTopicPartitionsResponsePartition describe(
      MetadataImage image, PartitionImage partition, String listener) {
    PartitionDescription description = PartitionDescription.of(image, partition, listener);
    ReplicaSetImage set = description.set();
    return new DescribeTopicPartitionsResponsePartition()
        .setErrorCode(description.error().code())
        .setPartitionIndex(partition.partition())
        .setLeaderId(description.leader())
        .setLeaderEpoch(set.leaderEpoch())
        .setReplicaNodes(set.replicas())
        .setIsrNodes(set.isr())
        .setEligibleLeaderReplicas(set.elr())
        .setLastKnownElr(set.lastKnownElr())
        .setOfflineReplicas(description.offlineReplicas());
  }
}
