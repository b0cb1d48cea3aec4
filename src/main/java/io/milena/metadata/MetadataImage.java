package io.milena.metadata;

import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * Everything the metadata group has decided, as of one record of its log. Immutable; images share
 * what did not change.
 *
 * @param appliedIndex index of the last metadata record in this image, 0 for none
 * @param clusterId identifies the cluster; empty before the first record
 * @param nodes by node id
 * @param topicsByName every topic by its name
 * @param topicsById the same topics by id
 * @param replicaSets by set id
 * @param configs overrides by resource: what is not here has its default
 * @param features level that the cluster works at, by feature; what is not here has its first, see
 *     {@link ClusterFeatures}
 * @param nextProducerId first producer id not yet allocated to a node
 * @param nextReplicaSetId first id not yet given to a replica set
 * @param nextNodeEpoch the node epoch that the next registration gets
 */
public record MetadataImage(
    long appliedIndex,
    Optional<Uuid> clusterId,
    PMap<Integer, NodeImage> nodes,
    PMap<String, TopicImage> topicsByName,
    PMap<Uuid, TopicImage> topicsById,
    PMap<Integer, ReplicaSetImage> replicaSets,
    PMap<ConfigResource, PMap<String, String>> configs,
    PMap<String, Short> features,
    long nextProducerId,
    int nextReplicaSetId,
    long nextNodeEpoch) {

  /** The image before the first record. */
  public static final MetadataImage EMPTY =
      new MetadataImage(
          0,
          Optional.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          HashTreePMap.empty(),
          0,
          0,
          0);

  /** The topic of this name, or null. */
  public @Nullable TopicImage topic(String name) {
    return topicsByName.get(name);
  }

  /** The topic with this id, or null. */
  public @Nullable TopicImage topic(Uuid id) {
    return topicsById.get(id);
  }

  /** The replica set that holds a partition; the image never names a set that it does not hold. */
  public ReplicaSetImage replicaSetOf(PartitionImage partition) {
    ReplicaSetImage set = replicaSets.get(partition.replicaSetId());
    if (set == null) {
      throw new IllegalStateException(
          "image " + appliedIndex + " lacks replica set " + partition.replicaSetId());
    }
    return set;
  }

  /** Overrides of a resource, empty when it has none. */
  public PMap<String, String> overrides(ConfigResource resource) {
    PMap<String, String> overrides = configs.get(resource);
    return overrides == null ? HashTreePMap.empty() : overrides;
  }
}
