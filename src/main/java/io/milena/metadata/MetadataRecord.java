package io.milena.metadata;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * A fact in the metadata log. Each is complete in itself: applying one needs no rule, only the
 * image before it.
 */
public sealed interface MetadataRecord {

  /** The first record of all. */
  record ClusterCreated(Uuid clusterId) implements MetadataRecord {}

  /** A node (again) has a registration: all of it. */
  record NodeRegistered(NodeImage node) implements MetadataRecord {}

  /** A registration is gone for good. */
  record NodeUnregistered(int nodeId) implements MetadataRecord {}

  /** The cluster works at another level of a feature from now on. */
  record FeatureChanged(String name, short level) implements MetadataRecord {}

  /** A registration's state. */
  record NodeChanged(int nodeId, boolean fenced, boolean controlledShutdown)
      implements MetadataRecord {}

  /** A replica set is new or differs: all of it. */
  record ReplicaSetChanged(ReplicaSetImage set) implements MetadataRecord {}

  /** A replica set that no partition is in is gone. */
  record ReplicaSetRemoved(int id) implements MetadataRecord {}

  /**
   * @param replicaSetIds the set of each partition, by index
   */
  record TopicCreated(String name, Uuid id, boolean internal, List<Integer> replicaSetIds)
      implements MetadataRecord {
    public TopicCreated {
      replicaSetIds = List.copyOf(replicaSetIds);
    }
  }

  /**
   * @param replicaSetIds the set of each new partition, which follow those there are
   */
  record PartitionsAdded(Uuid topicId, List<Integer> replicaSetIds) implements MetadataRecord {
    public PartitionsAdded {
      replicaSetIds = List.copyOf(replicaSetIds);
    }
  }

  /**
   * Partitions are in another set from now on.
   *
   * @param replicaSetIds the new set of each, by partition
   */
  record PartitionsMoved(Uuid topicId, Map<Integer, Integer> replicaSetIds)
      implements MetadataRecord {
    public PartitionsMoved {
      replicaSetIds = Map.copyOf(replicaSetIds);
    }
  }

  /** A topic and its overrides are gone. */
  record TopicDeleted(Uuid topicId) implements MetadataRecord {}

  /**
   * @param changes new values by key; empty to drop the override
   */
  record ConfigsChanged(ConfigResource resource, Map<String, Optional<String>> changes)
      implements MetadataRecord {
    public ConfigsChanged {
      changes = Map.copyOf(changes);
    }
  }

  /**
   * @param nextProducerId first producer id not yet allocated
   */
  record ProducerIdsAllocated(long nextProducerId) implements MetadataRecord {}
}
