package io.milena.group.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import io.milena.common.Clock;
import io.milena.group.GroupConfig;
import io.milena.group.GroupRequest;
import io.milena.metadata.MetadataService;
import io.milena.replication.ReplicaDirectory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.utils.Utils;

/**
 * The group coordinator of a node: what the edges ask. Any thread.
 *
 * <p>Create one, then spawn {@link #behavior()} once: it keeps up with what the node leads. A
 * request for a group whose partition of {@code __consumer_offsets} this node does not lead is
 * answered NOT_COORDINATOR, one whose partition is being loaded COORDINATOR_LOAD_IN_PROGRESS.
 */
public final class GroupCoordinator {

  /**
   * Requests waiting for an answer on this node, at most; a JoinGroup may wait for minutes. Further
   * ones are refused with COORDINATOR_LOAD_IN_PROGRESS, upon which clients back off and retry.
   */
  public static final int UNANSWERED_MAX = 100_000;

  private final int nodeId;
  private final GroupConfig config;
  private final ReplicaDirectory replicas;
  private final MetadataService metadata;
  private final Clock clock;
  private final Routes routes = new Routes();
  private final OffsetsTopic offsetsTopic;
  private final AtomicInteger unanswered = new AtomicInteger();

  public GroupCoordinator(
      int nodeId,
      GroupConfig config,
      ReplicaDirectory replicas,
      MetadataService metadata,
      Clock clock) {
    this.nodeId = nodeId;
    this.config = config;
    this.replicas = replicas;
    this.metadata = metadata;
    this.clock = clock;
    this.offsetsTopic = new OffsetsTopic(config, metadata);
  }

  /** The actor that keeps up with leaderships; to be spawned once in the node's actor system. */
  public Behavior<?> behavior() {
    return GroupCoordinatorActor.create(nodeId, config, replicas, metadata, clock, routes);
  }

  /** The topic that groups are stored in. */
  public OffsetsTopic offsetsTopic() {
    return offsetsTopic;
  }

  /** The settings in force. */
  public GroupConfig config() {
    return config;
  }

  /** A member id nobody else has: the client's own name for the member, and a random part. */
  public static String newMemberId(String instanceOrClientId) {
    return instanceOrClientId + "-" + UUID.randomUUID();
  }

  /**
   * Asks a group.
   *
   * @return its answer, refusals included; never fails. It may be completed on the thread of the
   *     group's actor.
   */
  public <R extends Message> CompletionStage<R> ask(GroupRequest<R> request) {
    CompletableFuture<R> answer = new CompletableFuture<>();
    GroupActor.Serve<R> serve = new GroupActor.Serve<>(request, answer);
    if (unanswered.incrementAndGet() > UNANSWERED_MAX) {
      unanswered.decrementAndGet();
      serve.refuse(Errors.COORDINATOR_LOAD_IN_PROGRESS);
      return answer;
    }
    answer.whenComplete((_, _) -> unanswered.decrementAndGet());
    ActorRef<GroupActor.Command> group = routes.group(request.groupId());
    if (group != null) {
      group.tell(serve);
      return answer;
    }
    int partition = offsetsTopic.partitionOf(request.groupId());
    ActorRef<OffsetsPartitionActor.Command> owner =
        partition < 0 ? null : routes.partition(partition);
    if (owner != null) {
      owner.tell(new OffsetsPartitionActor.Route(serve));
    } else if (partition >= 0 && offsetsTopic.leaderOf(partition) == nodeId) {
      serve.refuse(Errors.COORDINATOR_LOAD_IN_PROGRESS); // The leadership is about to begin.
    } else {
      serve.refuse(Errors.NOT_COORDINATOR);
    }
    return answer;
  }

  /** True while a partition this node leads is being loaded: a listing would lack its groups. */
  public boolean isLoading() {
    return routes.isLoading();
  }

  /** Every group this node coordinates, as copies. */
  public List<ListedGroup> list() {
    List<ListedGroup> groups = new ArrayList<>();
    for (GroupListing listing : routes.listings()) {
      Collection<ListedGroup> lines = listing.lines();
      lines.forEach(line -> groups.add(line.duplicate()));
    }
    return groups;
  }

  /** The partition of {@code __consumer_offsets} that keeps a group, as Kafka's clients know it. */
  static int partitionOf(String groupId, int partitionCount) {
    return Utils.abs(groupId.hashCode()) % partitionCount;
  }

  /** Name of the topic. */
  public static String topicName() {
    return Topic.GROUP_METADATA_TOPIC_NAME;
  }
}
