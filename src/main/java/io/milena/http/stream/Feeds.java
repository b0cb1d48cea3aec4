package io.milena.http.stream;

import io.milena.http.HttpNode;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Partitions to read: this node's replicas where it has them, else what their leaders have. */
public final class Feeds {

  private final HttpNode node;
  private final ViewHub hub;
  private final RemoteFeeds remote;

  public Feeds(HttpNode node, ViewHub hub, RemoteFeeds remote) {
    this.node = node;
    this.hub = hub;
    this.remote = remote;
  }

  /** The partition of a topic of the image. */
  public Feed find(TopicImage topic, int partition) {
    TopicPartition key = new TopicPartition(topic.name(), partition);
    Replica replica = node.replicas().find(topic.id(), key);
    return replica != null
            && replica.opened().toCompletableFuture().isDone()
            && replica.view().role() != ReplicaRole.OFFLINE
        ? new LocalFeed(replica, hub)
        : remote.of(topic.id(), key);
  }

  /** The same by name; null when there is no such partition. */
  public @Nullable Feed find(TopicPartition partition) {
    TopicImage topic = node.metadata().image().topic(partition.topic());
    return topic == null || partition.partition() >= topic.partitions().size()
        ? null
        : find(topic, partition.partition());
  }
}
