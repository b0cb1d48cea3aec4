package io.milena.http.metrics;

import io.milena.group.actor.RegionReader;
import io.milena.http.HttpNode;
import io.milena.http.group.Groups;
import io.milena.log.FileRegion;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far the groups that this node coordinates are behind in the partitions that it leads: in
 * records, and in seconds since the oldest batch was written that they have not read.
 */
final class GroupLags implements MultiCollector {

  private static final Logger LOG = LoggerFactory.getLogger(GroupLags.class);
  private static final Duration FRESH = Duration.ofSeconds(5);
  private static final int GROUPS_MAX = 1_000;

  /** Header of a record batch of format 2, and where in it its largest timestamp is. */
  private static final int BATCH_HEADER_BYTES = 61;

  private static final int MAX_TIMESTAMP_POSITION = 35;

  private final HttpNode node;
  private final Groups groups;
  private final AtomicBoolean refreshing = new AtomicBoolean();
  private volatile Snapshot newest = new Snapshot(Map.of(), List.of());
  private volatile long refreshedNanos;

  private record Lag(String group, TopicPartition partition, long committed) {}

  private record Snapshot(Map<String, Integer> groupsByState, List<Lag> committed) {}

  GroupLags(HttpNode node, Groups groups) {
    this.node = node;
    this.groups = groups;
    this.refreshedNanos = node.clock().monotonicNanos() - FRESH.toNanos();
  }

  /**
   * Asks for the committed offsets again unless that was done just now.
   *
   * @return completes once they are there, or cannot be had; never fails
   */
  CompletionStage<Void> refresh() {
    long now = node.clock().monotonicNanos();
    if (!node.readiness().get().ready()
        || now - refreshedNanos < FRESH.toNanos()
        || !refreshing.compareAndSet(false, true)) {
      return CompletableFuture.completedFuture(null);
    }
    refreshedNanos = now;
    return groups
        .listHere()
        .thenCompose(this::committed)
        .handle((snapshot, failure) -> {
          if (failure == null) {
            newest = snapshot;
          } else {
            LOG.debug("committed offsets cannot be had for the metrics: {}", failure.toString());
          }
          refreshing.set(false);
          return null;
        });
  }

  private CompletionStage<Snapshot> committed(List<ListedGroup> listed) {
    Map<String, Integer> states = new TreeMap<>();
    List<Lag> all = new ArrayList<>();
    CompletionStage<Void> done = CompletableFuture.completedFuture(null);
    for (ListedGroup group : listed) {
      states.merge(group.groupState().toLowerCase(Locale.ROOT), 1, Integer::sum);
    }
    for (ListedGroup group : listed.subList(0, Math.min(listed.size(), GROUPS_MAX))) {
      // One after the other: this is no reason to keep the coordinator busy.
      done =
          done.thenCompose(_ -> groups.committed(group.groupId(), null))
              .thenAccept(offsets ->
                  offsets.forEach((partition, offset) ->
                      all.add(new Lag(group.groupId(), partition, offset.offset()))));
    }
    return done.thenApply(_ -> new Snapshot(states, all));
  }

  @Override
  public MetricSnapshots collect() {
    Snapshot snapshot = newest;
    Samples states = new Samples("milena_groups", "Consumer groups coordinated here, by state");
    snapshot
        .groupsByState()
        .forEach((state, count) -> states.add(count, Labels.of("state", state)));
    Samples records =
        new Samples("milena_group_lag_records", "Records that a group has not committed yet");
    Samples seconds =
        new Samples(
            "milena_group_lag_seconds",
            "Time since the oldest batch was written that a group has not committed yet");
    for (Lag lag : snapshot.committed()) {
      Replica replica = node.replicas().find(lag.partition());
      if (replica == null || replica.view().role() != ReplicaRole.LEADER) {
        continue;
      }
      ReplicaView view = replica.view();
      Labels labels =
          Labels.of(
              "group",
              lag.group(),
              "topic",
              lag.partition().topic(),
              "partition",
              Integer.toString(lag.partition().partition()));
      long next = Math.max(lag.committed(), view.log().logStartOffset());
      records.add(Math.max(0, view.highWatermark() - next), labels);
      seconds.add(age(view, next), labels);
    }
    return MetricSnapshots.of(states.gauge(), records.gauge(), seconds.gauge());
  }

  private double age(ReplicaView view, long next) {
    if (next >= view.highWatermark()) {
      return 0;
    }
    try {
      FileRegion batch = view.log().read(next, 1, view.highWatermark(), true);
      if (batch.sizeInBytes() < BATCH_HEADER_BYTES) {
        return 0;
      }
      long timestamp =
          RegionReader.read(batch.slice(0, BATCH_HEADER_BYTES))
              .buffer()
              .getLong(MAX_TIMESTAMP_POSITION);
      return Math.max(0, node.clock().wallClockMs() - timestamp) / 1000.0;
    } catch (IOException gone) {
      LOG.debug("the age of offset {} cannot be read: {}", next, gone.toString());
      return 0;
    }
  }
}
