package io.milena.group.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.group.ClassicGroup;
import io.milena.group.Moment;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The groups of one partition of {@code __consumer_offsets}, in one leadership of this node.
 * Created by {@link GroupCoordinatorActor}. Loads the partition, then creates a {@link GroupActor}
 * for each group somebody asks for. Groups without members that nobody asks for rest here, without
 * an actor. Ends a while after it was told to, once every group has answered those who wait and
 * what was on its way here has been refused.
 */
final class OffsetsPartitionActor extends AbstractOnMessageBehavior<OffsetsPartitionActor.Command> {

  private static final Logger LOG = LoggerFactory.getLogger(OffsetsPartitionActor.class);

  /** A partition that cannot be loaded is tried again after this. */
  private static final Duration LOAD_RETRY = Duration.ofSeconds(1);

  sealed interface Command {}

  /** A request for a group that has no route. */
  record Route(GroupActor.Serve<?> serve) implements Command {}

  /** Topics were deleted: so are the offsets committed for them. */
  record ForgetTopics(Set<String> topics) implements Command {}

  /** The leadership this partition was loaded in has ended. */
  enum Stop implements Command {
    INSTANCE
  }

  /** A group has been idle: it may retire. */
  record GroupIdle(String groupId, ActorRef<GroupActor.Command> actor) implements Command {}

  /** A group asked to retire has something to do after all. */
  record GroupActive(String groupId, ActorRef<GroupActor.Command> actor) implements Command {}

  /** A retired group is handed back. */
  record GroupParked(ClassicGroup group) implements Command {}

  /** A group that has retired, or broke, was told of deleted topics too late to act on it. */
  record TopicsMissed(String groupId, ActorRef<GroupActor.Command> actor, Set<String> topics)
      implements Command {}

  /** A group broke an invariant of its own. */
  record GroupBroke(
      String groupId,
      ActorRef<GroupActor.Command> actor,
      List<CompletableFuture<Errors>> appends,
      RuntimeException cause)
      implements Command {}

  private record GroupEnded(String groupId, ActorRef<GroupActor.Command> actor)
      implements Command {}

  private record Loaded(Map<String, ClassicGroup> groups) implements Command {}

  private record LoadFailed(Throwable cause) implements Command {}

  private record ReloadGroup(String groupId) implements Command {}

  private record GroupReloadFailed(String groupId, Throwable cause) implements Command {}

  private record GroupReloaded(String groupId, @Nullable ClassicGroup group) implements Command {}

  private enum Load implements Command {
    INSTANCE
  }

  private enum ExpiryTick implements Command {
    INSTANCE
  }

  private enum GraceOver implements Command {
    INSTANCE
  }

  private final OffsetsLog log;
  private final Routes routes;
  private final GroupListing listing;
  private final TimerScheduler<Command> timers;
  private final Executor blocking;

  /** Groups without an actor; each is here or in {@code live}, or does not exist. */
  private final Map<String, ClassicGroup> resting = new HashMap<>();

  private final Map<String, ActorRef<GroupActor.Command>> live = new HashMap<>();

  /**
   * Groups on their way from {@code live} to {@code resting}, or being loaded anew; each with the
   * topics deleted meanwhile, whose offsets it is to forget once it is back.
   */
  private final Map<String, Set<String>> unavailable = new HashMap<>();

  private final Set<String> deletedWhileLoading = new HashSet<>();

  /** Done when what was in the log at the start of loading is replicated. */
  private CompletableFuture<Void> replicated = new CompletableFuture<>();

  private boolean loaded;
  private boolean stopping;
  private boolean graceOver;

  static Behavior<Command> create(OffsetsLog log, Routes routes) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> {
          context.getSelf().tell(Load.INSTANCE);
          return new OffsetsPartitionActor(context, log, routes, timers);
        }));
  }

  private OffsetsPartitionActor(
      ActorContext<Command> context,
      OffsetsLog log,
      Routes routes,
      TimerScheduler<Command> timers) {
    super(context);
    this.log = log;
    this.routes = routes;
    this.timers = timers;
    this.listing = new GroupListing();
    this.blocking = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    return switch (command) {
      case Route route -> onRoute(route.serve());
      case Load _ -> onLoad();
      case Loaded done -> onLoaded(done.groups());
      case LoadFailed failed -> onLoadFailed(failed.cause());
      case GroupIdle idle -> onGroupIdle(idle);
      case GroupActive active -> onGroupActive(active);
      case GroupParked parked -> onGroupParked(parked.group());
      case TopicsMissed missed -> onTopicsMissed(missed);
      case GroupBroke broke -> onGroupBroke(broke);
      case ReloadGroup reload -> reload(reload.groupId(), List.of());
      case GroupReloadFailed failed -> onGroupReloadFailed(failed);
      case GroupReloaded reloaded -> onGroupReloaded(reloaded);
      case GroupEnded ended -> onGroupEnded(ended);
      case ExpiryTick _ -> onExpiryTick();
      case ForgetTopics forget -> onForgetTopics(forget.topics());
      case Stop _ -> onStop();
      case GraceOver _ -> onGraceOver();
    };
  }

  private Behavior<Command> onRoute(GroupActor.Serve<?> serve) {
    String groupId = serve.request().groupId();
    if (stopping) {
      serve.refuse(Errors.NOT_COORDINATOR);
    } else if (!loaded || unavailable.containsKey(groupId)) {
      serve.refuse(Errors.COORDINATOR_LOAD_IN_PROGRESS);
    } else {
      actorOf(groupId).tell(serve);
    }
    return this;
  }

  private ActorRef<GroupActor.Command> actorOf(String groupId) {
    ActorRef<GroupActor.Command> actor = live.get(groupId);
    if (actor != null) {
      return actor;
    }
    ClassicGroup group = resting.remove(groupId);
    return spawn(group == null ? new ClassicGroup(groupId, log.config()) : group, false);
  }

  private ActorRef<GroupActor.Command> spawn(ClassicGroup group, boolean resuming) {
    String groupId = group.groupId();
    ActorRef<GroupActor.Command> actor =
        getContext()
            .spawnAnonymous(
                GroupActor.create(group, resuming, log, listing, getContext().getSelf()));
    getContext().watchWith(actor, new GroupEnded(groupId, actor));
    live.put(groupId, actor);
    routes.put(groupId, actor);
    return actor;
  }

  // ---- loading

  private Behavior<Command> onLoad() {
    if (!stopping) {
      // What is above the high watermark could still be lost: it is not answered from before.
      replicated = HighWatermark.reaches(log.replica(), log.replica().view().log().logEndOffset());
      CompletionStage<Map<String, ClassicGroup>> groups =
          replicated.thenApplyAsync(_ -> load(_ -> true), blocking);
      getContext()
          .pipeToSelf(
              groups,
              (result, failure) -> failure == null ? new Loaded(result) : new LoadFailed(failure));
    }
    return this;
  }

  private Map<String, ClassicGroup> load(Predicate<String> wanted) {
    try {
      return log.load(wanted);
    } catch (IOException failed) {
      throw new CompletionException(failed);
    }
  }

  private Behavior<Command> onLoaded(Map<String, ClassicGroup> groups) {
    if (stopping) {
      return this;
    }
    loaded = true;
    groups.values().forEach(this::resume);
    onForgetTopics(Set.copyOf(deletedWhileLoading));
    deletedWhileLoading.clear();
    routes.publish(log.replica().partition().partition(), listing);
    Duration interval = Duration.ofMillis(log.config().offsetsRetentionCheckIntervalMs());
    timers.startTimerWithFixedDelay(ExpiryTick.INSTANCE, interval);
    return this;
  }

  /** A group with members needs its timers; any other may rest. */
  private void resume(ClassicGroup group) {
    if (group.hasStoredMembers()) {
      spawn(group, true);
    } else {
      group.resume(log.now());
      rest(group);
    }
  }

  private void rest(ClassicGroup group) {
    listing.update(group);
    if (group.exists() && group.isDormant() && !group.isDead()) {
      resting.put(group.groupId(), group);
    }
  }

  private Behavior<Command> onLoadFailed(Throwable cause) {
    if (!stopping) {
      LOG.error(
          "{} could not be loaded: its groups are unavailable; trying again in {} s",
          log.replica().partition(),
          LOAD_RETRY.toSeconds(),
          cause);
      timers.startSingleTimer(Load.INSTANCE, LOAD_RETRY);
    }
    return this;
  }

  // ---- the life of groups

  private void becomesUnavailable(String groupId) {
    unavailable.computeIfAbsent(groupId, _ -> new HashSet<>());
  }

  /** The group is in {@code live} or {@code resting} again, unless nothing is left of it. */
  private void isBack(ClassicGroup group) {
    String groupId = group.groupId();
    Set<String> missed = unavailable.remove(groupId);
    boolean exists = live.containsKey(groupId) || resting.containsKey(groupId);
    if (missed != null && exists && group.hasOffsetsOf(missed)) {
      actorOf(groupId).tell(new GroupActor.ForgetTopics(missed));
    }
  }

  private Behavior<Command> onGroupIdle(GroupIdle idle) {
    if (!stopping && idle.actor().equals(live.get(idle.groupId()))) {
      routes.remove(idle.groupId(), idle.actor());
      becomesUnavailable(idle.groupId());
      idle.actor().tell(GroupActor.Retire.INSTANCE);
    }
    return this;
  }

  private Behavior<Command> onGroupActive(GroupActive active) {
    unavailable.remove(active.groupId());
    if (!stopping) {
      routes.put(active.groupId(), active.actor());
    }
    return this;
  }

  private Behavior<Command> onGroupParked(ClassicGroup group) {
    if (stopping) {
      return this; // Its actor lingers: its end is waited for.
    }
    live.remove(group.groupId());
    rest(group);
    isBack(group);
    return this;
  }

  private Behavior<Command> onTopicsMissed(TopicsMissed missed) {
    String groupId = missed.groupId();
    Set<String> remembered = unavailable.get(groupId);
    ActorRef<GroupActor.Command> successor = live.get(groupId);
    ClassicGroup rester = resting.get(groupId);
    if (remembered != null) {
      remembered.addAll(missed.topics());
    } else if (!stopping
        && ((successor != null && !successor.equals(missed.actor()))
            || (rester != null && rester.hasOffsetsOf(missed.topics())))) {
      actorOf(groupId).tell(new GroupActor.ForgetTopics(missed.topics()));
    }
    return this;
  }

  private Behavior<Command> onGroupBroke(GroupBroke broke) {
    String groupId = broke.groupId();
    LOG.error("group {} broke and is loaded anew from its records", groupId, broke.cause());
    if (stopping) {
      return this;
    }
    live.remove(groupId, broke.actor());
    routes.remove(groupId, broke.actor());
    becomesUnavailable(groupId);
    return reload(groupId, broke.appends());
  }

  private Behavior<Command> reload(String groupId, List<CompletableFuture<Errors>> after) {
    CompletionStage<GroupReloaded> reloaded =
        CompletableFuture.allOf(after.toArray(CompletableFuture[]::new))
            .thenApplyAsync(
                _ -> new GroupReloaded(groupId, load(groupId::equals).get(groupId)), blocking);
    getContext()
        .pipeToSelf(
            reloaded,
            (result, failure) ->
                failure == null ? result : new GroupReloadFailed(groupId, failure));
    return this;
  }

  private Behavior<Command> onGroupReloadFailed(GroupReloadFailed failed) {
    if (stopping) {
      return this;
    }
    LOG.error(
        "group {} could not be loaded and is unavailable; trying again in {} s",
        failed.groupId(),
        LOAD_RETRY.toSeconds(),
        failed.cause());
    timers.startSingleTimer(failed.groupId(), new ReloadGroup(failed.groupId()), LOAD_RETRY);
    return this;
  }

  private Behavior<Command> onGroupReloaded(GroupReloaded reloaded) {
    ClassicGroup group = reloaded.group();
    if (group == null) {
      unavailable.remove(reloaded.groupId());
    } else if (!stopping) {
      resume(group);
      isBack(group);
    }
    return this;
  }

  private Behavior<Command> onGroupEnded(GroupEnded ended) {
    routes.remove(ended.groupId(), ended.actor());
    boolean unexpected = live.remove(ended.groupId(), ended.actor());
    if (stopping) {
      return stoppedIfDone();
    }
    if (unexpected) {
      // It could not even report what broke it; not at once, lest it break in a tight loop.
      becomesUnavailable(ended.groupId());
      timers.startSingleTimer(ended.groupId(), new ReloadGroup(ended.groupId()), LOAD_RETRY);
    }
    return this;
  }

  private Behavior<Command> onExpiryTick() {
    Moment now = log.now();
    live.values().forEach(actor -> actor.tell(GroupActor.ExpireOffsets.INSTANCE));
    List<String> due =
        resting.values().stream()
            .filter(group -> group.hasSomethingToExpire(now))
            .map(ClassicGroup::groupId)
            .toList();
    due.forEach(groupId -> actorOf(groupId).tell(GroupActor.ExpireOffsets.INSTANCE));
    return this;
  }

  private Behavior<Command> onForgetTopics(Set<String> topics) {
    if (!loaded) {
      deletedWhileLoading.addAll(topics);
      return this;
    }
    unavailable.values().forEach(missed -> missed.addAll(topics));
    GroupActor.ForgetTopics forget = new GroupActor.ForgetTopics(topics);
    live.values().forEach(actor -> actor.tell(forget));
    List<String> concerned =
        resting.values().stream()
            .filter(group -> group.hasOffsetsOf(topics))
            .map(ClassicGroup::groupId)
            .toList();
    concerned.forEach(groupId -> actorOf(groupId).tell(forget));
    return this;
  }

  private Behavior<Command> onStop() {
    stopping = true;
    timers.cancelAll();
    replicated.cancel(false);
    routes.withdraw(log.replica().partition().partition(), listing);
    live.forEach((groupId, actor) -> {
      routes.remove(groupId, actor);
      actor.tell(GroupActor.Stop.INSTANCE);
    });
    timers.startSingleTimer(GraceOver.INSTANCE, GraceOver.INSTANCE, GroupActor.RETIRED_GRACE);
    return this;
  }

  private Behavior<Command> onGraceOver() {
    graceOver = true;
    return stoppedIfDone();
  }

  private Behavior<Command> stoppedIfDone() {
    return graceOver && live.isEmpty() ? Behaviors.stopped() : this;
  }
}
