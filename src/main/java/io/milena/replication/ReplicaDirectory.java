package io.milena.replication;

import java.util.Collection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The replicas of this node; any thread may look one up. */
public interface ReplicaDirectory {

  /** The replica of a partition on this node, or null when this node has none. */
  @Nullable Replica find(TopicPartition partition);

  /** The same, of this very topic: another of its name may have come in its place. */
  default @Nullable Replica find(Uuid topicId, TopicPartition partition) {
    Replica replica = find(partition);
    return replica != null && replica.topicId().equals(topicId) ? replica : null;
  }

  /** Every replica on this node. */
  Collection<? extends Replica> all();
}
