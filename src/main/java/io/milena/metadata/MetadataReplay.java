package io.milena.metadata;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.pcollections.PMap;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/** The only way an image changes: record by record. */
public final class MetadataReplay {

  private MetadataReplay() {}

  /**
   * @param image with every record applied
   * @param delta what that changed
   */
  public record Applied(MetadataImage image, MetadataDelta delta) {}

  /**
   * Applies the records of one committed entry.
   *
   * @param index the entry's index in the log, above the image's
   * @throws IllegalStateException if a record does not fit the image: the log is not the one that
   *     made it
   */
  public static Applied apply(MetadataImage image, long index, List<MetadataRecord> records) {
    if (index <= image.appliedIndex()) {
      throw new IllegalStateException(
          "metadata entry " + index + " is not above the image's " + image.appliedIndex());
    }
    Set<Uuid> topics = new HashSet<>();
    Set<Integer> replicaSets = new HashSet<>();
    Set<Integer> nodes = new HashSet<>();
    Set<ConfigResource> configs = new HashSet<>();
    MetadataImage next = image;
    for (MetadataRecord record : records) {
      switch (record) {
        case MetadataRecord.ClusterCreated _,
            MetadataRecord.ProducerIdsAllocated _,
            MetadataRecord.FeatureChanged _ -> {}
        case MetadataRecord.NodeUnregistered(int nodeId) -> nodes.add(nodeId);
        case MetadataRecord.NodeRegistered registered -> nodes.add(registered.node().id());
        case MetadataRecord.NodeChanged changed -> nodes.add(changed.nodeId());
        case MetadataRecord.ReplicaSetChanged changed -> replicaSets.add(changed.set().id());
        case MetadataRecord.ReplicaSetRemoved removed -> replicaSets.add(removed.id());
        case MetadataRecord.TopicCreated created -> topics.add(created.id());
        case MetadataRecord.PartitionsAdded added -> topics.add(added.topicId());
        case MetadataRecord.PartitionsMoved moved -> topics.add(moved.topicId());
        case MetadataRecord.TopicDeleted deleted -> {
          topics.add(deleted.topicId());
          ConfigResource resource = topicResource(existing(next, deleted.topicId()).name());
          if (next.configs().containsKey(resource)) {
            configs.add(resource);
          }
        }
        case MetadataRecord.ConfigsChanged changed -> configs.add(changed.resource());
      }
      next = replay(next, record);
    }
    return new Applied(
        withIndex(next, index),
        new MetadataDelta(
            Set.copyOf(topics), Set.copyOf(replicaSets), Set.copyOf(nodes), Set.copyOf(configs)));
  }

  /** The delta from {@link MetadataImage#EMPTY} to an image: everything. */
  public static MetadataDelta everything(MetadataImage image) {
    return new MetadataDelta(
        Set.copyOf(image.topicsById().keySet()),
        Set.copyOf(image.replicaSets().keySet()),
        Set.copyOf(image.nodes().keySet()),
        Set.copyOf(image.configs().keySet()));
  }

  /**
   * The image with one record applied; {@code appliedIndex} stays.
   *
   * @throws IllegalStateException if the record does not fit the image
   */
  public static MetadataImage replay(MetadataImage image, MetadataRecord record) {
    return switch (record) {
      case MetadataRecord.ClusterCreated(Uuid clusterId) -> withCluster(image, clusterId);
      case MetadataRecord.NodeRegistered(NodeImage node) ->
          withNodes(
              image,
              image.nodes().plus(node.id(), node),
              Math.max(image.nextNodeEpoch(), node.nodeEpoch() + 1));
      case MetadataRecord.NodeChanged changed -> changeNode(image, changed);
      case MetadataRecord.NodeUnregistered(int nodeId) ->
          withNodes(image, image.nodes().minus(nodeId), image.nextNodeEpoch());
      case MetadataRecord.FeatureChanged(String name, short level) ->
          withFeatures(image, image.features().plus(name, level));
      case MetadataRecord.ReplicaSetChanged(ReplicaSetImage set) ->
          withSets(
              image,
              image.replicaSets().plus(set.id(), set),
              Math.max(image.nextReplicaSetId(), set.id() + 1));
      case MetadataRecord.ReplicaSetRemoved(int id) ->
          withSets(image, image.replicaSets().minus(id), image.nextReplicaSetId());
      case MetadataRecord.TopicCreated created -> createTopic(image, created);
      case MetadataRecord.PartitionsAdded(Uuid topicId, List<Integer> sets) -> {
        TopicImage topic = existing(image, topicId);
        yield withTopic(
            image,
            new TopicImage(
                topic.name(), topicId, append(topic.partitions(), sets), topic.internal()));
      }
      case MetadataRecord.PartitionsMoved moved -> movePartitions(image, moved);
      case MetadataRecord.TopicDeleted(Uuid topicId) -> {
        TopicImage topic = existing(image, topicId);
        yield withTopics(
            image,
            image.topicsByName().minus(topic.name()),
            image.topicsById().minus(topicId),
            image.configs().minus(topicResource(topic.name())));
      }
      case MetadataRecord.ConfigsChanged changed -> changeConfigs(image, changed);
      case MetadataRecord.ProducerIdsAllocated(long next) -> withProducerId(image, next);
    };
  }

  static ConfigResource topicResource(String topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic);
  }

  private static MetadataImage changeNode(MetadataImage image, MetadataRecord.NodeChanged changed) {
    NodeImage node = image.nodes().get(changed.nodeId());
    if (node == null) {
      throw new IllegalStateException("record changes an unknown node: " + changed);
    }
    NodeImage next =
        new NodeImage(
            node.id(),
            node.incarnation(),
            node.nodeEpoch(),
            node.endpoints(),
            node.clusterAddress(),
            node.rack(),
            node.logDirs(),
            changed.fenced(),
            changed.controlledShutdown());
    return withNodes(image, image.nodes().plus(node.id(), next), image.nextNodeEpoch());
  }

  private static MetadataImage createTopic(
      MetadataImage image, MetadataRecord.TopicCreated created) {
    if (image.topic(created.name()) != null || image.topic(created.id()) != null) {
      throw new IllegalStateException(
          "record creates topic " + created.name() + " (" + created.id() + ") a second time");
    }
    return withTopic(
        image,
        new TopicImage(
            created.name(),
            created.id(),
            append(TreePVector.empty(), created.replicaSetIds()),
            created.internal()));
  }

  private static PVector<PartitionImage> append(
      PVector<PartitionImage> partitions, List<Integer> replicaSetIds) {
    PVector<PartitionImage> all = partitions;
    for (int replicaSetId : replicaSetIds) {
      all = all.plus(new PartitionImage(all.size(), replicaSetId));
    }
    return all;
  }

  private static MetadataImage movePartitions(
      MetadataImage image, MetadataRecord.PartitionsMoved moved) {
    TopicImage topic = existing(image, moved.topicId());
    PVector<PartitionImage> partitions = topic.partitions();
    for (Map.Entry<Integer, Integer> move : moved.replicaSetIds().entrySet()) {
      int partition = move.getKey();
      if (partition < 0 || partition >= partitions.size()) {
        throw new IllegalStateException(
            "record moves unknown partition " + topic.name() + "-" + partition);
      }
      partitions = partitions.with(partition, new PartitionImage(partition, move.getValue()));
    }
    return withTopic(image, new TopicImage(topic.name(), topic.id(), partitions, topic.internal()));
  }

  private static TopicImage existing(MetadataImage image, Uuid topicId) {
    TopicImage topic = image.topic(topicId);
    if (topic == null) {
      throw new IllegalStateException("record about unknown topic " + topicId);
    }
    return topic;
  }

  private static MetadataImage changeConfigs(
      MetadataImage image, MetadataRecord.ConfigsChanged changed) {
    PMap<String, String> overrides = image.overrides(changed.resource());
    for (Map.Entry<String, Optional<String>> change : changed.changes().entrySet()) {
      overrides =
          change.getValue().isPresent()
              ? overrides.plus(change.getKey(), change.getValue().get())
              : overrides.minus(change.getKey());
    }
    return withTopics(
        image,
        image.topicsByName(),
        image.topicsById(),
        overrides.isEmpty()
            ? image.configs().minus(changed.resource())
            : image.configs().plus(changed.resource(), overrides));
  }

  private static MetadataImage withIndex(MetadataImage image, long index) {
    return new MetadataImage(
        index,
        image.clusterId(),
        image.nodes(),
        image.topicsByName(),
        image.topicsById(),
        image.replicaSets(),
        image.configs(),
        image.features(),
        image.nextProducerId(),
        image.nextReplicaSetId(),
        image.nextNodeEpoch());
  }

  private static MetadataImage withCluster(MetadataImage image, Uuid clusterId) {
    return new MetadataImage(
        image.appliedIndex(),
        Optional.of(clusterId),
        image.nodes(),
        image.topicsByName(),
        image.topicsById(),
        image.replicaSets(),
        image.configs(),
        image.features(),
        image.nextProducerId(),
        image.nextReplicaSetId(),
        image.nextNodeEpoch());
  }

  private static MetadataImage withNodes(
      MetadataImage image, PMap<Integer, NodeImage> nodes, long nextNodeEpoch) {
    return new MetadataImage(
        image.appliedIndex(),
        image.clusterId(),
        nodes,
        image.topicsByName(),
        image.topicsById(),
        image.replicaSets(),
        image.configs(),
        image.features(),
        image.nextProducerId(),
        image.nextReplicaSetId(),
        nextNodeEpoch);
  }

  private static MetadataImage withSets(
      MetadataImage image, PMap<Integer, ReplicaSetImage> sets, int nextReplicaSetId) {
    return new MetadataImage(
        image.appliedIndex(),
        image.clusterId(),
        image.nodes(),
        image.topicsByName(),
        image.topicsById(),
        sets,
        image.configs(),
        image.features(),
        image.nextProducerId(),
        nextReplicaSetId,
        image.nextNodeEpoch());
  }

  private static MetadataImage withFeatures(MetadataImage image, PMap<String, Short> features) {
    return new MetadataImage(
        image.appliedIndex(),
        image.clusterId(),
        image.nodes(),
        image.topicsByName(),
        image.topicsById(),
        image.replicaSets(),
        image.configs(),
        features,
        image.nextProducerId(),
        image.nextReplicaSetId(),
        image.nextNodeEpoch());
  }

  private static MetadataImage withTopic(MetadataImage image, TopicImage topic) {
    return withTopics(
        image,
        image.topicsByName().plus(topic.name(), topic),
        image.topicsById().plus(topic.id(), topic),
        image.configs());
  }

  private static MetadataImage withTopics(
      MetadataImage image,
      PMap<String, TopicImage> byName,
      PMap<Uuid, TopicImage> byId,
      PMap<ConfigResource, PMap<String, String>> configs) {
    return new MetadataImage(
        image.appliedIndex(),
        image.clusterId(),
        image.nodes(),
        byName,
        byId,
        image.replicaSets(),
        configs,
        image.features(),
        image.nextProducerId(),
        image.nextReplicaSetId(),
        image.nextNodeEpoch());
  }

  private static MetadataImage withProducerId(MetadataImage image, long nextProducerId) {
    return new MetadataImage(
        image.appliedIndex(),
        image.clusterId(),
        image.nodes(),
        image.topicsByName(),
        image.topicsById(),
        image.replicaSets(),
        image.configs(),
        image.features(),
        nextProducerId,
        image.nextReplicaSetId(),
        image.nextNodeEpoch());
  }

  /** An image with these counters, rebuilt from a snapshot. */
  static MetadataImage withCounters(
      MetadataImage image,
      long appliedIndex,
      long nextProducerId,
      int nextReplicaSetId,
      long nextNodeEpoch) {
    return new MetadataImage(
        appliedIndex,
        image.clusterId(),
        image.nodes(),
        image.topicsByName(),
        image.topicsById(),
        image.replicaSets(),
        image.configs(),
        image.features(),
        nextProducerId,
        nextReplicaSetId,
        nextNodeEpoch);
  }
}
