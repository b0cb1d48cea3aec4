package io.milena.wire.exchange;

import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicationQuota;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/**
 * Which replication of a node is throttled (KIP-73): that of the replicas a topic names in {@code
 * leader.replication.throttled.replicas} and {@code follower.replication.throttled.replicas}, at
 * the node's {@code leader.} and {@code follower.replication.throttled.rate}, and only while the
 * follower is not in sync: a reassignment must not keep acknowledgements waiting. Subscribe it to
 * metadata images. Any thread.
 */
public final class ReplicationThrottle implements MetadataService.MetadataListener {

  static final String LEADING = "leader.replication.throttled.replicas";
  static final String FOLLOWING = "follower.replication.throttled.replicas";
  private static final String ALL = "*";

  private final int nodeId;
  private final Side leading = new Side();
  private final Side following = new Side();
  private volatile MetadataImage image = MetadataImage.EMPTY;

  /** What a node sends, or what it takes. */
  private static final class Side {
    final ReplicationQuota quota = new ReplicationQuota();

    /** By topic, its partitions; null for all of them. */
    final Map<String, Throttled> topics = new ConcurrentHashMap<>();
  }

  /** Partitions of a topic; all of them where there is no set. */
  private record Throttled(@Nullable Set<Integer> partitions) {
    boolean contains(int partition) {
      return partitions == null || partitions.contains(partition);
    }
  }

  public ReplicationThrottle(int nodeId) {
    this.nodeId = nodeId;
  }

  /**
   * @param leadingRate {@code leader.replication.throttled.rate}, bytes per second
   * @param followingRate {@code follower.replication.throttled.rate}
   */
  public void limit(long leadingRate, long followingRate, long nowNanos) {
    leading.quota.limit(leadingRate, nowNanos);
    following.quota.limit(followingRate, nowNanos);
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage newest) {
    image = newest;
    for (ConfigResource resource : delta.configs()) {
      if (resource.type() == ConfigResource.Type.TOPIC) {
        Map<String, String> overrides = newest.overrides(resource);
        update(leading, resource.name(), overrides.get(LEADING));
        update(following, resource.name(), overrides.get(FOLLOWING));
      }
    }
  }

  private void update(Side side, String topic, @Nullable String list) {
    Throttled throttled = list == null ? null : parse(list);
    if (throttled == null) {
      side.topics.remove(topic);
    } else {
      side.topics.put(topic, throttled);
    }
  }

  /** Those of this node; null when there are none. */
  private @Nullable Throttled parse(String list) {
    if (list.trim().equals(ALL)) {
      return new Throttled(null);
    }
    Set<Integer> partitions = new HashSet<>();
    for (String entry : list.split(",", -1)) {
      int colon = entry.indexOf(':');
      if (colon > 0 && Integer.parseInt(entry.substring(colon + 1).trim()) == nodeId) {
        partitions.add(Integer.parseInt(entry.substring(0, colon).trim()));
      }
    }
    return partitions.isEmpty() ? null : new Throttled(Set.copyOf(partitions));
  }

  /** How long a leader here must not send a follower records; 0 when it may. */
  long leadingDelayMs(Replica leader, int follower, long nowNanos) {
    return isThrottled(leading, leader, follower) ? leading.quota.delayMs(nowNanos) : 0;
  }

  /** A leader here has sent a follower records. */
  void sent(Replica leader, int follower, long bytes, long nowNanos) {
    if (isThrottled(leading, leader, follower)) {
      leading.quota.record(bytes, nowNanos);
    }
  }

  /** How long a follower here must not ask for records; 0 when it may. */
  long followingDelayMs(Replica follower, long nowNanos) {
    return isThrottled(following, follower, nodeId) ? following.quota.delayMs(nowNanos) : 0;
  }

  /** A follower here has got records. */
  void taken(Replica follower, long bytes, long nowNanos) {
    if (isThrottled(following, follower, nodeId)) {
      following.quota.record(bytes, nowNanos);
    }
  }

  private boolean isThrottled(Side side, Replica replica, int follower) {
    if (!side.quota.isLimited()) {
      return false;
    }
    TopicPartition partition = replica.partition();
    Throttled throttled = side.topics.get(partition.topic());
    return throttled != null
        && throttled.contains(partition.partition())
        && !isInSync(replica, follower);
  }

  private boolean isInSync(Replica replica, int node) {
    MetadataImage now = image;
    TopicImage topic = now.topic(replica.topicId());
    int partition = replica.partition().partition();
    if (topic == null || partition >= topic.partitions().size()) {
      return false;
    }
    ReplicaSetImage set = now.replicaSetOf(topic.partitions().get(partition));
    return set.isr().contains(node);
  }
}
