package io.milena.wire.handler;

import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.metadata.ReplicaSetImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.message.FetchResponseData.EpochEndOffset;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.LeaderIdAndEpoch;
import org.apache.kafka.common.message.FetchResponseData.NodeEndpoint;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Fetch request being answered: reads published views, without asking an actor, and waits for
 * {@code min.bytes} only when it must. While it waits it holds a listener on each of its replicas
 * and one timer; what it reads runs on the connection's network thread only.
 */
final class FetchRead implements Runnable {

  private static final Logger LOG = LoggerFactory.getLogger(FetchRead.class);
  private static final byte READ_COMMITTED = 1;
  private static final short FIRST_VERSION_WITH_CLOSEST_REPLICA = 11;
  private static final short FIRST_VERSION_WITH_LAST_FETCHED_EPOCH = 12;
  private static final short FIRST_VERSION_WITH_NODE_ENDPOINTS = 16;

  private final LeaderLookup lookup;
  private final ClosestReplica closest;
  private final RequestContext context;
  private final FetchRequestData request;
  private final int maxBytes;
  private final SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions;
  private final @Nullable FetchSession session;
  private final boolean incremental;
  private final CompletableFuture<FetchResponseData> answer = new CompletableFuture<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private final Runnable listener = this::wake;
  private List<Replica> watched = List.of();
  private ConnectionContext.@Nullable TimerTask timer;
  private boolean timedOut;

  FetchRead(
      LeaderLookup lookup,
      ClosestReplica closest,
      RequestContext context,
      FetchRequestData request,
      int maxBytes,
      SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions,
      @Nullable FetchSession session,
      boolean incremental) {
    this.lookup = lookup;
    this.closest = closest;
    this.context = context;
    this.request = request;
    this.maxBytes = maxBytes;
    this.partitions = partitions;
    this.session = session;
    this.incremental = incremental;
  }

  CompletionStage<FetchResponseData> start() {
    if (request.maxWaitMs() <= 0 || enough()) {
      complete();
      return answer;
    }
    try {
      watch();
      timer =
          context.schedule(
              request.maxWaitMs(),
              () -> {
                timedOut = true;
                run();
              });
      context.onClose(this::abandon);
    } catch (RuntimeException | Error failure) {
      unwatch();
      throw failure;
    }
    // Between the first look and the listeners something may have been appended.
    run();
    return answer;
  }

  private void wake() {
    if (woken.compareAndSet(false, true)) {
      context.execute(this);
    }
  }

  /** Looks again, on the network thread: after an append, or when the time is up. */
  @Override
  public void run() {
    woken.set(false);
    try {
      if (!answer.isDone() && (timedOut || enough())) {
        unwatch();
        complete();
      }
    } catch (RuntimeException failure) {
      // Nobody above knows the request: the client would wait for ever.
      unwatch();
      answer.completeExceptionally(failure);
    }
  }

  private void abandon() {
    if (!answer.isDone()) {
      unwatch();
      answer.cancel(false);
    }
  }

  private void watch() {
    synchronized (monitor()) {
      watched = new ArrayList<>(partitions.size());
      for (FetchPartitionState state : partitions.values()) {
        Replica replica =
            state.topic == null ? null : lookup.find(state.topic, state.key.partition());
        if (replica != null) {
          watched.add(replica);
          replica.addListener(listener);
        }
      }
    }
  }

  private void unwatch() {
    for (Replica replica : watched) {
      replica.removeListener(listener);
    }
    watched = List.of();
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  /**
   * True when the answer need not wait: enough bytes are there, or a partition has something to say
   * that is not bytes.
   */
  private boolean enough() {
    synchronized (monitor()) {
      long available = 0;
      for (FetchPartitionState state : partitions.values()) {
        Replica replica =
            state.topic == null ? null : lookup.find(state.topic, state.key.partition());
        ReplicaView view = replica == null ? null : replica.view();
        if (view == null
            || error(state, replica, view) != Errors.NONE
            || closer(state, view).isPresent()
            || diverges(state, view)) {
          return true;
        }
        available +=
            Math.min(
                state.maxBytes, view.log().availableBytes(state.fetchOffset, upperBound(view)));
        if (available >= request.minBytes()) {
          return true;
        }
      }
      // A session without partitions is only kept alive by its requests: they wait for their time.
      return request.minBytes() <= 0;
    }
  }

  private void complete() {
    FetchResponseData response = new FetchResponseData();
    synchronized (monitor()) {
      List<FetchPartitionState> withRecords = new ArrayList<>();
      FetchableTopicResponse topic = null;
      int remaining = maxBytes;
      boolean first = true;
      for (FetchPartitionState state : partitions.values()) {
        PartitionData data = read(state, remaining, first, response);
        int bytes = data.records().sizeInBytes();
        if (bytes > 0) {
          first = false;
          remaining = Math.max(0, remaining - bytes);
          withRecords.add(state);
        }
        if (tellsNews(state, data) || !incremental) {
          if (topic == null
              || !topic.topicId().equals(state.key.topicId())
              || !topic.topic().equals(state.key.topic())) {
            topic =
                new FetchableTopicResponse()
                    .setTopic(state.key.topic())
                    .setTopicId(state.key.topicId())
                    .setPartitions(new ArrayList<>());
            response.responses().add(topic);
          }
          topic.partitions().add(data);
        }
      }
      if (session != null) {
        response.setSessionId(session.id);
        rotate(session, withRecords);
      }
    }
    answer.complete(response);
  }

  /**
   * Partitions that were just served go last, so that a full response does not starve the others.
   */
  private static void rotate(FetchSession session, List<FetchPartitionState> served) {
    if (served.size() == session.partitions.size()) {
      return;
    }
    for (FetchPartitionState state : served) {
      session.partitions.remove(state.key);
      session.partitions.put(state.key, state);
    }
  }

  private static boolean tellsNews(FetchPartitionState state, PartitionData data) {
    boolean failed = data.errorCode() != Errors.NONE.code();
    boolean news =
        failed
            || state.toldError
            || data.records().sizeInBytes() > 0
            || data.highWatermark() != state.toldHighWatermark
            || data.logStartOffset() != state.toldLogStartOffset
            || data.preferredReadReplica() >= 0
            || data.divergingEpoch().epoch() >= 0;
    state.toldError = failed;
    state.toldHighWatermark = data.highWatermark();
    state.toldLogStartOffset = data.logStartOffset();
    return news;
  }

  private PartitionData read(
      FetchPartitionState state, int remaining, boolean first, FetchResponseData response) {
    PartitionData data =
        new PartitionData()
            .setPartitionIndex(state.key.partition())
            .setHighWatermark(-1)
            .setLastStableOffset(-1)
            .setLogStartOffset(-1)
            .setAbortedTransactions(null)
            .setRecords(MemoryRecords.EMPTY);
    Replica replica = state.topic == null ? null : lookup.find(state.topic, state.key.partition());
    ReplicaView view = replica == null ? null : replica.view();
    Errors error = error(state, replica, view);
    if (error != Errors.NONE || view == null) {
      data.setErrorCode(error.code());
      hint(state, error, data, response);
      if (error == Errors.OFFSET_OUT_OF_RANGE && view != null) {
        data.setHighWatermark(told(view, view.highWatermark()))
            .setLogStartOffset(view.log().logStartOffset());
      }
      return data;
    }
    LogView log = view.log();
    data.setHighWatermark(told(view, view.highWatermark()))
        .setLastStableOffset(told(view, view.lastStableOffset()))
        .setLogStartOffset(log.logStartOffset());
    OptionalInt closer = closer(state, view);
    if (closer.isPresent()) {
      data.setPreferredReadReplica(closer.getAsInt());
      return data;
    }
    if (diverges(state, view)) {
      LogView.EpochEnd end = log.endOffsetForEpoch(state.lastFetchedEpoch);
      data.setDivergingEpoch(
          new EpochEndOffset().setEpoch(end.leaderEpoch()).setEndOffset(end.endOffset()));
      return data;
    }
    try {
      FileRegion region =
          log.read(state.fetchOffset, Math.min(remaining, state.maxBytes), upperBound(view), first);
      data.setRecords(region);
      if (request.isolationLevel() == READ_COMMITTED) {
        data.setAbortedTransactions(aborted(log, region, state.fetchOffset, upperBound(view)));
      }
    } catch (IOException failure) {
      LOG.error(
          "reading {}-{} at offset {} failed: {}",
          state.topic,
          state.key.partition(),
          state.fetchOffset,
          failure.toString());
      data.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code()).setRecords(MemoryRecords.EMPTY);
    }
    return data;
  }

  private static List<AbortedTransaction> aborted(
      LogView log, FileRegion region, long fetchOffset, long upperBound) throws IOException {
    List<AbortedTransaction> transactions = new ArrayList<>();
    if (!region.isEmpty()) {
      for (LogView.AbortedTransaction transaction :
          log.abortedTransactions(fetchOffset, upperBound)) {
        transactions.add(
            new AbortedTransaction()
                .setProducerId(transaction.producerId())
                .setFirstOffset(transaction.firstOffset()));
      }
    }
    return transactions;
  }

  private Errors error(
      FetchPartitionState state, @Nullable Replica replica, @Nullable ReplicaView view) {
    String topic = state.topic;
    if (topic == null) {
      return Errors.UNKNOWN_TOPIC_ID;
    }
    Errors error =
        lookup.check(topic, state.key.partition(), replica, view, state.currentLeaderEpoch);
    if (error == Errors.NOT_LEADER_OR_FOLLOWER
        && view != null
        && view.role() == ReplicaRole.FOLLOWER
        && context.apiVersion() >= FIRST_VERSION_WITH_CLOSEST_REPLICA) {
      // KIP-392: whoever may know that it reads from a follower is served up to the high watermark.
      error = Errors.NONE;
    }
    if (error != Errors.NONE || replica == null || view == null) {
      return error;
    }
    Uuid wanted = state.key.topicId();
    if (!wanted.equals(Uuid.ZERO_UUID) && !wanted.equals(replica.topicId())) {
      return Errors.INCONSISTENT_TOPIC_ID;
    }
    if (state.fetchOffset < view.log().logStartOffset()
        || state.fetchOffset > view.log().logEndOffset()) {
      return Errors.OFFSET_OUT_OF_RANGE;
    }
    return Errors.NONE;
  }

  /** The replica that the consumer shall fetch from instead; only the leader says so. */
  private OptionalInt closer(FetchPartitionState state, ReplicaView view) {
    if (context.apiVersion() < FIRST_VERSION_WITH_CLOSEST_REPLICA
        || state.topic == null
        || view.role() != ReplicaRole.LEADER) {
      return OptionalInt.empty();
    }
    ReplicaSetImage set = lookup.leadership(state.topic, state.key.partition());
    return set == null
        ? OptionalInt.empty()
        : closest.choose(lookup.image(), set, request.rackId(), context.listenerName());
  }

  /**
   * KIP-595: the epoch that the reader last read ends elsewhere in this log, so its log and ours
   * have parted before.
   */
  private boolean diverges(FetchPartitionState state, ReplicaView view) {
    if (context.apiVersion() < FIRST_VERSION_WITH_LAST_FETCHED_EPOCH
        || state.lastFetchedEpoch < 0) {
      return false;
    }
    LogView.EpochEnd end = view.log().endOffsetForEpoch(state.lastFetchedEpoch);
    return end.leaderEpoch() >= 0
        && (end.leaderEpoch() < state.lastFetchedEpoch || end.endOffset() < state.fetchOffset);
  }

  /**
   * What a consumer is told of how far the partition is committed. A new leader may know less of it
   * than its predecessor has told (KIP-207): then it says that it does not know, so that no
   * consumer sees the high watermark go back.
   */
  private static long told(ReplicaView view, long offset) {
    boolean current =
        view.highWatermark() == view.log().logEndOffset() || view.isHighWatermarkCurrent();
    return current ? offset : FetchResponse.INVALID_HIGH_WATERMARK;
  }

  private long upperBound(ReplicaView view) {
    return request.isolationLevel() == READ_COMMITTED
        ? view.lastStableOffset()
        : view.highWatermark();
  }

  private void hint(
      FetchPartitionState state, Errors error, PartitionData data, FetchResponseData response) {
    if (context.apiVersion() < FIRST_VERSION_WITH_NODE_ENDPOINTS
        || state.topic == null
        || (error != Errors.NOT_LEADER_OR_FOLLOWER && error != Errors.FENCED_LEADER_EPOCH)) {
      return;
    }
    ReplicaSetImage set = lookup.leadership(state.topic, state.key.partition());
    if (set == null) {
      return;
    }
    data.setCurrentLeader(
        new LeaderIdAndEpoch().setLeaderId(set.leader()).setLeaderEpoch(set.leaderEpoch()));
    LeaderLookup.Address address = lookup.address(set.leader(), context.listenerName());
    if (address != null && response.nodeEndpoints().find(set.leader()) == null) {
      response
          .nodeEndpoints()
          .add(
              new NodeEndpoint()
                  .setNodeId(set.leader())
                  .setHost(address.host())
                  .setPort(address.port())
                  .setRack(address.rack()));
    }
  }

  private Object monitor() {
    return session == null ? this : session;
  }
}
