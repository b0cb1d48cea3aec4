package io.milena.replication.actor;

import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.Signal;
import akka.actor.typed.javadsl.AbstractOnMessageBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.common.Clock;
import io.milena.log.AppendOutcome;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import io.milena.replication.FollowedAnswer;
import io.milena.replication.InSyncReports;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaCore;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition replica: the only writer of its log. {@link LocalReplicas} creates it once the log
 * has been opened, so it starts recovered. It runs on the network loop that sends to it whenever it
 * is idle (see {@link CarrierExecutorConfigurator}), so nothing here blocks: flushes and the
 * removal of files run on other threads.
 *
 * <p>{@link ReplicaCore} has the rules. Order on an append: write, publish the view, acknowledge.
 * In fsync mode the view's high watermark and the acknowledgement wait for a flush that covers the
 * append; all appends that came while one flush ran share the next (group commit).
 */
final class ReplicaActor extends AbstractOnMessageBehavior<ReplicaCommand> {

  private static final Logger LOG = LoggerFactory.getLogger(ReplicaActor.class);

  /** How long a closed actor refuses what was on its way to it; then it stops. */
  private static final Duration LINGER = Duration.ofSeconds(10);

  /**
   * What the actor is given by {@link LocalReplicas}.
   *
   * @param nodeId this node
   * @param io runs flushes that nobody waits for, and file removal
   * @param flusher runs the flushes of fsync mode, see {@link FlushRounds}
   * @param onRecordsDeleted told when a log start offset was moved by request
   * @param diskSpace told when an append finds none
   * @param onOffline told that a replica went offline, and of the failure of its log if it had one
   * @param inSync told how the followers of a replica do that leads
   */
  record Environment(
      int nodeId,
      Clock clock,
      Executor io,
      Executor flusher,
      Runnable onRecordsDeleted,
      DiskSpace diskSpace,
      BiConsumer<ReplicaHandle, Optional<LogFailedException>> onOffline,
      Function<ReplicaHandle, InSyncReports> inSync) {}

  private final ReplicaHandle handle;
  private final PartitionLog log;
  private final Environment environment;
  private final TimerScheduler<ReplicaCommand> timers;
  private final ReplicaCore core;
  private final ReplicaFlushes flushes;
  private final ExpiredFiles expiredFiles;

  /** When the timer of {@link #scheduleExpiry} is due; only while it runs. */
  private long expiryDueNanos;

  private ReplicaConfig config;
  private boolean withoutSpace;
  private boolean offline;
  private boolean closed;

  static Behavior<ReplicaCommand> create(
      ReplicaHandle handle,
      PartitionLog log,
      ReplicaConfig config,
      long highWatermark,
      Environment environment) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers ->
            new ReplicaActor(context, handle, log, config, highWatermark, environment, timers)));
  }

  private ReplicaActor(
      ActorContext<ReplicaCommand> context,
      ReplicaHandle handle,
      PartitionLog log,
      ReplicaConfig config,
      long highWatermark,
      Environment environment,
      TimerScheduler<ReplicaCommand> timers) {
    super(context);
    this.handle = handle;
    this.log = log;
    this.config = config;
    this.environment = environment;
    this.timers = timers;
    this.core =
        new ReplicaCore(
            environment.nodeId(),
            handle.partition(),
            log,
            config,
            highWatermark,
            environment.inSync().apply(handle));
    this.flushes = new ReplicaFlushes(log, context.getSelf(), timers);
    this.expiredFiles = new ExpiredFiles(log, environment.clock(), environment.io(), timers);
    publish();
    flushes.schedule(config.log().flushMs());
  }

  @Override
  public Behavior<ReplicaCommand> onMessage(ReplicaCommand command) {
    if (closed) {
      return onClosed(command);
    }
    if (offline) {
      return onOffline(command);
    }
    try {
      switch (command) {
        case ReplicaCommand.Append append -> onAppend(append);
        case ReplicaCommand.FollowerFetched fetched -> onFollowerFetched(fetched);
        case ReplicaCommand.LeaderAnswered answered -> onLeaderAnswered(answered);
        case ReplicaCommand.DeleteRecords delete -> onDeleteRecords(delete);
        case ReplicaCommand.Lead lead -> onLead(lead);
        case ReplicaCommand.Follow(int epoch, int leader) -> {
          core.follow(epoch, leader);
          onChange();
        }
        case ReplicaCommand.StepDown(int epoch) -> {
          core.stepDown(epoch);
          onChange();
        }
        case ReplicaCommand.Join(int epoch, int node, long nodeEpoch) ->
            core.join(epoch, node, nodeEpoch);
        case ReplicaCommand.Withdraw(int epoch, int node) -> {
          if (core.withdraw(epoch, node)) {
            publish();
            core.acknowledge();
          }
        }
        case ReplicaCommand.Review(long lagMaxNanos) ->
            core.review(environment.clock().monotonicNanos(), lagMaxNanos);
        case ReplicaCommand.Reconfigure reconfigure -> onReconfigure(reconfigure);
        case ReplicaCommand.Maintain _ -> onMaintain();
        case ReplicaCommand.Flushed flushed -> onFlushed(flushed);
        case ReplicaCommand.FlushFailed failed -> flushes.onFailed(failed.failure());
        case ReplicaCommand.FlushDue _, ReplicaCommand.RetryFlush _ -> onFlushDue();
        case ReplicaCommand.RemoveFiles _ -> {
          expiredFiles.remove();
          expiredFiles.schedule();
        }
        case ReplicaCommand.Stop _ -> {}
        case ReplicaCommand.ExpireWaiting _ -> onExpireWaiting();
        case ReplicaCommand.ChangeLog change -> onChangeLog(change);
        case ReplicaCommand.Close close -> onClose(close);
        case ReplicaCommand.Delete delete -> onDelete(delete);
      }
      return this;
    } catch (RuntimeException failure) {
      goOffline(failure);
      return onOffline(command);
    }
  }

  @Override
  public Behavior<ReplicaCommand> onSignal(Signal signal) throws Exception {
    if (signal instanceof PostStop) {
      handle.detach();
      onSpace();
      core.end(Errors.NOT_LEADER_OR_FOLLOWER, handle.partition() + " is being closed");
      if (!closed && !offline) {
        LOG.error(
            "{} goes offline, its actor has ended unexpectedly: restart the node",
            handle.partition());
        handle.publish(EmptyViews.OFFLINE);
        environment.onOffline().accept(handle, Optional.empty());
      }
      return this;
    }
    return super.onSignal(signal);
  }

  // ---- leading

  private void onAppend(ReplicaCommand.Append append) {
    AppendOutcome refusal = core.refusal(append.expectedLeaderEpoch(), append.acks());
    if (refusal != null) {
      append.reply().complete(refusal);
      return;
    }
    AppendOutcome outcome;
    try {
      outcome =
          log.appendAsLeader(
              append.records(),
              core.leaderEpoch(),
              append.origin(),
              environment.clock().wallClockMs());
    } catch (LogFailedException failure) {
      onNoSpace(failure);
      append
          .reply()
          .complete(
              new AppendOutcome.Rejected(
                  Errors.KAFKA_STORAGE_ERROR, String.valueOf(failure.getMessage())));
      return;
    }
    switch (outcome) {
      case AppendOutcome.Rejected _ -> append.reply().complete(outcome);
      case AppendOutcome.Appended(long _, long lastOffset, long _) -> {
        onSpace();
        core.onLogEnd();
        flush();
        publish();
        acknowledge(append, outcome, lastOffset + 1);
      }
      case AppendOutcome.Duplicate(long _, long lastOffset, long _) ->
          acknowledge(append, outcome, lastOffset + 1);
    }
  }

  private void acknowledge(ReplicaCommand.Append append, AppendOutcome outcome, long endOffset) {
    if (core.isKept(endOffset, append.acks())) {
      append.reply().complete(outcome);
      return;
    }
    append.onWritten().run();
    long now = environment.clock().monotonicNanos();
    core.acknowledgeOnceKept(
        endOffset, append.acks(), append.timeoutMs(), outcome, append.reply(), now);
    scheduleExpiry(now);
    flushIfAwaited();
  }

  private void onLead(ReplicaCommand.Lead lead) {
    core.lead(
        lead.leaderEpoch(),
        lead.replicas(),
        lead.inSyncReplicas(),
        environment.clock().monotonicNanos());
    onChange();
  }

  private void onFollowerFetched(ReplicaCommand.FollowerFetched fetched) {
    if (core.onFollowerPosition(fetched.position())) {
      publish();
      core.acknowledge();
    }
  }

  private void onDeleteRecords(ReplicaCommand.DeleteRecords delete) {
    if (core.deleteRecords(delete.offset(), delete.reply())) {
      publish();
      environment.onRecordsDeleted().run();
      core.completeDeletions();
    }
  }

  private void scheduleExpiry(long nowNanos) {
    if (!core.hasWaiting()) {
      return;
    }
    long delay = Math.max(0, core.nanosToDeadline(nowNanos));
    if (!timers.isTimerActive(ReplicaCommand.ExpireWaiting.class)
        || nowNanos + delay - expiryDueNanos < 0) {
      expiryDueNanos = nowNanos + delay;
      timers.startSingleTimer(
          ReplicaCommand.ExpireWaiting.class,
          new ReplicaCommand.ExpireWaiting(),
          Duration.ofNanos(delay).plusMillis(1));
    }
  }

  private void onExpireWaiting() {
    long now = environment.clock().monotonicNanos();
    core.expire(now);
    scheduleExpiry(now);
  }

  // ---- following

  private void onLeaderAnswered(ReplicaCommand.LeaderAnswered answered) {
    FollowedAnswer followed;
    try {
      followed = core.onLeaderAnswer(answered.answer(), environment.clock().wallClockMs());
    } catch (LogFailedException failure) {
      onNoSpace(failure);
      publish();
      answered
          .done()
          .completeExceptionally(Errors.KAFKA_STORAGE_ERROR.exception(failure.getMessage()));
      return;
    }
    switch (followed) {
      case FollowedAnswer.Unchanged _ -> {}
      case FollowedAnswer.Followed _, FollowedAnswer.Refused _ -> onFollowed();
      case FollowedAnswer.Truncated truncated -> {
        logTruncation(truncated, answered.answer());
        onFollowed();
      }
    }
    if (followed instanceof FollowedAnswer.Refused(Errors error, String message)) {
      LOG.warn("{} was sent what it cannot append: {}", handle.partition(), message);
      answered.done().completeExceptionally(error.exception(message));
    } else {
      answered.done().complete(null);
    }
  }

  private void onFollowed() {
    onSpace();
    flush();
    publish();
  }

  private void logTruncation(FollowedAnswer.Truncated truncated, LeaderAnswer answer) {
    if (truncated.toOffset() < truncated.highWatermark()) {
      LOG.warn(
          "{} gives up offsets {} to {}, which were committed up to {}: its leader of epoch {} was"
              + " elected uncleanly and does not have them",
          handle.partition(),
          truncated.toOffset(),
          truncated.fromOffset() - 1,
          truncated.highWatermark(),
          answer.leaderEpoch());
    } else {
      LOG.info(
          "{} truncated from {} to {} to agree with its leader of epoch {}",
          handle.partition(),
          truncated.fromOffset(),
          truncated.toOffset(),
          answer.leaderEpoch());
    }
  }

  // ---- the disk

  /** The log has grown: starts the flush that the topic's settings ask for. */
  private void flush() {
    if (core.isFsync()) {
      flushIfAwaited();
    } else if (log.logEndOffset() - log.recoveryPoint() >= config.log().flushMessages()) {
      flushes.want(log.logEndOffset(), environment.io());
    } else {
      flushes.wantSealed(environment.io());
    }
  }

  /** In fsync mode: what is not on disk counts for nothing, here or at the leader. */
  private void flushIfAwaited() {
    if (core.awaitsFlush()) {
      flushes.want(log.logEndOffset(), environment.flusher());
    }
  }

  private void onFlushed(ReplicaCommand.Flushed flushed) {
    boolean wanted = flushes.isWanted();
    flushes.onFlushed(flushed.flush());
    if (core.isFsync()) {
      core.onLogEnd();
      publish();
      core.acknowledge();
      // Also what was rolled meanwhile, and is not wholly flushed.
      flushIfAwaited();
    } else if (wanted) {
      onFlushDue();
    }
  }

  private void onFlushDue() {
    if (log.recoveryPoint() < log.logEndOffset()) {
      flushes.want(log.logEndOffset(), core.isFsync() ? environment.flusher() : environment.io());
    }
  }

  /**
   * The log cut itself back to its last whole batch: readers go on, and so will writers once there
   * is space.
   *
   * @throws LogFailedException where something else failed
   */
  private void onNoSpace(LogFailedException failure) {
    if (failure.kind() != LogFailedException.Kind.DISK_FULL) {
      throw failure;
    }
    if (!withoutSpace) {
      withoutSpace = true;
      environment.diskSpace().onFull(String.valueOf(failure.getMessage()));
    }
    environment.diskSpace().onRefused();
  }

  private void onSpace() {
    if (withoutSpace) {
      withoutSpace = false;
      environment.diskSpace().onSpace();
    }
  }

  // ---- upkeep

  private void onReconfigure(ReplicaCommand.Reconfigure reconfigure) {
    config = reconfigure.config();
    log.updateConfig(config.log());
    flushes.schedule(config.log().flushMs());
    core.reconfigure(config);
    onChange();
  }

  private void onMaintain() {
    expiredFiles.remove();
    log.checkFiles();
    long now = environment.clock().wallClockMs();
    log.enforceRetention(now, core.highWatermark());
    log.removeExpiredProducers(now);
    flushes.wantSealed(core.isFsync() ? environment.flusher() : environment.io());
    publish();
    expiredFiles.schedule();
  }

  private void onChangeLog(ReplicaCommand.ChangeLog change) {
    try {
      change.change().apply(log);
      publish();
      change.done().complete(null);
      expiredFiles.schedule();
    } catch (RuntimeException failure) {
      change.done().completeExceptionally(failure);
      // Also on a full disk: segments may have been replaced halfway, which a restart sorts out.
      goOffline(failure);
    }
  }

  // ---- the end

  private void onClose(ReplicaCommand.Close close) {
    core.end(Errors.NOT_LEADER_OR_FOLLOWER, handle.partition() + " is being closed");
    publish();
    environment
        .io()
        .execute(() -> {
          try {
            log.close();
            close.done().complete(null);
          } catch (RuntimeException failure) {
            close.done().completeExceptionally(failure);
          }
        });
    linger();
  }

  private void onDelete(ReplicaCommand.Delete delete) {
    core.end(
        Errors.UNKNOWN_TOPIC_OR_PARTITION, "topic " + handle.partition().topic() + " was deleted");
    if (!offline) {
      publish();
    }
    environment
        .io()
        .execute(() -> {
          try {
            // First the name, at once: a crash amid the rest must not bring the topic back.
            log.renameForDeletion();
            log.delete();
            delete.done().complete(null);
          } catch (RuntimeException failure) {
            delete.done().completeExceptionally(failure);
          }
        });
    linger();
  }

  /**
   * Takes no more commands, and stops once those that were on their way have been refused: Akka
   * would drop them, and whoever asked would wait for ever.
   */
  private void linger() {
    closed = true;
    handle.detach();
    timers.cancelAll();
    timers.startSingleTimer(ReplicaCommand.Stop.class, new ReplicaCommand.Stop(), LINGER);
  }

  private Behavior<ReplicaCommand> onClosed(ReplicaCommand command) {
    if (command instanceof ReplicaCommand.Stop) {
      return Behaviors.stopped();
    }
    if (command instanceof ReplicaCommand.Append append) {
      append
          .reply()
          .complete(
              new AppendOutcome.Rejected(
                  Errors.NOT_LEADER_OR_FOLLOWER, handle.partition() + " has been closed"));
    } else {
      ReplicaHandle.refuse(command, handle.partition());
    }
    return this;
  }

  private Behavior<ReplicaCommand> onOffline(ReplicaCommand command) {
    if (command instanceof ReplicaCommand.Delete delete) {
      onDelete(delete);
      return this;
    }
    ReplicaHandle.refuse(command, handle.partition());
    if (command instanceof ReplicaCommand.Close) {
      linger();
    }
    return this;
  }

  private void goOffline(Throwable failure) {
    Optional<LogFailedException> ofLog =
        failure instanceof LogFailedException log ? Optional.of(log) : Optional.empty();
    if (ofLog.isPresent() && ofLog.get().kind() == LogFailedException.Kind.DIRECTORY) {
      // One line for the directory is enough.
      LOG.debug("{} goes offline: {}", handle.partition(), failure.getMessage());
    } else {
      LOG.error(
          "{} goes offline, the rest of the node goes on: {}. Repair the disk or its directory and"
              + " restart the node.",
          handle.partition(),
          failure.getMessage());
    }
    if (ofLog.isEmpty()) {
      LOG.error("cause, a defect of Milena's:", failure);
    }
    offline = true;
    timers.cancelAll();
    onSpace();
    handle.publish(EmptyViews.OFFLINE);
    core.end(Errors.KAFKA_STORAGE_ERROR, "the log of " + handle.partition() + " has just failed");
    environment.onOffline().accept(handle, ofLog);
  }

  /** After a change of what this replica is: what it shows, whom it answers, what must to disk. */
  private void onChange() {
    publish();
    core.acknowledge();
    flushIfAwaited();
  }

  private void publish() {
    handle.publish(core.view());
  }
}
