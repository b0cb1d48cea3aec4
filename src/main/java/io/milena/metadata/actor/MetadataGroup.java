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
import io.milena.metadata.DecisionContext;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataRecordCodec;
import io.milena.metadata.MetadataReply;
import io.milena.raft.DurableState;
import io.milena.raft.Effects;
import io.milena.raft.Input;
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

  private static final Duration RESTART_BACKOFF_MIN = Duration.ofMillis(200);
  private static final Duration RESTART_BACKOFF_MAX = Duration.ofSeconds(5);

  /** What the member is told. */
  public sealed interface Command {}

  /** Somebody on this node asks for a change. */
  public record Submit(MetadataCommand<?> command, ActorRef<Outcome> replyTo) implements Command {}

  /** A message of another member arrived. */
  public record Receive(int from, Message message) implements Command {}

  /** A member's process is gone for certain. */
  public record PeerGone(int nodeId) implements Command {}

  /** The group shall change, if this node leads it; refusals show in the status only. */
  public record ChangeMembership(MembershipChange change) implements Command {}

  /** Leadership shall go to another voter, if this node has it. */
  public record TransferLeadership(int toNodeId) implements Command {}

  /** How the group looks from here. */
  public record GetStatus(ActorRef<RaftStatus> replyTo) implements Command {}

  /** What waited in the inlet. */
  record Submits(List<Submit> submits) implements Command {}

  enum Internal implements Command {
    /** To the inlet: the member is ready for the next {@link Submits}. */
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
  private final MetadataLeadership leadership;
  private final MetadataApplication application;

  /** Built once recovery has shown what is durable. */
  private @Nullable RaftCore core;

  private final ArrayDeque<Effects> outstanding = new ArrayDeque<>();
  private final ArrayDeque<Submit> parked = new ArrayDeque<>();
  private final Map<Long, List<MetadataLeadership.Answer>> reads = new HashMap<>();
  private long nextId;
  private boolean decideIsSent;
  private boolean ticks;

  /**
   * @param publisher gets every image that this node has applied
   */
  public static Behavior<Command> create(
      MetadataGroupSettings settings, MetadataPublisher publisher, Peers peers) {
    return MetadataInlet.create(inlet -> member(inlet, settings, publisher, peers));
  }

  /** Starts anew from the journal whenever it fails, be it the journal or a broken invariant. */
  private static Behavior<Command> member(
      ActorRef<Command> inlet,
      MetadataGroupSettings settings,
      MetadataPublisher publisher,
      Peers peers) {
    Behavior<Command> member =
        Behaviors.setup(context ->
            Behaviors.withTimers(
                timers -> new MetadataGroup(context, timers, inlet, settings, publisher, peers)));
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
      case Submit submit -> onSubmit(submit);
      case Submits(List<Submit> submits) -> {
        submits.forEach(this::onSubmit);
        inlet.tell(Internal.READY);
      }
      case Receive(int from, Message message) -> step(new Input.Receive(from, message));
      case PeerGone(int nodeId) -> step(new Input.PeerGone(nodeId));
      case ChangeMembership(MembershipChange change) ->
          step(new Input.ChangeMembership(nextId++, change));
      case TransferLeadership(int toNodeId) -> step(new Input.TransferLeadership(toNodeId));
      case GetStatus(ActorRef<RaftStatus> replyTo) -> replyTo.tell(core().status());
      case Internal.DECIDE -> {
        decideIsSent = false;
        decide();
      }
      case Internal.TICK -> {
        step(new Input.Tick());
        decide();
      }
      case Internal.EXPIRE -> expire();
      case Internal.CONTINUE, Internal.READY, Internal.RESPAWN -> {}
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
    effects.messages().forEach(envelope -> peers.send(envelope.to(), envelope.message()));
    effects.install().ifPresent(application::install);
    effects.apply().forEach(entry -> leadership.applied(application.apply(entry)));
    effects.reads().forEach(this::onRead);
    application
        .takeSnapshot()
        .ifPresent(taken -> step(new Input.SnapshotTaken(taken.index(), taken.data())));
    adjustTicks();
    if (!parked.isEmpty() && core().isLeaderUpToDate()) {
      sendDecide();
    }
  }

  /** A leader without others has no silence to notice and no heartbeat to send. */
  private void adjustTicks() {
    boolean needed = !(core().isLeader() && core().membership().members().size() == 1);
    if (needed != ticks) {
      ticks = needed;
      if (needed) {
        timers.startTimerAtFixedRate(Internal.TICK, settings.tickInterval());
      } else {
        timers.cancel(Internal.TICK);
      }
    }
  }

  private void onSubmit(Submit submit) {
    if (parked.size() >= PARKED_MAX) {
      submit
          .replyTo()
          .tell(
              new Unavailable(
                  PARKED_MAX + " commands already wait for the metadata leader: try again later"));
      return;
    }
    parked.addLast(submit);
    if (core().isLeaderUpToDate()) {
      sendDecide();
    } else if (!timers.isTimerActive(Internal.EXPIRE)) {
      timers.startSingleTimer(Internal.EXPIRE, settings.submitTimeout());
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
    if (parked.isEmpty() || !raft.isLeaderUpToDate()) {
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
    MetadataLeadership.Batch batch = leadership.decide(parked);
    if (batch.records().isEmpty()) {
      answerOnceConfirmed(batch.answers());
    } else {
      propose(batch);
    }
    if (!parked.isEmpty()) {
      sendDecide();
    }
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
      case ReadOutcome.Ready _ -> MetadataLeadership.answer(answers);
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
    parked.forEach(submit ->
        submit
            .replyTo()
            .tell(
                new Unavailable(
                    "No metadata leader within "
                        + settings.submitTimeout().toMillis()
                        + " ms: a majority of the voters "
                        + core().membership().voters()
                        + " must be running and connected")));
    parked.clear();
  }
}
