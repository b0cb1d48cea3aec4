package io.milena.cluster;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.ClusterEvent;
import akka.cluster.InternalClusterAction;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Down;
import akka.cluster.typed.Subscribe;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downs the members that {@link FencedMembers} names. One a node, created by Akka's cluster daemon
 * through {@link FencingDowningProvider}; every node downs, as downing twice is downing once. Looks
 * when the metadata changes and when a member cannot be reached; and hurries Akka on while members
 * come or go. No timer runs otherwise.
 */
final class FencingDowning extends AbstractOnMessageBehavior<FencingDowning.Command> {

  private static final Logger LOG = LoggerFactory.getLogger(FencingDowning.class);

  sealed interface Command {}

  private record Provided(MetadataService metadata) implements Command {}

  private enum Look implements Command {
    INSTANCE,
    /** A member came, left, or is on the way. */
    MOVED,
    /** Some still are. */
    HURRY
  }

  /** Akka's own timers' messages (2.8.5, the last version under this licence). */
  private static final List<Object> ROUNDS =
      List.of(
          InternalClusterAction.ReapUnreachableTick$.MODULE$,
          InternalClusterAction.GossipTick$.MODULE$,
          InternalClusterAction.LeaderActionsTick$.MODULE$);

  private static final Duration HURRY_INTERVAL = Duration.ofMillis(50);
  private static final int HURRIES = 40;

  private final Cluster cluster;
  private final FencedMembers rules;

  /** At most one look waits in the mailbox, however fast images follow each other. */
  private final AtomicBoolean lookWaits = new AtomicBoolean();

  private final akka.cluster.Cluster classicCluster;
  private final TimerScheduler<Command> timers;

  private @Nullable MetadataService metadata;
  private int hurriesLeft;

  /** Members whose downing was logged: it may take several looks until they are gone. */
  private final Set<MemberIdentity> said = new HashSet<>();

  static Behavior<Command> create() {
    return Behaviors.setup(context -> {
      Cluster cluster = Cluster.get(context.getSystem());
      Optional<MemberIdentity> self = MemberIdentity.of(cluster.selfMember().getRoles());
      return self.<Behavior<Command>>map(identity ->
              Behaviors.withTimers(timers ->
                  new FencingDowning(context, timers, cluster, new FencedMembers(identity))))
          .orElseGet(() -> withoutIdentity(cluster));
    });
  }

  private static Behavior<Command> withoutIdentity(Cluster cluster) {
    LOG.error(
        "Roles {} do not say which node this is: members that die will not be removed from the"
            + " cluster. Do not set akka.cluster.roles",
        cluster.selfMember().getRoles());
    return Behaviors.ignore();
  }

  private FencingDowning(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Cluster cluster,
      FencedMembers rules) {
    super(context);
    this.timers = timers;
    this.classicCluster = akka.cluster.Cluster.get(Adapter.toClassic(context.getSystem()));
    this.cluster = cluster;
    this.rules = rules;
    cluster
        .subscriptions()
        .tell(
            Subscribe.create(
                context.messageAdapter(ClusterEvent.ReachabilityEvent.class, _ -> Look.INSTANCE),
                ClusterEvent.ReachabilityEvent.class));
    cluster
        .subscriptions()
        .tell(
            Subscribe.create(
                context.messageAdapter(ClusterEvent.MemberEvent.class, _ -> Look.MOVED),
                ClusterEvent.MemberEvent.class));
    var self = context.getSelf();
    var _ =
        ClusterMetadata.get(context.getSystem())
            .whenProvided()
            .thenAccept(service -> self.tell(new Provided(service)));
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Provided(MetadataService service) -> onProvided(service);
      case Look.INSTANCE -> onLook();
      case Look.MOVED -> {
        hurriesLeft = HURRIES;
        onHurry();
      }
      case Look.HURRY -> onHurry();
    }
    return this;
  }

  private void onProvided(MetadataService service) {
    metadata = service;
    var self = getContext().getSelf();
    service.subscribe((delta, image) -> {
      for (int nodeId : delta.nodes()) {
        NodeImage node = image.nodes().get(nodeId);
        if (node != null) {
          rules.note(node);
        }
      }
      if (!delta.nodes().isEmpty() && lookWaits.compareAndSet(false, true)) {
        self.tell(Look.INSTANCE);
      }
    });
    onLook();
  }

  private void onLook() {
    lookWaits.set(false);
    if (metadata == null) {
      return;
    }
    ClusterEvent.CurrentClusterState state = cluster.state();
    List<FencedMembers.Seen> seen = new ArrayList<>();
    for (Member member : state.getMembers()) {
      MemberIdentity.of(member.getRoles())
          .ifPresent(identity ->
              seen.add(new FencedMembers.Seen(identity, !state.getUnreachable().contains(member))));
    }
    Set<MemberIdentity> down = rules.toDown(metadata::image, seen);
    said.retainAll(down);
    for (Member member : state.getMembers()) {
      MemberIdentity.of(member.getRoles())
          .filter(down::contains)
          .ifPresent(identity -> {
            if (said.add(identity)) {
              LOG.info(
                  "Node {} at {} is fenced by the metadata group: removing it from the cluster",
                  identity.nodeId(),
                  member.address());
            }
            FencingFailureDetector.fence(classicCluster.failureDetector(), member.address());
            cluster.manager().tell(new Down(member.address()));
          });
    }
  }

  private static boolean isSettled(ClusterEvent.CurrentClusterState state) {
    for (Member member : state.getMembers()) {
      if (!member.status().equals(MemberStatus.up())) {
        return false;
      }
    }
    return true;
  }

  /**
   * Akka notices, spreads and acts on what is known in rounds of up to half a second each. What it
   * is told here is only that the next round of each is due now, while members come or go.
   */
  private void onHurry() {
    hurriesLeft = isSettled(cluster.state()) ? 0 : hurriesLeft - 1;
    if (hurriesLeft > 0) {
      akka.actor.ActorRef core = classicCluster.clusterCore();
      for (Object round : ROUNDS) {
        core.tell(round, akka.actor.ActorRef.noSender());
      }
      timers.startSingleTimer(Look.HURRY, HURRY_INTERVAL);
    }
  }
}
