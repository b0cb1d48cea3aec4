package io.milena.http.metrics;

import io.milena.http.HttpNode;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** The partition replicas of this node, each by topic and partition. */
final class PartitionCollector implements MultiCollector {

  private final HttpNode node;

  PartitionCollector(HttpNode node) {
    this.node = node;
  }

  @Override
  public MetricSnapshots collect() {
    Samples sizes = new Samples("milena_partition_log_bytes", "Bytes of a replica's segment files");
    Samples starts =
        new Samples("milena_partition_log_start_offset", "First offset that can be read");
    Samples ends = new Samples("milena_partition_log_end_offset", "Next offset to be assigned");
    Samples watermarks =
        new Samples("milena_partition_high_watermark", "End of what consumers may read");
    Samples stable =
        new Samples(
            "milena_partition_last_stable_offset",
            "End of what consumers of committed transactions may read");
    Samples leaders = new Samples("milena_partition_leader", "1 where this node leads");
    Samples epochs = new Samples("milena_partition_leader_epoch", "Version of the leadership");
    Samples inSync =
        new Samples("milena_partition_in_sync_replicas", "In-sync replicas, told by the leader");
    Samples assigned = new Samples("milena_partition_replicas", "Assigned replicas, by the leader");
    Map<ReplicaRole, Integer> roles = new EnumMap<>(ReplicaRole.class);
    for (ReplicaRole role : ReplicaRole.values()) {
      roles.put(role, 0);
    }
    MetadataImage image = node.metadata().image();
    int underReplicated = 0;
    for (Replica replica : node.replicas().all()) {
      ReplicaView view = replica.view();
      roles.merge(view.role(), 1, Integer::sum);
      Labels labels =
          Labels.of(
              "topic",
              replica.partition().topic(),
              "partition",
              Integer.toString(replica.partition().partition()));
      boolean leads = view.role() == ReplicaRole.LEADER;
      sizes.add(view.log().sizeBytes(), labels);
      starts.add(view.log().logStartOffset(), labels);
      ends.add(view.log().logEndOffset(), labels);
      watermarks.add(view.highWatermark(), labels);
      stable.add(view.lastStableOffset(), labels);
      leaders.add(leads, labels);
      epochs.add(view.leaderEpoch(), labels);
      TopicImage topic = image.topic(replica.topicId());
      if (leads && topic != null && replica.partition().partition() < topic.partitions().size()) {
        ReplicaSetImage set =
            image.replicaSetOf(topic.partitions().get(replica.partition().partition()));
        inSync.add(set.isr().size(), labels);
        assigned.add(set.replicas().size(), labels);
        underReplicated += set.isr().size() < set.targetReplicas().size() ? 1 : 0;
      }
    }
    Samples byRole = new Samples("milena_replicas", "Replicas on this node, by what they are");
    roles.forEach((role, count) ->
        byRole.add(count, Labels.of("role", role.name().toLowerCase(Locale.ROOT))));
    return MetricSnapshots.of(
        sizes.gauge(),
        starts.gauge(),
        ends.gauge(),
        watermarks.gauge(),
        stable.gauge(),
        leaders.gauge(),
        epochs.gauge(),
        inSync.gauge(),
        assigned.gauge(),
        byRole.gauge(),
        new Samples(
                "milena_under_replicated_partitions",
                "Partitions led by this node with fewer in-sync replicas than assigned ones")
            .add(underReplicated)
            .gauge());
  }
}
