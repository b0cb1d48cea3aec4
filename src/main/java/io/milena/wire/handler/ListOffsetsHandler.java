package io.milena.wire.handler;

import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ListOffsets: the earliest and latest offsets, that of the largest timestamp, and the first at or
 * after a timestamp.
 */
public final class ListOffsetsHandler implements ApiHandler {

  private static final Logger LOG = LoggerFactory.getLogger(ListOffsetsHandler.class);

  private static final long LATEST = -1;
  private static final long EARLIEST = -2;
  private static final long MAX_TIMESTAMP = -3;
  private static final long EARLIEST_LOCAL = -4;
  private static final long LATEST_TIERED = -5;
  private static final long EARLIEST_PENDING_UPLOAD = -6;
  private static final short FIRST_VERSION_WITH_LEADER_EPOCH = 4;
  private static final short FIRST_VERSION_WITH_OFFSET_NOT_AVAILABLE = 5;
  private static final byte READ_COMMITTED = 1;

  private final LeaderLookup lookup;

  public ListOffsetsHandler(LeaderLookup lookup) {
    this.lookup = lookup;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.LIST_OFFSETS;
  }

  @Override
  public short minVersion() {
    return 1;
  }

  @Override
  public short maxVersion() {
    return 11;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    ListOffsetsRequestData request = (ListOffsetsRequestData) message;
    List<CompletableFuture<Void>> opening = new ArrayList<>();
    for (ListOffsetsTopic topic : request.topics()) {
      for (ListOffsetsPartition partition : topic.partitions()) {
        Replica replica = lookup.find(topic.name(), partition.partitionIndex());
        if (replica != null && !replica.opened().toCompletableFuture().isDone()) {
          opening.add(replica.opened().toCompletableFuture());
        }
      }
    }
    if (opening.isEmpty()) {
      return CompletableFuture.completedFuture(answer(context, request));
    }
    return CompletableFuture.allOf(opening.toArray(CompletableFuture[]::new))
        .handle((_, _) -> answer(context, request));
  }

  private ListOffsetsResponseData answer(RequestContext context, ListOffsetsRequestData request) {
    ListOffsetsResponseData response = new ListOffsetsResponseData();
    Set<TopicPartition> duplicates = duplicates(request);
    for (ListOffsetsTopic topic : request.topics()) {
      ListOffsetsTopicResponse topicResponse = new ListOffsetsTopicResponse().setName(topic.name());
      response.topics().add(topicResponse);
      for (ListOffsetsPartition partition : topic.partitions()) {
        ListOffsetsPartitionResponse result =
            new ListOffsetsPartitionResponse().setPartitionIndex(partition.partitionIndex());
        topicResponse.partitions().add(result);
        if (duplicates.contains(new TopicPartition(topic.name(), partition.partitionIndex()))) {
          result.setErrorCode(Errors.INVALID_REQUEST.code());
        } else {
          find(context, request, topic.name(), partition, result);
          if (context.apiVersion() < FIRST_VERSION_WITH_LEADER_EPOCH) {
            result.setLeaderEpoch(-1);
          }
        }
      }
    }
    return response;
  }

  private static Set<TopicPartition> duplicates(ListOffsetsRequestData request) {
    Set<TopicPartition> seen = new HashSet<>();
    Set<TopicPartition> duplicates = new HashSet<>();
    for (ListOffsetsTopic topic : request.topics()) {
      for (ListOffsetsPartition partition : topic.partitions()) {
        TopicPartition key = new TopicPartition(topic.name(), partition.partitionIndex());
        if (!seen.add(key)) {
          duplicates.add(key);
        }
      }
    }
    return duplicates;
  }

  private void find(
      RequestContext context,
      ListOffsetsRequestData request,
      String topic,
      ListOffsetsPartition partition,
      ListOffsetsPartitionResponse result) {
    Replica replica = lookup.find(topic, partition.partitionIndex());
    ReplicaView view = replica == null ? null : replica.view();
    Errors error =
        lookup.check(
            topic, partition.partitionIndex(), replica, view, partition.currentLeaderEpoch());
    if (error != Errors.NONE || view == null) {
      result.setErrorCode(error.code());
      return;
    }
    if (!supported(partition.timestamp(), context.apiVersion())) {
      result.setErrorCode(Errors.UNSUPPORTED_VERSION.code());
      return;
    }
    LogView log = view.log();
    long upperBound =
        request.isolationLevel() == READ_COMMITTED ? view.lastStableOffset() : view.highWatermark();
    try {
      if (partition.timestamp() == LATEST) {
        if (view.isHighWatermarkCurrent()) {
          result.setOffset(upperBound).setLeaderEpoch(view.leaderEpoch());
        } else {
          result.setErrorCode(notAvailable(context.apiVersion()).code());
        }
      } else if (partition.timestamp() == EARLIEST || partition.timestamp() == EARLIEST_LOCAL) {
        result.setOffset(log.logStartOffset()).setLeaderEpoch(log.epochAt(log.logStartOffset()));
      } else if (partition.timestamp() == MAX_TIMESTAMP) {
        found(context, view, result, log.maxTimestamp(upperBound).orElse(null));
      } else if (partition.timestamp() >= 0) {
        found(
            context,
            view,
            result,
            log.offsetForTimestamp(partition.timestamp(), upperBound).orElse(null));
      }
      // Without tiered storage nothing is tiered and nothing waits for upload: the defaults say so.
    } catch (IOException failure) {
      LOG.error(
          "looking up timestamp {} in {}-{} failed: {}",
          partition.timestamp(),
          topic,
          partition.partitionIndex(),
          failure.toString());
      result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
    }
  }

  private static boolean supported(long timestamp, short version) {
    if (timestamp >= EARLIEST) {
      return true;
    }
    if (timestamp == MAX_TIMESTAMP) {
      return version >= 7;
    }
    if (timestamp == EARLIEST_LOCAL) {
      return version >= 8;
    }
    if (timestamp == LATEST_TIERED) {
      return version >= 9;
    }
    return timestamp == EARLIEST_PENDING_UPLOAD && version >= 11;
  }

  private static void found(
      RequestContext context,
      ReplicaView view,
      ListOffsetsPartitionResponse result,
      LogView.@Nullable TimestampedOffset found) {
    if (found != null) {
      result
          .setOffset(found.offset())
          .setTimestamp(found.timestampMs())
          .setLeaderEpoch(found.leaderEpoch());
    } else if (!view.isHighWatermarkCurrent()) {
      result.setErrorCode(notAvailable(context.apiVersion()).code());
    }
  }

  /** KIP-207: a new leader does not know yet how far its predecessor had committed. */
  private static Errors notAvailable(short version) {
    return version >= FIRST_VERSION_WITH_OFFSET_NOT_AVAILABLE
        ? Errors.OFFSET_NOT_AVAILABLE
        : Errors.LEADER_NOT_AVAILABLE;
  }
}
