package io.milena.wire.exchange;

import io.milena.common.Clock;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.wire.NetworkLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * The followers' side of the exchange: has every replica of this node that follows fetch from its
 * leader, over one {@link FollowerLink} for each node that leads any of them. Which replicas there
 * are it learns from metadata images (subscribe it behind the replicas), whom they follow from
 * their views. Any thread.
 *
 * <p>A replica whose set another node leads has a {@link Watch}; a node that follows nothing has no
 * link and no watch.
 */
public final class FollowerLinks implements MetadataService.MetadataListener {

  private final int nodeId;
  private final Uuid clusterId;
  private final LongSupplier nodeEpoch;
  private final MetadataService metadata;
  private final ReplicaDirectory replicas;
  private final List<NetworkLoop> loops;
  private final ExchangeSettings settings;
  private final ReplicationThrottle throttle;
  private final Clock clock;

  private final Map<Integer, FollowerLink> byLeader = new ConcurrentHashMap<>();
  private volatile boolean closed;

  // Guarded by this. A watch never takes this monitor while it holds its own.
  private final Map<Uuid, Map<Integer, Watched>> byTopic = new HashMap<>();
  private final Map<Integer, Set<Watched>> bySet = new HashMap<>();

  /** A replica of this node, and its watch while another node leads. */
  private static final class Watched {
    final Replica replica;
    final int setId;
    @Nullable Watch watch;

    Watched(Replica replica, int setId) {
      this.replica = replica;
      this.setId = setId;
    }
  }

  /**
   * @param nodeEpoch of this node's registration, as it is at the moment
   * @param loops that the links live on, in turn
   */
  public FollowerLinks(
      int nodeId,
      Uuid clusterId,
      LongSupplier nodeEpoch,
      MetadataService metadata,
      ReplicaDirectory replicas,
      List<NetworkLoop> loops,
      ExchangeSettings settings,
      ReplicationThrottle throttle,
      Clock clock) {
    this.nodeId = nodeId;
    this.clusterId = clusterId;
    this.nodeEpoch = nodeEpoch;
    this.metadata = metadata;
    this.replicas = replicas;
    this.loops = List.copyOf(loops);
    this.settings = settings;
    this.throttle = throttle;
    this.clock = clock;
  }

  int nodeId() {
    return nodeId;
  }

  Uuid clusterId() {
    return clusterId;
  }

  long nodeEpoch() {
    return nodeEpoch.getAsLong();
  }

  ExchangeSettings settings() {
    return settings;
  }

  ReplicationThrottle throttle() {
    return throttle;
  }

  Clock clock() {
    return clock;
  }

  /** Where a node is reached by the others: its first listener; null for one not registered. */
  @Nullable InetSocketAddress address(int node) {
    NodeImage image = metadata.image().nodes().get(node);
    if (image == null || image.endpoints().isEmpty()) {
      return null;
    }
    NodeImage.Endpoint first = image.endpoints().getFirst();
    return InetSocketAddress.createUnresolved(first.host(), first.port());
  }

  /** Nodes that are or were followed. */
  public int linkCount() {
    return byLeader.size();
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    synchronized (this) {
      if (closed) {
        return;
      }
      delta.topics().forEach(topic -> updateTopic(topic, image));
      for (int setId : delta.replicaSets()) {
        bySet.getOrDefault(setId, Set.of()).forEach(watched -> update(watched, image));
      }
    }
    for (int node : delta.nodes()) {
      FollowerLink link = byLeader.get(node);
      if (link != null) {
        link.nodeChanged();
      }
    }
  }

  private void updateTopic(Uuid topicId, MetadataImage image) {
    Map<Integer, Watched> present = byTopic.computeIfAbsent(topicId, _ -> new HashMap<>());
    TopicImage topic = image.topic(topicId);
    present
        .values()
        .removeIf(watched -> {
          if (topic != null && isCurrent(watched, topic)) {
            return false;
          }
          forget(watched);
          return true;
        });
    if (topic != null) {
      for (PartitionImage partition : topic.partitions()) {
        if (!present.containsKey(partition.partition())) {
          Replica replica =
              replicas.find(topicId, new TopicPartition(topic.name(), partition.partition()));
          if (replica != null) {
            Watched watched = new Watched(replica, partition.replicaSetId());
            present.put(partition.partition(), watched);
            bySet.computeIfAbsent(watched.setId, _ -> new HashSet<>()).add(watched);
            update(watched, image);
          }
        }
      }
    }
    if (present.isEmpty()) {
      byTopic.remove(topicId);
    }
  }

  // Whether it is the same one is what matters.
  @SuppressWarnings("ReferenceEquality")
  private boolean isCurrent(Watched watched, TopicImage topic) {
    TopicPartition partition = watched.replica.partition();
    return replicas.find(topic.id(), partition) == watched.replica
        && topic.partitions().get(partition.partition()).replicaSetId() == watched.setId;
  }

  /** What nobody else leads needs no watch, and pays for none. */
  private void update(Watched watched, MetadataImage image) {
    ReplicaSetImage set = image.replicaSets().get(watched.setId);
    boolean follows =
        set != null
            && set.leader() != ReplicaSetImage.NO_LEADER
            && set.leader() != nodeId
            && set.replicas().contains(nodeId);
    Watch watch = watched.watch;
    if (follows && watch == null) {
      watch = new Watch(this, watched.replica);
      watched.watch = watch;
      watch.begin();
    } else if (!follows && watch != null) {
      watched.watch = null;
      watch.end();
    }
  }

  private void forget(Watched watched) {
    bySet.computeIfPresent(
        watched.setId,
        (_, ofSet) -> {
          ofSet.remove(watched);
          return ofSet.isEmpty() ? null : ofSet;
        });
    Watch watch = watched.watch;
    if (watch != null) {
      watched.watch = null;
      watch.end();
    }
  }

  /** The link to a leader's node, a new one if need be; null once there are no more. */
  @Nullable FollowerLink linkTo(int leaderId) {
    if (closed) {
      return null;
    }
    return byLeader.computeIfAbsent(
        leaderId, _ -> new FollowerLink(this, leaderId, loops.get(leaderId % loops.size())));
  }

  /** Follows nothing any more; before the network loops are stopped. */
  public void close() {
    List<Watched> all = new ArrayList<>();
    synchronized (this) {
      closed = true;
      byTopic.values().forEach(ofTopic -> all.addAll(ofTopic.values()));
      all.forEach(this::forget);
      byTopic.clear();
    }
    byLeader.values().forEach(FollowerLink::close);
  }
}
