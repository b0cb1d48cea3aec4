package io.milena.replication;

import java.util.Collection;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The replicas of this node; any thread may look one up. */
public interface ReplicaDirectory {

  /** The replica of a partition on this node, or null when this node has none. */
  @Nullable Replica find(TopicPartition partition);

  /** Every replica on this node. */
  Collection<? extends Replica> all();
}
