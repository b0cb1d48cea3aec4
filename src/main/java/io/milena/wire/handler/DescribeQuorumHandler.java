package io.milena.wire.handler;

import io.milena.common.Clock;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.actor.MetadataGroup.LeaderStatus;
import io.milena.raft.HardState;
import io.milena.raft.RaftStatus;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.Listener;
import org.apache.kafka.common.message.DescribeQuorumResponseData.Node;
import org.apache.kafka.common.message.DescribeQuorumResponseData.PartitionData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ReplicaState;
import org.apache.kafka.common.message.DescribeQuorumResponseData.TopicData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * DescribeQuorum: who votes in the metadata group and who follows it, and how far each is, as its
 * leader sees it (KIP-595, KIP-836, KIP-853). Kafka's tools know the group as the one partition of
 * {@code __cluster_metadata}; its offsets are our log's indexes.
 */
public final class DescribeQuorumHandler implements ApiHandler {

  private static final long UNKNOWN = -1;
  private static final short FIRST_VERSION_WITH_DIRECTORIES = 2;

  private final MetadataService metadata;
  private final Supplier<CompletionStage<LeaderStatus>> status;
  private final Clock clock;

  /**
   * @param status asks the metadata leader
   */
  public DescribeQuorumHandler(
      MetadataService metadata, Supplier<CompletionStage<LeaderStatus>> status, Clock clock) {
    this.metadata = metadata;
    this.status = status;
    this.clock = clock;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DESCRIBE_QUORUM;
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
    DescribeQuorumRequestData request = (DescribeQuorumRequestData) message;
    boolean isOfTheGroup =
        request.topics().size() == 1
            && request.topics().getFirst().topicName().equals(Topic.CLUSTER_METADATA_TOPIC_NAME)
            && request.topics().getFirst().partitions().size() == 1
            && request.topics().getFirst().partitions().getFirst().partitionIndex() == 0;
    if (!isOfTheGroup) {
      return CompletableFuture.completedStage(unknownTopics(request));
    }
    return status
        .get()
        .handle((answer, failure) ->
            failure == null && answer.status().leaderId() == answer.status().nodeId()
                ? describe(answer, context.apiVersion())
                : refusal(answer, failure));
  }

  private static DescribeQuorumResponseData unknownTopics(DescribeQuorumRequestData request) {
    DescribeQuorumResponseData response = new DescribeQuorumResponseData();
    for (DescribeQuorumRequestData.TopicData topic : request.topics()) {
      TopicData data = new TopicData().setTopicName(topic.topicName());
      for (DescribeQuorumRequestData.PartitionData partition : topic.partitions()) {
        data.partitions()
            .add(
                new PartitionData()
                    .setPartitionIndex(partition.partitionIndex())
                    .setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code())
                    .setErrorMessage(
                        "Only partition 0 of "
                            + Topic.CLUSTER_METADATA_TOPIC_NAME
                            + " can be described"));
      }
      response.topics().add(data);
    }
    return response;
  }

  private static DescribeQuorumResponseData refusal(
      @Nullable LeaderStatus answer, @Nullable Throwable failure) {
    PartitionData partition =
        new PartitionData()
            .setErrorCode(Errors.LEADER_NOT_AVAILABLE.code())
            .setErrorMessage(
                failure == null
                    ? "The metadata group has no leader: a majority of its voters must be running"
                    : "The metadata leader does not answer: ask again")
            .setLeaderId(HardState.NOBODY)
            .setLeaderEpoch(answer == null ? 0 : answer.status().epoch());
    return response(partition);
  }

  private DescribeQuorumResponseData describe(LeaderStatus answer, short version) {
    RaftStatus raft = answer.status();
    MetadataImage image = metadata.image();
    long nowMs = clock.wallClockMs();
    PartitionData partition =
        new PartitionData()
            .setLeaderId(raft.leaderId())
            .setLeaderEpoch(raft.epoch())
            .setHighWatermark(raft.commitIndex() + 1)
            .setCurrentVoters(states(raft.membership().voters(), answer, image, nowMs))
            .setObservers(states(raft.membership().learners(), answer, image, nowMs));
    DescribeQuorumResponseData response = response(partition);
    if (version < FIRST_VERSION_WITH_DIRECTORIES) {
      partition.currentVoters().forEach(voter -> voter.setReplicaDirectoryId(Uuid.ZERO_UUID));
      partition.observers().forEach(observer -> observer.setReplicaDirectoryId(Uuid.ZERO_UUID));
      return response;
    }
    for (int nodeId : raft.membership().members()) {
      NodeImage node = image.nodes().get(nodeId);
      if (node != null) {
        response.nodes().add(node(node));
      }
    }
    return response;
  }

  private static DescribeQuorumResponseData response(PartitionData partition) {
    return new DescribeQuorumResponseData()
        .setTopics(
            List.of(
                new TopicData()
                    .setTopicName(Topic.CLUSTER_METADATA_TOPIC_NAME)
                    .setPartitions(List.of(partition))));
  }

  private static List<ReplicaState> states(
      Set<Integer> nodes, LeaderStatus answer, MetadataImage image, long nowMs) {
    return nodes.stream().map(node -> state(node, answer, image, nowMs)).toList();
  }

  private static ReplicaState state(
      int nodeId, LeaderStatus answer, MetadataImage image, long nowMs) {
    RaftStatus raft = answer.status();
    NodeImage node = image.nodes().get(nodeId);
    ReplicaState state =
        new ReplicaState()
            .setReplicaId(nodeId)
            .setReplicaDirectoryId(
                node == null || node.logDirs().isEmpty()
                    ? Uuid.ZERO_UUID
                    : node.logDirs().getFirst());
    if (nodeId == raft.nodeId()) {
      return state
          .setLogEndOffset(raft.last().index() + 1)
          .setLastFetchTimestamp(nowMs)
          .setLastCaughtUpTimestamp(nowMs);
    }
    RaftStatus.Peer peer = raft.peers().get(nodeId);
    Long silentMs = answer.silentMs().get(nodeId);
    long heardMs = silentMs == null ? UNKNOWN : nowMs - silentMs;
    boolean isCaughtUp = peer != null && peer.matchIndex() >= raft.last().index();
    return state
        .setLogEndOffset(peer == null ? UNKNOWN : peer.matchIndex() + 1)
        .setLastFetchTimestamp(heardMs)
        .setLastCaughtUpTimestamp(isCaughtUp ? heardMs : UNKNOWN);
  }

  private static Node node(NodeImage node) {
    Node described = new Node().setNodeId(node.id());
    for (NodeImage.Endpoint endpoint : node.endpoints()) {
      described
          .listeners()
          .add(
              new Listener()
                  .setName(endpoint.listener())
                  .setHost(endpoint.host())
                  .setPort(endpoint.port()));
    }
    return described;
  }
}
