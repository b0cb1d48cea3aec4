package io.milena.replication.actor;

import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.log.PartitionLog;
import io.milena.replication.ReplicaConfig;
import java.time.Duration;

/**
 * Parent of the replica actors of a node, and the clock of their common chores. {@link
 * LocalReplicas} creates it and tells it what to start; it decides nothing.
 */
final class ReplicaSupervisor extends AbstractOnMessageBehavior<ReplicaSupervisor.Command> {

  /** Dispatcher of the replica actors; see {@link CarrierExecutorConfigurator}. */
  static final String DISPATCHER = "milena.replica-dispatcher";

  sealed interface Command {}

  /** A log has been opened: its actor can start. */
  record Start(ReplicaHandle handle, PartitionLog log, ReplicaConfig config, long highWatermark)
      implements Command {}

  /** A chore is due. */
  enum Chore implements Command {
    MAINTAIN,
    CHECKPOINT_HIGH_WATERMARKS,
    CHECKPOINT_RECOVERY_POINTS
  }

  private final LocalReplicas replicas;
  private final ReplicaActor.Environment environment;
  private long started;

  static Behavior<Command> create(LocalReplicas replicas, ReplicaActor.Environment environment) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(
            timers -> new ReplicaSupervisor(context, timers, replicas, environment)));
  }

  private ReplicaSupervisor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      LocalReplicas replicas,
      ReplicaActor.Environment environment) {
    super(context);
    this.replicas = replicas;
    this.environment = environment;
    LocalReplicas.Intervals intervals = replicas.intervals();
    every(timers, Chore.MAINTAIN, intervals.maintain());
    every(timers, Chore.CHECKPOINT_HIGH_WATERMARKS, intervals.highWatermarkCheckpoint());
    every(timers, Chore.CHECKPOINT_RECOVERY_POINTS, intervals.recoveryPointCheckpoint());
  }

  private static void every(TimerScheduler<Command> timers, Chore chore, Duration interval) {
    timers.startTimerWithFixedDelay(chore, chore, interval);
  }

  @Override
  public Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Start start -> onStart(start);
      case Chore chore -> onChore(chore);
    }
    return this;
  }

  private void onStart(Start start) {
    ReplicaHandle handle = start.handle();
    Behavior<ReplicaCommand> actor =
        Behaviors.supervise(
                ReplicaActor.create(
                    handle, start.log(), start.config(), start.highWatermark(), environment))
            .onFailure(SupervisorStrategy.stop());
    started++;
    handle.recoveryPoint(start.log()::recoveryPoint);
    handle.attach(
        getContext()
            .spawn(
                actor,
                handle.partition() + "-" + started,
                DispatcherSelector.fromConfig(DISPATCHER)));
  }

  private void onChore(Chore chore) {
    switch (chore) {
      case MAINTAIN -> replicas.maintain();
      case CHECKPOINT_HIGH_WATERMARKS ->
          environment.io().execute(replicas::checkpointHighWatermarks);
      case CHECKPOINT_RECOVERY_POINTS ->
          environment.io().execute(replicas::checkpointRecoveryPoints);
    }
  }
}
