package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the replica on this node that leads a partition, or the error that a client gets instead.
 * Everything is read from the image and from published views: no actor is asked.
 */
public final class LeaderLookup {

  private final MetadataService metadata;
  private final ReplicaDirectory replicas;
  private final BooleanSupplier isCutOff;

  /** Of a node that is never cut off. */
  public LeaderLookup(MetadataService metadata, ReplicaDirectory replicas) {
    this(metadata, replicas, () -> false);
  }

  /**
   * @param isCutOff whether the node had no contact with the metadata leader for so long that
   *     others lead in its place by now, for all it knows
   */
  public LeaderLookup(
      MetadataService metadata, ReplicaDirectory replicas, BooleanSupplier isCutOff) {
    this.metadata = metadata;
    this.replicas = replicas;
    this.isCutOff = isCutOff;
  }

  /** The newest image. */
  MetadataImage image() {
    return metadata.image();
  }

  /** The topic of this id in the newest image, or null. */
  @Nullable TopicImage topic(Uuid id) {
    return metadata.image().topic(id);
  }

  /** The replica of a partition on this node, whatever its role; null when there is none. */
  @Nullable Replica find(String topic, int partition) {
    return replicas.find(new TopicPartition(topic, partition));
  }

  /**
   * Why this node cannot serve a partition as its leader.
   *
   * @param replica what {@link #find} returned
   * @param view the replica's view, null when there is no replica
   * @param expectedLeaderEpoch the epoch the client believes in, or -1 when it did not say
   *     (KIP-320)
   * @return NONE when this node leads the partition in that epoch
   */
  Errors check(
      String topic,
      int partition,
      @Nullable Replica replica,
      @Nullable ReplicaView view,
      int expectedLeaderEpoch) {
    if (replica == null || view == null) {
      return errorWithoutReplica(topic, partition);
    }
    if (view.role() == ReplicaRole.OFFLINE) {
      return Errors.KAFKA_STORAGE_ERROR;
    }
    if (expectedLeaderEpoch >= 0) {
      if (expectedLeaderEpoch < view.leaderEpoch()) {
        return Errors.FENCED_LEADER_EPOCH;
      }
      if (expectedLeaderEpoch > view.leaderEpoch()) {
        return Errors.UNKNOWN_LEADER_EPOCH;
      }
    }
    return view.role() == ReplicaRole.LEADER && !isCutOff.getAsBoolean()
        ? Errors.NONE
        : Errors.NOT_LEADER_OR_FOLLOWER;
  }

  private Errors errorWithoutReplica(String topic, int partition) {
    TopicImage image = metadata.image().topic(topic);
    if (image == null || partition < 0 || partition >= image.partitions().size()) {
      return Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }
    return Errors.NOT_LEADER_OR_FOLLOWER;
  }

  /**
   * The replica set of a partition in the newest image: who leads it instead; null for an unknown
   * partition.
   */
  @Nullable ReplicaSetImage leadership(String topic, int partition) {
    MetadataImage image = metadata.image();
    TopicImage topicImage = image.topic(topic);
    if (topicImage == null || partition < 0 || partition >= topicImage.partitions().size()) {
      return null;
    }
    return image.replicaSetOf(topicImage.partitions().get(partition));
  }

  /** Where clients of one listener reach a node. */
  record Address(String host, int port, @Nullable String rack) {}

  /**
   * Where a node is reached by those who came in by a listener (KIP-951); null for a node that is
   * not registered or has no such listener.
   */
  @Nullable Address address(int nodeId, String listenerName) {
    NodeImage node = metadata.image().nodes().get(nodeId);
    if (node != null) {
      for (NodeImage.Endpoint endpoint : node.endpoints()) {
        if (endpoint.listener().equals(listenerName)) {
          return new Address(endpoint.host(), endpoint.port(), node.rack().orElse(null));
        }
      }
    }
    return null;
  }
}
