package io.milena.http.group;

import akka.actor.Cancellable;
import akka.actor.typed.Scheduler;
import io.milena.http.HttpFailure;
import io.milena.http.KafkaApis;
import io.milena.metadata.MetadataService;
import io.milena.metadata.TopicImage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.concurrent.ExecutionContext;

/**
 * A member of a consumer group by the classic protocol, for a reader that comes by HTTP: joins,
 * keeps its membership alive, and joins again when the group rebalances. Shares partitions with
 * members of any client that knows the range assignor. Without a thread.
 */
public final class GroupMember {

  private static final Logger LOG = LoggerFactory.getLogger(GroupMember.class);
  private static final int SESSION_TIMEOUT_MS = 30_000;
  private static final int REBALANCE_TIMEOUT_MS = 30_000;
  private static final Duration HEARTBEAT = Duration.ofSeconds(3);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final int NO_GENERATION = -1;

  /** What the reader is told; never two calls at a time. */
  public interface Listener {

    /** It reads these partitions from now on. */
    void assigned(List<TopicPartition> partitions);

    /**
     * It reads nothing from now on until it is assigned anew.
     *
     * @return completes when it has committed what it has read
     */
    CompletionStage<?> revoked();

    /** The group refuses it for good. */
    void failed(HttpFailure failure);
  }

  private final String group;
  private final Supplier<List<String>> topics;
  private final KafkaApis apis;
  private final Groups groups;
  private final MetadataService metadata;
  private final Scheduler scheduler;
  private final ExecutionContext executor;
  private final Listener listener;
  private final RangeAssignor assignor = new RangeAssignor();

  private String memberId = "";
  private int generation = NO_GENERATION;
  private Map<String, Integer> known = Map.of();
  private boolean leads;
  private boolean closed;
  private @Nullable Cancellable timer;

  /**
   * @param topics what it subscribes to, asked before each joining
   */
  public GroupMember(
      String group,
      Supplier<List<String>> topics,
      KafkaApis apis,
      MetadataService metadata,
      Scheduler scheduler,
      ExecutionContext executor,
      Listener listener) {
    this.group = group;
    this.topics = topics;
    this.apis = apis;
    this.groups = new Groups(apis);
    this.metadata = metadata;
    this.scheduler = scheduler;
    this.executor = executor;
    this.listener = listener;
  }

  /** Joins. */
  public synchronized void start() {
    join();
  }

  /** Leaves the group; its partitions go to others at once. */
  public synchronized CompletionStage<Void> leave() {
    if (closed) {
      return CompletableFuture.completedFuture(null);
    }
    closed = true;
    cancelTimer();
    if (memberId.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    LeaveGroupRequestData request =
        new LeaveGroupRequestData()
            .setGroupId(group)
            .setMembers(List.of(new LeaveGroupRequestData.MemberIdentity().setMemberId(memberId)));
    return apis.callCoordinator(group, ApiKeys.LEAVE_GROUP, request, LeaveGroupResponseData.class)
        .thenAccept(_ -> {});
  }

  /** Commits as this member. */
  public synchronized CompletionStage<Void> commit(Map<TopicPartition, Groups.Committed> offsets) {
    return groups.commit(group, memberId, generation, offsets);
  }

  private interface Step<T> {
    void take(T answer);
  }

  /** Goes on with an answer, unless it has been closed; a failed call is made again. */
  private <T> void then(CompletionStage<T> call, Step<T> step, Runnable again) {
    call.whenComplete((answer, failure) -> {
      synchronized (this) {
        if (closed) {
          return;
        }
        if (failure != null) {
          LOG.debug("group {}: {}", group, failure.toString());
          later(RETRY, again);
        } else {
          step.take(answer);
        }
      }
    });
  }

  private synchronized void later(Duration delay, Runnable task) {
    cancelTimer();
    timer =
        scheduler.scheduleOnce(
            delay,
            () -> {
              synchronized (this) {
                if (!closed) {
                  task.run();
                }
              }
            },
            executor);
  }

  private void cancelTimer() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private synchronized void retryOrFail(Errors error, Runnable again) {
    switch (error) {
      case COORDINATOR_LOAD_IN_PROGRESS,
          COORDINATOR_NOT_AVAILABLE,
          NOT_COORDINATOR,
          REQUEST_TIMED_OUT,
          REBALANCE_IN_PROGRESS ->
          later(RETRY, again);
      case UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION -> {
        memberId = "";
        generation = NO_GENERATION;
        later(RETRY, this::join);
      }
      default -> {
        closed = true;
        cancelTimer();
        listener.failed(HttpFailure.of(error, "group " + group + ": " + error.message()));
      }
    }
  }

  private synchronized void join() {
    JoinGroupRequestData request =
        new JoinGroupRequestData()
            .setGroupId(group)
            .setMemberId(memberId)
            .setSessionTimeoutMs(SESSION_TIMEOUT_MS)
            .setRebalanceTimeoutMs(REBALANCE_TIMEOUT_MS)
            .setProtocolType(ConsumerProtocol.PROTOCOL_TYPE);
    request
        .protocols()
        .add(
            new JoinGroupRequestData.JoinGroupRequestProtocol()
                .setName(assignor.name())
                .setMetadata(
                    bytes(ConsumerProtocol.serializeSubscription(new Subscription(topics.get())))));
    then(
        apis.callCoordinator(group, ApiKeys.JOIN_GROUP, request, JoinGroupResponseData.class),
        response -> {
          Errors error = Errors.forCode(response.errorCode());
          if (error == Errors.MEMBER_ID_REQUIRED) {
            memberId = response.memberId();
            join();
          } else if (error != Errors.NONE) {
            retryOrFail(error, this::join);
          } else {
            memberId = response.memberId();
            generation = response.generationId();
            leads = response.leader().equals(memberId);
            sync(leads ? assign(response) : List.of());
          }
        },
        this::join);
  }

  private List<SyncGroupRequestData.SyncGroupRequestAssignment> assign(
      JoinGroupResponseData response) {
    Map<String, Subscription> subscriptions = new HashMap<>();
    response
        .members()
        .forEach(member ->
            subscriptions.put(
                member.memberId(),
                ConsumerProtocol.deserializeSubscription(ByteBuffer.wrap(member.metadata()))));
    List<String> all =
        subscriptions.values().stream()
            .map(Subscription::topics)
            .flatMap(Collection::stream)
            .distinct()
            .toList();
    known = partitionCounts(all);
    List<SyncGroupRequestData.SyncGroupRequestAssignment> assignments = new ArrayList<>();
    assignor
        .assign(known, subscriptions)
        .forEach((member, partitions) ->
            assignments.add(
                new SyncGroupRequestData.SyncGroupRequestAssignment()
                    .setMemberId(member)
                    .setAssignment(
                        bytes(ConsumerProtocol.serializeAssignment(new Assignment(partitions))))));
    return assignments;
  }

  private Map<String, Integer> partitionCounts(Collection<String> names) {
    Map<String, Integer> counts = new TreeMap<>();
    for (String name : names) {
      TopicImage topic = metadata.image().topic(name);
      if (topic != null) {
        counts.put(name, topic.partitions().size());
      }
    }
    return counts;
  }

  private void sync(List<SyncGroupRequestData.SyncGroupRequestAssignment> assignments) {
    SyncGroupRequestData request =
        new SyncGroupRequestData()
            .setGroupId(group)
            .setMemberId(memberId)
            .setGenerationId(generation)
            .setProtocolType(ConsumerProtocol.PROTOCOL_TYPE)
            .setProtocolName(assignor.name())
            .setAssignments(assignments);
    then(
        apis.callCoordinator(group, ApiKeys.SYNC_GROUP, request, SyncGroupResponseData.class),
        response -> {
          Errors error = Errors.forCode(response.errorCode());
          if (error != Errors.NONE) {
            retryOrFail(error, this::join);
            return;
          }
          listener.assigned(
              response.assignment().length == 0
                  ? List.of()
                  : ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(response.assignment()))
                      .partitions());
          later(HEARTBEAT, this::heartbeat);
        },
        this::join);
  }

  private void heartbeat() {
    if (leads && !known.equals(partitionCounts(topicsToWatch()))) {
      rejoin();
      return;
    }
    HeartbeatRequestData request =
        new HeartbeatRequestData()
            .setGroupId(group)
            .setMemberId(memberId)
            .setGenerationId(generation);
    then(
        apis.callCoordinator(group, ApiKeys.HEARTBEAT, request, HeartbeatResponseData.class),
        response -> {
          Errors error = Errors.forCode(response.errorCode());
          switch (error) {
            case NONE -> later(HEARTBEAT, this::heartbeat);
            case REBALANCE_IN_PROGRESS -> rejoin();
            case UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION -> {
              memberId = "";
              generation = NO_GENERATION;
              rejoin();
            }
            default -> retryOrFail(error, this::heartbeat);
          }
        },
        this::heartbeat);
  }

  /** Topics that it subscribes to may have come, and those of all may have grown. */
  private Collection<String> topicsToWatch() {
    List<String> all = new ArrayList<>(known.keySet());
    all.addAll(topics.get());
    return all.stream().distinct().toList();
  }

  private void rejoin() {
    listener
        .revoked()
        .whenComplete((_, failure) -> {
          if (failure != null) {
            LOG.debug("group {}: committing before a rebalance: {}", group, failure.toString());
          }
          synchronized (this) {
            if (!closed) {
              join();
            }
          }
        });
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
