package io.milena.metadata.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.RecoveryCompleted;
import akka.persistence.typed.SnapshotAdapter;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.persistence.typed.javadsl.SignalHandler;
import io.milena.common.Clock;
import io.milena.common.ClusterMessage;
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MembershipPlan;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataRecordCodec;
import io.milena.metadata.MetadataReply;
import io.milena.raft.DurableState;
import io.milena.raft.Effects;
import io.milena.raft.Entry;
import io.milena.raft.HardState;
import io.milena.raft.Input;
import io.milena.raft.LogPosition;
import io.milena.raft.MembershipChange;
import io.milena.raft.Message;
import io.milena.raft.Persist;
import io.milena.raft.ProposalOutcome;
import io.milena.raft.RaftCore;
import io.milena.raft.RaftStatus;
import io.milena.raft.ReadOutcome;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * This node's member of the metadata group: runs {@link RaftCore}, decides commands while it leads,
 * and applies what is committed to the image of {@link MetadataPublisher}. One a node.
 *
 * <p>Its events are what Raft must not forget ({@link Persist}), its snapshots what they add up to.
 * The effects of Raft's steps are carried out in order, each only once what it needs is persisted:
 * so nothing is sent, applied or answered before. While a persist is under way commands wait in
 * {@link MetadataInlet}, and are then decided as one batch with one persist.
 *
 * <p>Commands that come before a leader is there are parked, at most {@link #PARKED_MAX} and for
 * the settings' {@code submitTimeout}; beyond that they are refused as {@link Unavailable}. A group
 * of one elects itself at once and needs no ticks: then no timer runs.
 */
public final class MetadataGroup
    extends EventSourcedBehavior<MetadataGroup.Command, Persist, DurableState> {

  /** Of every member: each node has a journal of its own. */
  public static final String PERSISTENCE_ID = "metadata-raft";

  /** Commands that wait for a leader: more than a node's admin requests and registrations. */
  static final int PARKED_MAX = 1_024;

  /** Events after which the state is put into the snapshot store, and events before it go. */
  private static final int EVENTS_PER_STORED_SNAPSHOT = 1_000;

  /** Ticks without a leader after which other nodes are asked: they may have left this one out. */
  private static final int LEADERLESS_TICKS_MAX = 40;

  private static final Duration RESTART_BACKOFF_MIN = Duration.ofMillis(200);
  private static final Duration RESTART_BACKOFF_MAX = Duration.ofSeconds(5);

  /** What the member is told. */
  public sealed interface Command {}

  /** What members on different nodes say to each other. */
  public sealed interface Remote extends Command, ClusterMessage {}

  /** Somebody on this node asks for a change. */
  public record Submit(MetadataCommand<?> command, ActorRef<Outcome> replyTo) implements Command {}

  /** A message of another member's Raft arrived. */
  public record Receive(int from, Message message) implements Remote {}

  /**
   * Somebody on another node asks for a change.
   *
   * @param from that node's member, which gets {@link Answered}
   * @param requestId to be returned
   * @param hops how many more members may pass it on to the leader
   */
  public record Forward(
      ActorRef<Command> from, long requestId, MetadataCommand<?> command, int hops)
      implements Remote {}

  /**
   * What became of a {@link Forward}.
   *
   * @param imageIndex of an image that shows it
   */
  public record Answered(long requestId, Outcome outcome, long imageIndex) implements Remote {}

  /** A member's process is gone for certain. */
  public record PeerGone(int nodeId) implements Command {}

  /** The group shall change, if this node leads it; refusals show in the status only. */
  public record ChangeMembership(MembershipChange change) implements Command {}

  /** Leadership shall go to another voter, if this node has it. */
  public record TransferLeadership(int toNodeId) implements Command {}

  /** How the group looks from here. */
  public record GetStatus(ActorRef<RaftStatus> replyTo) implements Command {}

  /**
   * How the group looks from its leader, wherever that is.
   *
   * @param hops how many more members may pass it on
   */
  public record GetLeaderStatus(ActorRef<LeaderStatus> replyTo, int hops) implements Remote {}

  /**
   * How the group looks from its leader, or from a member that knows none.
   *
   * @param silentMs for how long nothing was heard of each node; without those never heard of
   */
  public record LeaderStatus(RaftStatus status, Map<Integer, Long> silentMs)
      implements ClusterMessage {
    public LeaderStatus {
      silentMs = Map.copyOf(silentMs);
    }
  }

  /** What waited in the inlet. */
  record Requests(List<Request> requests) implements Command {}

  enum Internal implements Command {
    /** To the inlet: the member is ready for the next {@link Requests}. */
    READY,
    /** To the inlet: time to make a new member. */
    RESPAWN,
    /** Decide what is parked: sent once for everything that waits in the mailbox. */
    DECIDE,
    /** Effects are left to be carried out. */
    CONTINUE,
    TICK,
    /** Looks for parked commands that waited too long. */
    EXPIRE
  }

  /**
   * A command, wherever it was asked for.
   *
   * @param hops how many more members may pass it on
   */
  record Request(MetadataCommand<?> command, Asker asker, int hops) {}

  /** What became of a command. */
  public sealed interface Outcome {}

  /** It was decided, and what it led to is committed and applied here. */
  public record Decided(MetadataReply reply) implements Outcome {}

  /** No leader could be asked, or it lost its leadership meanwhile. */
  public record Unavailable(String reason) implements Outcome {}

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final ActorRef<Command> inlet;
  private final MetadataGroupSettings settings;
  private final Peers peers;
  private final Clock clock = Clock.system();
  private final MetadataLeadership leadership;
  private final MetadataApplication application;
  private final MetadataUpkeep upkeep;
  private final LeaderContact contact;
  private final Forwarding forwarding;

  /** Built once recovery has shown what is durable. */
  private @Nullable RaftCore core;

  private final ArrayDeque<Effects> outstanding = new ArrayDeque<>();
  private final ArrayDeque<Request> parked = new ArrayDeque<>();
  private final Map<Long, List<MetadataLeadership.Answer>> reads = new HashMap<>();
  private long nextId;
  private boolean decideIsSent;
  private boolean ticks;
  private long lastTickNanos;

  /** Ticks since a leader was known. */
  private int leaderlessTicks;

  private int nextContact;

  /**
   * @param publisher gets every image that this node has applied
   */
  public static Behavior<Command> create(
      MetadataGroupSettings settings,
      MetadataPublisher publisher,
      LeaderContact contact,
      Peers peers) {
    return MetadataInlet.create(inlet -> member(inlet, settings, publisher, contact, peers));
  }

  /** Starts anew from the journal whenever it fails, be it the journal or a broken invariant. */
  private static Behavior<Command> member(
      ActorRef<Command> inlet,
      MetadataGroupSettings settings,
      MetadataPublisher publisher,
      LeaderContact contact,
      Peers peers) {
    Behavior<Command> member =
        Behaviors.setup(context ->
            Behaviors.withTimers(timers ->
                new MetadataGroup(context, timers, inlet, settings, publisher, contact, peers)));
    return Behaviors.supervise(member)
        .onFailure(
            SupervisorStrategy.restartWithBackoff(RESTART_BACKOFF_MIN, RESTART_BACKOFF_MAX, 0.1));
  }

  private MetadataGroup(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ActorRef<Command> inlet,
      MetadataGroupSettings settings,
      MetadataPublisher publisher,
      LeaderContact contact,
      Peers peers) {
    super(PersistenceId.ofUniqueId(PERSISTENCE_ID));
    this.context = context;
    this.timers = timers;
    this.inlet = inlet;
    this.settings = settings;
    this.peers = peers;
    this.leadership =
        new MetadataLeadership(new DecisionContext(settings.nodeConfig(), Uuid::randomUuid));
    this.application = new MetadataApplication(publisher, settings.snapshotBytes());
    this.upkeep = new MetadataUpkeep(settings);
    this.contact = contact;
    this.forwarding = new Forwarding(inlet, settings.seed());
  }

  @Override
  public DurableState emptyState() {
    return DurableState.initial(settings.initialMembership());
  }

  @Override
  public EventHandler<DurableState, Persist> eventHandler() {
    return (state, persist) -> {
      state.replay(persist);
      return state;
    };
  }

  @Override
  public SignalHandler<DurableState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::onRecovered)
        .build();
  }

  @Override
  public CommandHandler<Command, Persist, DurableState> commandHandler() {
    return this::onCommand;
  }

  @Override
  public SnapshotAdapter<DurableState> snapshotAdapter() {
    return StoredRaftState.adapter();
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_STORED_SNAPSHOT, 2)
        .withDeleteEventsOnSnapshot();
  }

  @Override
  public String journalPluginId() {
    return settings.journalPluginId();
  }

  @Override
  public String snapshotPluginId() {
    return settings.snapshotPluginId();
  }

  private Effect<Persist, DurableState> onCommand(DurableState state, Command command) {
    switch (command) {
      case Requests(List<Request> requests) -> {
        parked.addAll(requests);
        place();
        inlet.tell(Internal.READY);
      }
      case Receive(int from, Message message) -> onReceive(from, message);
      case Answered answered -> forwarding.answered(answered, application.image().appliedIndex());
      case PeerGone(int nodeId) -> {
        upkeep.gone(application.image(), nodeId);
        step(new Input.PeerGone(nodeId));
        doUpkeep();
      }
      case ChangeMembership(MembershipChange change) ->
          step(new Input.ChangeMembership(nextId++, change));
      case TransferLeadership(int toNodeId) -> step(new Input.TransferLeadership(toNodeId));
      case GetStatus(ActorRef<RaftStatus> replyTo) -> replyTo.tell(core().status());
      case GetLeaderStatus asked -> onGetLeaderStatus(asked);
      case Internal.DECIDE -> {
        decideIsSent = false;
        decide();
      }
      case Internal.TICK -> onTick();
      case Internal.EXPIRE -> expire();
      // The inlet keeps these to itself, or turns them into requests.
      case Submit _, Forward _ -> {}
      case Internal.READY, Internal.RESPAWN, Internal.CONTINUE -> {}
    }
    return carryOut();
  }

  private void onRecovered(DurableState state) {
    core = new RaftCore(settings.raft(), state, settings.seed());
    outstanding.addLast(core.start());
    context.getSelf().tell(Internal.CONTINUE);
    inlet.tell(Internal.READY);
  }

  private RaftCore core() {
    if (core == null) {
      throw new IllegalStateException("no command is handled before recovery is completed");
    }
    return core;
  }

  private void step(Input input) {
    outstanding.addLast(core().step(input));
  }

  /**
   * Carries out effects in order. What is to be persisted first ends the round: the rest follows
   * once it is.
   */
  private Effect<Persist, DurableState> carryOut() {
    while (!outstanding.isEmpty()) {
      Effects next = outstanding.getFirst();
      if (!next.persist().isEmpty()) {
        return Effect().persist(next.persist()).thenRun(_ -> onPersisted());
      }
      outstanding.removeFirst();
      perform(next);
    }
    return Effect().none();
  }

  private void onPersisted() {
    Effects done = outstanding.removeFirst();
    perform(done);
    step(new Input.Persisted(done.persist().sequence()));
    while (!outstanding.isEmpty() && outstanding.getFirst().persist().isEmpty()) {
      perform(outstanding.removeFirst());
    }
    if (!outstanding.isEmpty()) {
      context.getSelf().tell(Internal.CONTINUE);
    }
  }

  /** Everything but persisting. */
  private void perform(Effects effects) {
    effects
        .messages()
        .forEach(envelope ->
            peers.send(envelope.to(), new Receive(core().nodeId(), envelope.message())));
    effects.install().ifPresent(application::install);
    for (Entry entry : effects.apply()) {
      LogPosition position = application.apply(entry);
      leadership.applied(position, application.image().appliedIndex());
    }
    forwarding.shown(application.image().appliedIndex());
    effects.reads().forEach(this::onRead);
    application
        .takeSnapshot()
        .ifPresent(taken -> step(new Input.SnapshotTaken(taken.index(), taken.data())));
    noteLeader();
    adjustTicks();
    if (!effects.apply().isEmpty()) {
      doUpkeep();
    }
    place();
  }

  private void onGetLeaderStatus(GetLeaderStatus asked) {
    int leader = core().leaderId();
    if (leader == core().nodeId() || leader == HardState.NOBODY || asked.hops() == 0) {
      asked.replyTo().tell(new LeaderStatus(core().status(), upkeep.silentMs()));
    } else {
      peers.send(leader, new GetLeaderStatus(asked.replyTo(), asked.hops() - 1));
    }
  }

  private void onReceive(int from, Message message) {
    upkeep.heard(from);
    step(new Input.Receive(from, message));
    if (from == core().leaderId()) {
      contact.renew(false);
    }
  }

  /** Ticks that come in a heap, after a pause or a slow write, count as one. */
  private void onTick() {
    long now = clock.monotonicNanos();
    if (now - lastTickNanos < settings.tickInterval().toNanos() / 2) {
      return;
    }
    lastTickNanos = now;
    upkeep.tick(now);
    leaderlessTicks = core().leaderId() == HardState.NOBODY ? leaderlessTicks + 1 : 0;
    step(new Input.Tick());
    doUpkeep();
    place();
    decide();
  }

  /** What must happen when another leader, or another epoch of one, comes to be known. */
  private void noteLeader() {
    RaftCore raft = core();
    if (raft.isLeader()) {
      contact.renew(raft.membership().members().size() == 1);
    } else {
      contact.leaveAlone();
    }
    if (upkeep.noteLeader(raft)) {
      parked.addAll(forwarding.lost(raft.epoch()));
    }
  }

  /** The leader's own initiative. */
  private void doUpkeep() {
    RaftCore raft = core();
    if (!raft.isLeaderUpToDate()) {
      return;
    }
    for (MetadataCommand<?> command : upkeep.commands(application.image())) {
      parked.add(new Request(command, Asker.Nobody.INSTANCE, 0));
    }
    upkeep
        .membershipChange(application.image(), raft)
        .ifPresent(change -> step(new Input.ChangeMembership(nextId++, change)));
    if (!parked.isEmpty()) {
      sendDecide();
    }
  }

  /** A leader without others has no silence to notice and no heartbeat to send. */
  private void adjustTicks() {
    boolean needed = !(core().isLeader() && core().membership().members().size() == 1);
    if (needed != ticks) {
      ticks = needed;
      if (needed) {
        timers.startTimerWithFixedDelay(Internal.TICK, settings.tickInterval());
      } else {
        timers.cancel(Internal.TICK);
      }
    }
  }

  /** Parked commands go to whoever leads, if that is known. */
  private void place() {
    refuseTooMany();
    if (parked.isEmpty()) {
      return;
    }
    RaftCore raft = core();
    if (raft.takesProposals()) {
      sendDecide();
    } else if (raft.isLeader()) {
      awaitLeader();
    } else if (raft.leaderId() != HardState.NOBODY) {
      forward(raft.leaderId(), raft.epoch());
    } else if (!peers.contacts().isEmpty()
        && (!raft.membership().contains(raft.nodeId()) || leaderlessTicks > LEADERLESS_TICKS_MAX)) {
      List<Integer> contacts = peers.contacts();
      forward(contacts.get(nextContact++ % contacts.size()), Forwarding.TO_ANYONE);
    } else {
      awaitLeader();
    }
  }

  private void awaitLeader() {
    if (!timers.isTimerActive(Internal.EXPIRE)) {
      timers.startSingleTimer(Internal.EXPIRE, settings.submitTimeout());
    }
  }

  private void refuseTooMany() {
    while (parked.size() > PARKED_MAX) {
      parked
          .removeLast()
          .asker()
          .tell(
              new Unavailable(
                  PARKED_MAX + " commands already wait for the metadata leader: try again later"),
              0);
    }
  }

  private void forward(int to, int epoch) {
    for (Request request; (request = parked.pollFirst()) != null; ) {
      if (request.asker() == Asker.Nobody.INSTANCE) {
        continue; // The leader's own initiative is the next leader's now.
      }
      if (request.hops() == 0) {
        request
            .asker()
            .tell(new Unavailable("The metadata leader changes too often: ask again"), 0);
      } else {
        peers.send(to, forwarding.forward(request, epoch));
      }
    }
  }

  private void sendDecide() {
    if (!decideIsSent) {
      decideIsSent = true;
      context.getSelf().tell(Internal.DECIDE);
    }
  }

  private void decide() {
    RaftCore raft = core();
    if (parked.isEmpty() || !raft.takesProposals()) {
      return;
    }
    if (!leadership.isOf(raft.epoch())) {
      if (!outstanding.isEmpty()) {
        // The core counts entries as applied once it has handed them out: the image lacks them.
        sendDecide();
        return;
      }
      leadership.begin(raft.epoch(), application.image());
    }
    if (parked.getFirst().command() instanceof MetadataCommand.ChangeVoter change) {
      changeVoter(parked.removeFirst(), change);
    } else {
      decideBatch();
    }
    if (!parked.isEmpty()) {
      sendDecide();
    }
  }

  private void decideBatch() {
    MetadataLeadership.Batch batch = leadership.decide(parked);
    if (batch.records().isEmpty()) {
      answerOnceConfirmed(batch.answers());
    } else {
      propose(batch);
    }
  }

  private void changeVoter(Request request, MetadataCommand.ChangeVoter command) {
    switch (leadership.requested(command, core().membership(), settings.votersTarget())) {
      case MembershipPlan.Requested.Refused(MetadataReply.Done reply) ->
          answerOnceConfirmed(List.of(new MetadataLeadership.Answer(request, reply)));
      case MembershipPlan.Requested.Due(MembershipChange change) -> {
        Effects effects = core().step(new Input.ChangeMembership(nextId++, change));
        outstanding.addLast(effects);
        for (ProposalOutcome outcome : effects.proposals()) {
          onVoterProposed(request, outcome);
        }
      }
    }
  }

  private void onVoterProposed(Request request, ProposalOutcome outcome) {
    switch (outcome) {
      case ProposalOutcome.Appended(_, LogPosition position) ->
          leadership.waitFor(
              position,
              new MetadataLeadership.Answer(request, new MetadataReply.Done(Errors.NONE, "")));
      case ProposalOutcome.Refused refused ->
          answerOnceConfirmed(
              List.of(
                  new MetadataLeadership.Answer(
                      request,
                      new MetadataReply.Done(
                          Errors.REQUEST_TIMED_OUT, reasonOf(refused.reason())))));
    }
  }

  private static String reasonOf(ProposalOutcome.Reason reason) {
    return switch (reason) {
      case NOT_CAUGHT_UP ->
          "The node has not caught up with the metadata log: is it running? Ask again once it has";
      case CHANGE_IN_PROGRESS -> "Another change of the metadata group is under way: ask again";
      case NOT_LEADER, TRANSFERRING, TOO_MUCH_UNCOMMITTED, NO_SUCH_CHANGE ->
          "The metadata group takes no change now (" + reason + "): ask again";
    };
  }

  private void propose(MetadataLeadership.Batch batch) {
    Effects effects =
        core().step(new Input.Propose(nextId++, MetadataRecordCodec.encode(batch.records())));
    outstanding.addLast(effects);
    for (ProposalOutcome outcome : effects.proposals()) {
      switch (outcome) {
        case ProposalOutcome.Appended appended -> leadership.appended(batch, appended.position());
        case ProposalOutcome.Refused refused ->
            MetadataLeadership.refuse(
                batch.answers(), "The metadata group takes no change now: " + refused.reason());
      }
    }
  }

  /** A reply that changes nothing still must not come from a leader that has been deposed. */
  private void answerOnceConfirmed(List<MetadataLeadership.Answer> answers) {
    if (!leadership.waitForNewest(answers, application.appliedIndex())) {
      long readId = nextId++;
      reads.put(readId, answers);
      step(new Input.ReadIndex(readId));
    }
  }

  private void onRead(ReadOutcome outcome) {
    List<MetadataLeadership.Answer> answers = reads.remove(outcome.readId());
    if (answers == null) {
      return;
    }
    switch (outcome) {
      case ReadOutcome.Ready _ ->
          MetadataLeadership.answer(answers, application.image().appliedIndex());
      case ReadOutcome.Refused _ ->
          MetadataLeadership.refuse(
              answers, "The metadata leader could not confirm that it still leads: ask again");
    }
  }

  /** Askers have given up by now, or will soon: whoever came in between asks again. */
  private void expire() {
    if (core().isLeaderUpToDate()) {
      sendDecide();
      return;
    }
    Unavailable refusal =
        new Unavailable(
            "No metadata leader within "
                + settings.submitTimeout().toMillis()
                + " ms: a majority of the voters "
                + core().membership().voters()
                + " must be running and connected");
    parked.forEach(request -> request.asker().tell(refusal, 0));
    parked.clear();
  }
}
