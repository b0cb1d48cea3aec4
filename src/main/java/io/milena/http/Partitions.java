package io.milena.http;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/** Finds a partition to read, or says why it cannot be read here. */
public final class Partitions {

  private final HttpNode node;

  public Partitions(HttpNode node) {
    this.node = node;
  }

  /**
   * A replica of the partition that can be read up to its high watermark: the leader's, or a
   * follower's.
   */
  public Replica readable(String topic, int partition) {
    Replica replica = node.replicas().find(new TopicPartition(topic, partition));
    if (replica == null) {
      throw elsewhere(topic, partition);
    }
    ReplicaView view = replica.view();
    if (view.role() == ReplicaRole.OFFLINE) {
      throw HttpFailure.of(
          Errors.KAFKA_STORAGE_ERROR, "the log of " + replica.partition() + " is offline here");
    }
    if (!replica.opened().toCompletableFuture().isDone()) {
      throw HttpFailure.of(
          Errors.LEADER_NOT_AVAILABLE, "the log of " + replica.partition() + " is being opened");
    }
    return replica;
  }

  /** What to say of a partition that this node has no replica of. */
  private HttpFailure elsewhere(String topic, int partition) {
    MetadataImage image = node.metadata().image();
    TopicImage known = image.topic(topic);
    if (known == null) {
      return HttpFailure.of(Errors.UNKNOWN_TOPIC_OR_PARTITION, "there is no topic " + topic);
    }
    if (partition < 0 || partition >= known.partitions().size()) {
      return HttpFailure.of(
          Errors.UNKNOWN_TOPIC_OR_PARTITION,
          "topic %s has partitions 0 to %d and no partition %d"
              .formatted(topic, known.partitions().size() - 1, partition));
    }
    ReplicaSetImage set = image.replicaSetOf(known.partitions().get(partition));
    return HttpFailure.of(
        Errors.NOT_LEADER_OR_FOLLOWER,
        "%s-%d is on nodes %s, not on this one: ask one of them"
            .formatted(topic, partition, set.replicas()));
  }
}
