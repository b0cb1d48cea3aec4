package io.milena.http.metrics;

import io.milena.http.HttpNode;
import io.milena.http.KafkaApis;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.PartitionData;
import org.apache.kafka.common.message.DescribeQuorumResponseData.ReplicaState;
import org.apache.kafka.common.protocol.ApiKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The metadata group, which is a Raft group, as its leader describes it. */
final class QuorumCollector implements MultiCollector {

  private static final Logger LOG = LoggerFactory.getLogger(QuorumCollector.class);
  private static final Duration FRESH = Duration.ofSeconds(5);

  /** A scrape does not wait longer: it tells what it knows. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final HttpNode node;
  private final KafkaApis apis;
  private final AtomicBoolean refreshing = new AtomicBoolean();
  private volatile PartitionData newest = new PartitionData().setLeaderId(-1);
  private volatile long refreshedNanos;

  QuorumCollector(HttpNode node, KafkaApis apis) {
    this.node = node;
    this.apis = apis;
    this.refreshedNanos = node.clock().monotonicNanos() - FRESH.toNanos();
  }

  /**
   * Asks the leader again unless that was done just now.
   *
   * @return completes once it has answered, or did not in time; never fails
   */
  CompletionStage<Void> refresh() {
    long now = node.clock().monotonicNanos();
    if (!node.readiness().get().ready()
        || now - refreshedNanos < FRESH.toNanos()
        || !refreshing.compareAndSet(false, true)) {
      return CompletableFuture.completedFuture(null);
    }
    refreshedNanos = now;
    DescribeQuorumRequestData request =
        new DescribeQuorumRequestData()
            .setTopics(
                List.of(
                    new DescribeQuorumRequestData.TopicData()
                        .setTopicName(Topic.CLUSTER_METADATA_TOPIC_NAME)
                        .setPartitions(
                            List.of(
                                new DescribeQuorumRequestData.PartitionData()
                                    .setPartitionIndex(0)))));
    return apis.call(ApiKeys.DESCRIBE_QUORUM, request, DescribeQuorumResponseData.class)
        .<Void>handle((response, failure) -> {
          if (failure == null) {
            newest = response.topics().getFirst().partitions().getFirst();
          } else {
            LOG.debug("the metadata group cannot be described: {}", failure.toString());
          }
          refreshing.set(false);
          return null;
        })
        .toCompletableFuture()
        .completeOnTimeout(null, PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public MetricSnapshots collect() {
    PartitionData group = newest;
    Samples ends =
        new Samples(
            "milena_metadata_log_end_index",
            "End of the metadata log that a node has, as the metadata leader knows");
    Samples voters = new Samples("milena_metadata_voter", "1 for a node that votes, else 0");
    Set<Integer> voting =
        group.currentVoters().stream().map(ReplicaState::replicaId).collect(Collectors.toSet());
    Stream.concat(group.currentVoters().stream(), group.observers().stream())
        .forEach(each -> {
          Labels labels = Labels.of("node", Integer.toString(each.replicaId()));
          ends.add(each.logEndOffset(), labels);
          voters.add(voting.contains(each.replicaId()), labels);
        });
    return MetricSnapshots.of(
        new Samples("milena_metadata_leader", "Node id of the metadata leader, -1 for none")
            .add(group.leaderId())
            .gauge(),
        new Samples("milena_metadata_epoch", "Raft term of the metadata leader")
            .add(group.leaderEpoch())
            .gauge(),
        new Samples(
                "milena_metadata_committed_index", "End of what is committed of the metadata log")
            .add(group.highWatermark())
            .gauge(),
        ends.gauge(),
        voters.gauge());
  }
}
