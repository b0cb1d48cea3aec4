package io.milena.metadata.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.actor.MetadataGroup.Command;
import io.milena.metadata.actor.MetadataGroup.Forward;
import io.milena.metadata.actor.MetadataGroup.Internal;
import io.milena.metadata.actor.MetadataGroup.Request;
import io.milena.metadata.actor.MetadataGroup.Requests;
import io.milena.metadata.actor.MetadataGroup.Submit;
import io.milena.metadata.actor.MetadataGroup.Unavailable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The door of {@link MetadataGroup}, and its parent: gathers commands while the member is busy and
 * hands over all at once. Everything else passes through.
 *
 * <p>Why: {@code EventSourcedBehavior} unstashes by recursion. Some hundred commands that came
 * while it persisted, and persist nothing themselves, overflow its stack (Akka 2.8.5); so they must
 * not reach its stash one by one.
 *
 * <p>Akka stops a persistent actor whose journal refuses a write, past any supervision around it; a
 * new member is made here after a while, so that a disk that was full does not end the group.
 */
final class MetadataInlet extends AbstractBehavior<Command> {

  /**
   * Name of the child that takes what is large for this actor: remoting has a connection of its own
   * for such receivers (large-message-destinations in milena-akka.conf).
   */
  static final String BULK = "bulk";

  /** How long after the member has ended a new one is made. */
  private static final Duration RESPAWN_DELAY = Duration.ofSeconds(1);

  private final Function<ActorRef<Command>, Behavior<Command>> newMember;
  private ActorRef<Command> member;
  private List<Request> gathered = new ArrayList<>();
  private boolean memberIsReady;

  /**
   * @param member makes the member, which tells this actor {@link Internal#READY} once it has
   *     recovered, and after each {@link Requests}
   */
  static Behavior<Command> create(Function<ActorRef<Command>, Behavior<Command>> member) {
    return Behaviors.setup(context -> new MetadataInlet(context, member));
  }

  private MetadataInlet(
      ActorContext<Command> context, Function<ActorRef<Command>, Behavior<Command>> newMember) {
    super(context);
    this.newMember = newMember;
    this.member = spawnMember();
    ActorRef<Command> self = context.getSelf();
    context.spawn(
        Behaviors.<Command>receiveMessage(large -> {
          self.tell(large);
          return Behaviors.same();
        }),
        BULK,
        Props.empty());
  }

  private ActorRef<Command> spawnMember() {
    ActorRef<Command> spawned =
        getContext().spawn(newMember.apply(getContext().getSelf()), "member");
    getContext().watch(spawned);
    return spawned;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onSignal(Terminated.class, _ -> onMemberEnded())
        .onAnyMessage(this::onMessage)
        .build();
  }

  private Behavior<Command> onMemberEnded() {
    memberIsReady = false;
    getContext().scheduleOnce(RESPAWN_DELAY, getContext().getSelf(), Internal.RESPAWN);
    return this;
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Submit(MetadataCommand<?> asked, ActorRef<MetadataGroup.Outcome> replyTo) ->
          gather(new Request(asked, new Asker.Here(replyTo), Forwarding.HOPS_MAX));
      case Forward(ActorRef<Command> from, long requestId, MetadataCommand<?> asked, int hops) ->
          gather(new Request(asked, new Asker.Elsewhere(from, requestId), hops));
      case Internal.READY -> {
        memberIsReady = true;
        handOver();
      }
      case Internal.RESPAWN -> member = spawnMember();
      case Requests _ -> member.tell(command);
      case MetadataGroup.Receive _ -> member.tell(command);
      case MetadataGroup.Answered _ -> member.tell(command);
      case MetadataGroup.PeerGone _ -> member.tell(command);
      case MetadataGroup.ChangeMembership _ -> member.tell(command);
      case MetadataGroup.TransferLeadership _ -> member.tell(command);
      case MetadataGroup.GetStatus _ -> member.tell(command);
      case MetadataGroup.GetLeaderStatus _ -> member.tell(command);
      case Internal.DECIDE, Internal.CONTINUE, Internal.TICK, Internal.EXPIRE ->
          member.tell(command);
    }
    return this;
  }

  private void gather(Request request) {
    if (gathered.size() >= MetadataGroup.PARKED_MAX) {
      request
          .asker()
          .tell(
              new Unavailable(
                  gathered.size()
                      + " commands already wait for this node's metadata member: try again later"),
              0);
      return;
    }
    gathered.add(request);
    handOver();
  }

  private void handOver() {
    if (memberIsReady && !gathered.isEmpty()) {
      member.tell(new Requests(List.copyOf(gathered)));
      gathered = new ArrayList<>();
      memberIsReady = false;
    }
  }
}
