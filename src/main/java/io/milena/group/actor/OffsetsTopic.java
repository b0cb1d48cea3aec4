package io.milena.group.actor;

import io.milena.group.GroupConfig;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply.TopicCreated;
import io.milena.metadata.MetadataReply.TopicsCreated;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The topic {@code __consumer_offsets}: where its partitions are, and its creation. Any thread. */
public final class OffsetsTopic {

  private static final Logger LOG = LoggerFactory.getLogger(OffsetsTopic.class);

  private final GroupConfig config;
  private final MetadataService metadata;
  private @Nullable CompletableFuture<Boolean> creation;

  OffsetsTopic(GroupConfig config, MetadataService metadata) {
    this.config = config;
    this.metadata = metadata;
  }

  /** The partition that keeps a group, or -1 while there is no such topic. */
  public int partitionOf(String groupId) {
    TopicImage topic = topic();
    return topic == null || topic.partitions().isEmpty()
        ? -1
        : GroupCoordinator.partitionOf(groupId, topic.partitions().size());
  }

  /** Node that leads a partition, or {@link ReplicaSetImage#NO_LEADER}. */
  public int leaderOf(int partition) {
    MetadataImage image = metadata.image();
    TopicImage topic = image.topic(Topic.GROUP_METADATA_TOPIC_NAME);
    return topic == null || partition >= topic.partitions().size()
        ? ReplicaSetImage.NO_LEADER
        : image.replicaSetOf(topic.partitions().get(partition)).leader();
  }

  /** The node that coordinates a group, if there is one and it is not fenced. */
  public Optional<NodeImage> coordinatorOf(String groupId) {
    int partition = partitionOf(groupId);
    int leader = partition < 0 ? ReplicaSetImage.NO_LEADER : leaderOf(partition);
    return Optional.ofNullable(metadata.image().nodes().get(leader)).filter(node -> !node.fenced());
  }

  /**
   * Creates the topic unless it is there: with the partitions and replicas that the configuration
   * asks for, as many of the latter as there are live nodes.
   *
   * @return true once it is there; false when it could not be created. At most one attempt at a
   *     time: whoever comes meanwhile waits for it.
   */
  public CompletionStage<Boolean> create() {
    if (topic() != null) {
      return CompletableFuture.completedFuture(true);
    }
    CompletableFuture<Boolean> attempt;
    synchronized (this) {
      if (creation != null) {
        return creation;
      }
      attempt = new CompletableFuture<>();
      creation = attempt;
    }
    submit()
        .whenComplete((created, failure) -> {
          synchronized (this) {
            creation = null;
          }
          if (failure != null) {
            LOG.warn(
                "{} could not be created; it is tried again when a client asks",
                Topic.GROUP_METADATA_TOPIC_NAME,
                failure);
          }
          attempt.complete(failure == null && created);
        });
    return attempt;
  }

  private CompletionStage<Boolean> submit() {
    long liveNodes =
        metadata.image().nodes().values().stream().filter(node -> !node.fenced()).count();
    int replicationFactor =
        (int) Math.max(1, Math.min(liveNodes, config.offsetsTopicReplicationFactor()));
    NewTopic topic =
        new NewTopic(
            Topic.GROUP_METADATA_TOPIC_NAME,
            config.offsetsTopicPartitions(),
            replicationFactor,
            Map.of(),
            Map.of(
                TopicConfig.CLEANUP_POLICY_CONFIG,
                TopicConfig.CLEANUP_POLICY_COMPACT,
                TopicConfig.COMPRESSION_TYPE_CONFIG,
                "producer",
                TopicConfig.SEGMENT_BYTES_CONFIG,
                Integer.toString(config.offsetsTopicSegmentBytes())),
            true);
    return metadata
        .submit(new MetadataCommand.CreateTopics(List.of(topic), false))
        .thenApply(OffsetsTopic::isThere);
  }

  private static boolean isThere(TopicsCreated reply) {
    TopicCreated result = reply.topics().getFirst();
    boolean there = result.error() == Errors.NONE || result.error() == Errors.TOPIC_ALREADY_EXISTS;
    if (!there) {
      LOG.warn(
          "{} could not be created: {} {}; it is tried again when a client asks",
          Topic.GROUP_METADATA_TOPIC_NAME,
          result.error(),
          result.message());
    }
    return there;
  }

  private @Nullable TopicImage topic() {
    return metadata.image().topic(Topic.GROUP_METADATA_TOPIC_NAME);
  }
}
