package io.milena.wire.handler;

import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaView;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * OffsetForLeaderEpoch: where an epoch ends in the leader's log, so that a reader can tell whether
 * its log has parted from it.
 */
public final class OffsetForLeaderEpochHandler implements ApiHandler {

  private final LeaderLookup lookup;

  public OffsetForLeaderEpochHandler(LeaderLookup lookup) {
    this.lookup = lookup;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.OFFSET_FOR_LEADER_EPOCH;
  }

  @Override
  public short minVersion() {
    return 2;
  }

  @Override
  public short maxVersion() {
    return 4;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    OffsetForLeaderEpochRequestData request = (OffsetForLeaderEpochRequestData) message;
    OffsetForLeaderEpochResponseData response = new OffsetForLeaderEpochResponseData();
    for (OffsetForLeaderTopic topic : request.topics()) {
      OffsetForLeaderTopicResult result = new OffsetForLeaderTopicResult().setTopic(topic.topic());
      response.topics().add(result);
      for (OffsetForLeaderPartition partition : topic.partitions()) {
        result.partitions().add(endOffset(topic.topic(), partition));
      }
    }
    return CompletableFuture.completedFuture(response);
  }

  private EpochEndOffset endOffset(String topic, OffsetForLeaderPartition partition) {
    EpochEndOffset result = new EpochEndOffset().setPartition(partition.partition());
    Replica replica = lookup.find(topic, partition.partition());
    ReplicaView view = replica == null ? null : replica.view();
    Errors error =
        lookup.check(topic, partition.partition(), replica, view, partition.currentLeaderEpoch());
    if (error != Errors.NONE || view == null) {
      return result.setErrorCode(error.code());
    }
    LogView.EpochEnd end = view.log().endOffsetForEpoch(partition.leaderEpoch());
    return result.setLeaderEpoch(end.leaderEpoch()).setEndOffset(end.endOffset());
  }
}
