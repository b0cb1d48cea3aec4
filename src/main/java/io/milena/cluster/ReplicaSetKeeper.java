package io.milena.cluster;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.sharding.ShardRegion;
import akka.cluster.sharding.typed.ShardingEnvelope;
import akka.cluster.sharding.typed.ShardingMessageExtractor;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.Entity;
import akka.cluster.typed.Cluster;
import io.milena.common.Clock;
import io.milena.metadata.LeaderBalance;
import io.milena.metadata.LeaderPlacement;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.ReplicaSetImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Sees to it that every replica set in the image has a running {@link ReplicaSetLeader}. One a
 * node: it starts sharding there, starts the entities of the sets that {@link LeaderPlacement} puts
 * on its node, and tells those that run on its node when their set has changed.
 *
 * <p>It looks at the whole image, tens of sets, when a set or a node has changed, and every {@link
 * #CHECK_INTERVAL} in case a start message was lost. Images that follow each other fast are one
 * look.
 */
final class ReplicaSetKeeper extends AbstractOnMessageBehavior<ReplicaSetKeeper.Command> {

  /** Start messages are lost only while regions come and go. */
  static final Duration CHECK_INTERVAL = Duration.ofSeconds(10);

  /**
   * How long a hand-over waits for entities that were asked to start: a region that ends with start
   * messages it could not deliver would wait for them for good.
   */
  static final Duration STARTING_TIMEOUT = Duration.ofSeconds(1);

  sealed interface Command {}

  /** An entity runs on this node. */
  record EntityStarted(int setId, ActorRef<ReplicaSetLeader.Command> entity) implements Command {}

  /** Hand every entity over to other nodes, where there are some, and end; then replies. */
  record HandOver(ActorRef<HandedOver> replyTo) implements Command {}

  /** No entity is left on this node, and none will come. */
  enum HandedOver {
    INSTANCE
  }

  private record EntityEnded(int setId, ActorRef<ReplicaSetLeader.Command> entity)
      implements Command {}

  private enum Internal implements Command {
    LOOK,
    CHECK,
    /** Entities that are starting had their time. */
    STARTING_TIMED_OUT,
    REGION_ENDED
  }

  /** A set's entity on this node, and the set as the entity was last told of it. */
  private record Running(ActorRef<ReplicaSetLeader.Command> entity, ReplicaSetImage set) {}

  private final int nodeId;
  private final MetadataService metadata;
  private final TimerScheduler<Command> timers;
  private final ActorRef<ShardingEnvelope<ReplicaSetLeader.Command>> region;
  private final Map<Integer, Running> running = new HashMap<>();

  /** Sets whose entity was asked to start since the last check. */
  private final Set<Integer> asked = new HashSet<>();

  /** At most one look waits in the mailbox. */
  private final AtomicBoolean lookWaits = new AtomicBoolean();

  private final List<ActorRef<HandedOver>> waitForHandOver = new ArrayList<>();

  static Behavior<Command> create(
      int nodeId,
      LongSupplier nodeEpoch,
      MetadataService metadata,
      LeaderBalance.Settings balance) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(
            timers -> new ReplicaSetKeeper(context, timers, nodeId, nodeEpoch, metadata, balance)));
  }

  private ReplicaSetKeeper(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      int nodeId,
      LongSupplier nodeEpoch,
      MetadataService metadata,
      LeaderBalance.Settings balance) {
    super(context);
    this.nodeId = nodeId;
    this.metadata = metadata;
    this.timers = timers;
    this.region =
        startSharding(
            context,
            new ReplicaSetLeader.Environment(nodeId, nodeEpoch, metadata, context.getSelf()),
            balance);
    context.watchWith(region, Internal.REGION_ENDED);
    timers.startTimerWithFixedDelay(Internal.CHECK, CHECK_INTERVAL);
    ActorRef<Command> self = context.getSelf();
    metadata.subscribe((delta, _) -> {
      if (!(delta.replicaSets().isEmpty() && delta.nodes().isEmpty())
          && lookWaits.compareAndSet(false, true)) {
        self.tell(Internal.LOOK);
      }
    });
  }

  private static ActorRef<ShardingEnvelope<ReplicaSetLeader.Command>> startSharding(
      ActorContext<Command> context,
      ReplicaSetLeader.Environment node,
      LeaderBalance.Settings balance) {
    return ClusterSharding.get(context.getSystem())
        .init(
            Entity.of(
                    ReplicaSetLeader.TYPE_KEY,
                    entity ->
                        ReplicaSetLeader.create(
                            Integer.parseInt(entity.getEntityId()), node, entity.getShard()))
                .withStopMessage(ReplicaSetLeader.Internal.STOP)
                .withMessageExtractor(new OneShardASet())
                .withAllocationStrategy(
                    new ReplicaSetAllocation(
                        Cluster.get(context.getSystem()),
                        node.metadata()::image,
                        Adapter.toClassic(context.getSystem()).deadLetters(),
                        balance,
                        Clock.system())));
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    return switch (command) {
      case Internal.LOOK -> {
        lookWaits.set(false);
        look();
        yield this;
      }
      case Internal.CHECK -> {
        asked.clear();
        look();
        yield this;
      }
      case EntityStarted started -> onEntityStarted(started);
      case EntityEnded(int setId, ActorRef<ReplicaSetLeader.Command> entity) -> {
        running.computeIfPresent(
            setId, (_, present) -> present.entity().equals(entity) ? null : present);
        yield this;
      }
      case HandOver(ActorRef<HandedOver> replyTo) -> onHandOver(replyTo);
      case Internal.STARTING_TIMED_OUT -> onStartingTimedOut();
      case Internal.REGION_ENDED -> onHandedOver();
    };
  }

  private void look() {
    MetadataImage image = metadata.image();
    running.replaceAll((setId, present) -> {
      ReplicaSetImage set = image.replicaSets().get(setId);
      if (present.set().equals(set)) {
        return present;
      }
      present.entity().tell(ReplicaSetLeader.Internal.REVIEW);
      return set == null ? present : new Running(present.entity(), set);
    });
    if (!waitForHandOver.isEmpty()) {
      return;
    }
    for (int setId : image.replicaSets().keySet()) {
      OptionalInt chosen = LeaderPlacement.choose(image, setId);
      if (chosen.isPresent()
          && chosen.getAsInt() == nodeId
          && !running.containsKey(setId)
          && asked.add(setId)) {
        region.tell(new ShardingEnvelope<>(Integer.toString(setId), new ReplicaSetLeader.Start()));
      }
    }
  }

  private Behavior<Command> onEntityStarted(EntityStarted started) {
    getContext().watchWith(started.entity(), new EntityEnded(started.setId(), started.entity()));
    asked.remove(started.setId());
    ReplicaSetImage set = metadata.image().replicaSets().get(started.setId());
    if (set != null) {
      running.put(started.setId(), new Running(started.entity(), set));
    }
    // The image may have changed since the entity looked at it.
    started.entity().tell(ReplicaSetLeader.Internal.REVIEW);
    endRegionOnceStarted();
    return this;
  }

  private Behavior<Command> onHandOver(ActorRef<HandedOver> replyTo) {
    boolean isFirst = waitForHandOver.isEmpty();
    waitForHandOver.add(replyTo);
    if (isFirst) {
      timers.cancelAll();
      timers.startSingleTimer(Internal.STARTING_TIMED_OUT, STARTING_TIMEOUT);
      endRegionOnceStarted();
    }
    return this;
  }

  private void endRegionOnceStarted() {
    if (!waitForHandOver.isEmpty() && asked.isEmpty()) {
      Adapter.toClassic(region)
          .tell(ShardRegion.gracefulShutdownInstance(), akka.actor.ActorRef.noSender());
    }
  }

  private Behavior<Command> onStartingTimedOut() {
    if (running.isEmpty()) {
      return onHandedOver();
    }
    asked.clear();
    endRegionOnceStarted();
    return this;
  }

  private Behavior<Command> onHandedOver() {
    waitForHandOver.forEach(replyTo -> replyTo.tell(HandedOver.INSTANCE));
    return Behaviors.stopped();
  }

  /** A set's id is the id of its entity and of its shard. */
  private static final class OneShardASet
      extends ShardingMessageExtractor<
          ShardingEnvelope<ReplicaSetLeader.Command>, ReplicaSetLeader.Command> {

    @Override
    public String entityId(ShardingEnvelope<ReplicaSetLeader.Command> envelope) {
      return envelope.entityId();
    }

    @Override
    public String shardId(String entityId) {
      return entityId;
    }

    @Override
    public ReplicaSetLeader.Command unwrapMessage(
        ShardingEnvelope<ReplicaSetLeader.Command> envelope) {
      return envelope.message();
    }
  }
}
