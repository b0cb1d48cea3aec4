package io.milena.replication.actor;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.TopicPartitions;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the metadata group which replicas of this node cannot use their logs, so that others lead
 * them. One report is under way at a time; what fails meanwhile goes with the next. Any thread.
 */
final class OfflineReports {

  private static final Logger LOG = LoggerFactory.getLogger(OfflineReports.class);

  /** Before a report that the metadata group did not take is made again. */
  private static final long RETRY_MS = 500;

  private final int nodeId;
  private final InSyncProposals group;
  private final Executor io;

  /** Not reported yet; at most the replicas of the node. Guarded by this, as all that follows. */
  private final Set<ReplicaHandle> waiting = new LinkedHashSet<>();

  private CompletableFuture<Void> allReported = CompletableFuture.completedFuture(null);
  private boolean registered;
  private boolean underWay;
  private boolean stopped;

  /**
   * @param io makes the next attempt
   */
  OfflineReports(int nodeId, InSyncProposals group, Executor io) {
    this.nodeId = nodeId;
    this.group = group;
    this.io = io;
  }

  /** A replica cannot use its log. */
  synchronized void add(ReplicaHandle replica) {
    if (waiting.add(replica) && allReported.isDone()) {
      allReported = new CompletableFuture<>();
    }
    next();
  }

  /**
   * The node is registered: what it says is heard from now on.
   *
   * @return completes once nothing waits to be reported, or nobody listens any more
   */
  synchronized CompletionStage<Void> begin() {
    registered = true;
    next();
    return allReported;
  }

  synchronized void stop() {
    stopped = true;
  }

  private synchronized void next() {
    if (underWay || stopped || !registered) {
      return;
    }
    if (waiting.isEmpty()) {
      allReported.complete(null);
      return;
    }
    underWay = true;
    List<ReplicaHandle> reported = List.copyOf(waiting);
    var _ =
        group
            .metadata()
            .submit(
                new MetadataCommand.ReportOffline(
                    nodeId, group.nodeEpoch().getAsLong(), byTopic(reported)))
            .whenCompleteAsync((reply, failure) -> onReply(reported, reply, failure), io);
  }

  private static List<TopicPartitions> byTopic(List<ReplicaHandle> replicas) {
    Map<Uuid, List<Integer>> partitions = new TreeMap<>();
    for (ReplicaHandle replica : replicas) {
      partitions
          .computeIfAbsent(replica.topicId(), _ -> new ArrayList<>())
          .add(replica.partition().partition());
    }
    return partitions.entrySet().stream()
        .map(entry -> new TopicPartitions(entry.getKey(), entry.getValue()))
        .toList();
  }

  private synchronized void onReply(
      List<ReplicaHandle> reported,
      MetadataReply.@Nullable Done reply,
      @Nullable Throwable failure) {
    underWay = false;
    if (reply != null && reply.error() == Errors.NONE) {
      waiting.removeAll(reported);
      next();
      return;
    }
    if (reply != null && reply.error() == Errors.STALE_BROKER_EPOCH) {
      // The next life of the node looks at its logs itself; who waits is refused the next step too.
      stopped = true;
      allReported.complete(null);
      return;
    }
    LOG.info(
        "the metadata group was not told yet that {} replicas are offline here: {}",
        reported.size(),
        reply == null ? String.valueOf(failure) : reply.message());
    CompletableFuture.delayedExecutor(RETRY_MS, TimeUnit.MILLISECONDS, io).execute(this::next);
  }
}
