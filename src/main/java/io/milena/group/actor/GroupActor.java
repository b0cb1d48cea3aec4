package io.milena.group.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.group.ClassicGroup;
import io.milena.group.Effects;
import io.milena.group.GroupRequest;
import io.milena.group.GroupState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.jspecify.annotations.Nullable;

/**
 * One consumer group: the only one to touch its {@link ClassicGroup} while it lives. Created by the
 * {@link OffsetsPartitionActor} when somebody asks for the group; a group without members that
 * nobody asks for goes back there, and the actor ends. Answers in any order; whatever depends on a
 * write is answered after every in-sync replica has it.
 */
final class GroupActor extends AbstractOnMessageBehavior<GroupActor.Command> {

  /** Nobody has asked for this long: a group without members needs no actor. */
  static final Duration IDLE_TIMEOUT = Duration.ofSeconds(10);

  /**
   * How long a retired actor refuses requests that were on their way to it: Akka would drop them,
   * and whoever asked would wait for ever.
   */
  static final Duration RETIRED_GRACE = Duration.ofSeconds(2);

  /** Writes under way, at most: further ones are refused with COORDINATOR_LOAD_IN_PROGRESS. */
  static final int APPENDS_UNDER_WAY_MAX = 1_000;

  sealed interface Command {}

  /**
   * A request and where its answer goes.
   *
   * @param <R> type of the answer
   */
  record Serve<R extends Message>(GroupRequest<R> request, CompletableFuture<R> answer)
      implements Command {
    void refuse(Errors error) {
      answer.complete(request.refusal(error));
    }

    @SuppressWarnings("unchecked") // a group answers a request in the request's own type
    void complete(Message response) {
      answer.complete((R) response);
    }
  }

  /** Forget offsets whose retention is over. */
  enum ExpireOffsets implements Command {
    INSTANCE
  }

  /** Forget the offsets of deleted topics. */
  record ForgetTopics(Set<String> topics) implements Command {}

  /** Hand the group back if it is dormant still. */
  enum Retire implements Command {
    INSTANCE
  }

  /** This node does not coordinate the group any more. */
  enum Stop implements Command {
    INSTANCE
  }

  private record Appended(long appendId, Errors error) implements Command {}

  private enum WakeUp implements Command {
    INSTANCE
  }

  private enum Idle implements Command {
    INSTANCE
  }

  private enum GraceOver implements Command {
    INSTANCE
  }

  private final ClassicGroup group;
  private final OffsetsLog log;
  private final GroupListing listing;
  private final ActorRef<OffsetsPartitionActor.Command> partition;
  private final TimerScheduler<Command> timers;
  private final Map<Long, Serve<?>> unanswered = new HashMap<>();
  private final Map<Long, CompletableFuture<Errors>> appends = new HashMap<>();
  private long nextRequestId;
  private long armedForMs = Long.MAX_VALUE;
  private @Nullable GroupState listedState;
  private boolean listedExists;

  /**
   * @param resuming true for a group just loaded: its sessions start now
   */
  static Behavior<Command> create(
      ClassicGroup group,
      boolean resuming,
      OffsetsLog log,
      GroupListing listing,
      ActorRef<OffsetsPartitionActor.Command> partition) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> {
          GroupActor actor = new GroupActor(context, group, log, listing, partition, timers);
          context.setReceiveTimeout(IDLE_TIMEOUT, Idle.INSTANCE);
          if (resuming) {
            actor.run(group.resume(log.now()));
          }
          return actor;
        }));
  }

  private GroupActor(
      ActorContext<Command> context,
      ClassicGroup group,
      OffsetsLog log,
      GroupListing listing,
      ActorRef<OffsetsPartitionActor.Command> partition,
      TimerScheduler<Command> timers) {
    super(context);
    this.group = group;
    this.log = log;
    this.listing = listing;
    this.partition = partition;
    this.timers = timers;
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    try {
      return switch (command) {
        case Serve<?> serve -> onServe(serve);
        case Appended appended -> onAppended(appended);
        case WakeUp _ -> onWakeUp();
        case ExpireOffsets _ -> run(group.expireOffsets(log.now()));
        case ForgetTopics forget -> run(group.forgetTopics(forget.topics()));
        case Idle _ -> onIdle();
        case Retire _ -> onRetire();
        case Stop _ -> onStop();
        case GraceOver _ -> this;
      };
    } catch (RuntimeException broken) {
      // The group's state can be trusted no longer; its records can: it is loaded anew.
      refuseAll(Errors.COORDINATOR_NOT_AVAILABLE);
      partition.tell(
          new OffsetsPartitionActor.GroupBroke(
              group.groupId(), getContext().getSelf(), List.copyOf(appends.values()), broken));
      return retired(Errors.COORDINATOR_LOAD_IN_PROGRESS);
    }
  }

  private Behavior<Command> onServe(Serve<?> serve) {
    if (group.appendsUnderWay() >= APPENDS_UNDER_WAY_MAX
        && serve.request() instanceof GroupRequest.CommitOffsets) {
      serve.refuse(Errors.COORDINATOR_LOAD_IN_PROGRESS);
      return this;
    }
    long requestId = nextRequestId++;
    unanswered.put(requestId, serve);
    return run(group.handle(requestId, serve.request(), log.now()));
  }

  private Behavior<Command> onAppended(Appended appended) {
    appends.remove(appended.appendId());
    return run(group.appended(appended.appendId(), appended.error(), log.now()));
  }

  private Behavior<Command> onWakeUp() {
    armedForMs = Long.MAX_VALUE;
    return run(group.onTimer(log.now()));
  }

  private Behavior<Command> run(Effects effects) {
    for (Effects.Append append : effects.appends()) {
      CompletableFuture<Errors> written = log.append(append.records());
      appends.put(append.appendId(), written);
      ActorRef<Command> self = getContext().getSelf();
      written.thenAccept(error -> self.tell(new Appended(append.appendId(), error)));
    }
    list(); // Before the answers: whoever has one finds in a listing what it says.
    for (Effects.Reply reply : effects.replies()) {
      Serve<?> serve = unanswered.remove(reply.requestId());
      if (serve != null) {
        serve.complete(reply.response());
      }
    }
    arm();
    return this;
  }

  /** A timer that is early only costs a look; so sessions that go on do not move it. */
  private void arm() {
    long wakeAtMs = group.wakeAtMs();
    if (wakeAtMs < armedForMs) {
      armedForMs = wakeAtMs;
      long delayMs = Math.max(1, wakeAtMs - log.now().monotonicMs());
      timers.startSingleTimer(WakeUp.INSTANCE, WakeUp.INSTANCE, Duration.ofMillis(delayMs));
    }
  }

  private void list() {
    if (group.state() != listedState || group.exists() != listedExists) {
      listedState = group.state();
      listedExists = group.exists();
      listing.update(group);
    }
  }

  private Behavior<Command> onIdle() {
    if (group.isDormant()) {
      partition.tell(new OffsetsPartitionActor.GroupIdle(group.groupId(), getContext().getSelf()));
    }
    return this;
  }

  private Behavior<Command> onRetire() {
    if (!group.isDormant()) {
      partition.tell(
          new OffsetsPartitionActor.GroupActive(group.groupId(), getContext().getSelf()));
      return this;
    }
    partition.tell(new OffsetsPartitionActor.GroupParked(group));
    return retired(Errors.COORDINATOR_LOAD_IN_PROGRESS);
  }

  /** Refuses what is still on its way, and ends. */
  private Behavior<Command> retired(Errors refusal) {
    getContext().cancelReceiveTimeout();
    timers.cancelAll();
    timers.startSingleTimer(GraceOver.INSTANCE, GraceOver.INSTANCE, RETIRED_GRACE);
    return Behaviors.receiveMessage(late ->
        switch (late) {
          case Serve<?> serve -> {
            serve.refuse(refusal);
            yield Behaviors.same();
          }
          case GraceOver _ -> Behaviors.stopped();
          case ForgetTopics forget -> {
            partition.tell(
                new OffsetsPartitionActor.TopicsMissed(
                    group.groupId(), getContext().getSelf(), forget.topics()));
            yield Behaviors.same();
          }
          case Appended _, WakeUp _, ExpireOffsets _, Idle _, Retire _, Stop _ -> Behaviors.same();
        });
  }

  private Behavior<Command> onStop() {
    refuseAll(Errors.NOT_COORDINATOR);
    group.stop();
    return retired(Errors.NOT_COORDINATOR);
  }

  private void refuseAll(Errors error) {
    List<Serve<?>> waiting = new ArrayList<>(unanswered.values());
    unanswered.clear();
    waiting.forEach(serve -> serve.refuse(error));
  }
}
