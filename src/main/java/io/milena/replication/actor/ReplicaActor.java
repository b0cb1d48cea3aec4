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
import io.milena.log.LogConfig;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import io.milena.replication.Divergence;
import io.milena.replication.DivergingEpoch;
import io.milena.replication.FollowerPosition;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.LeaderProgress;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition replica: the only writer of its log. {@link LocalReplicas} creates it once the log
 * has been opened, so it starts recovered. It runs on the network loop that sends to it whenever it
 * is idle (see {@link CarrierExecutorConfigurator}), so nothing here blocks: flushes and the
 * removal of files run on {@code io}.
 *
 * <p>Order on an append: write, publish the view, acknowledge. In fsync mode the view's high
 * watermark and the acknowledgement wait for a flush that covers the append; all appends that came
 * while one flush ran share the next (group commit).
 */
final class ReplicaActor extends AbstractOnMessageBehavior<ReplicaCommand> {

  private static final Logger LOG = LoggerFactory.getLogger(ReplicaActor.class);
  private static final List<Integer> NONE = List.of();

  /** {@code flush.ms} where it is not set. */
  private static final long NEVER_MS = Long.MAX_VALUE;

  /** How long after a flush that a full disk prevented the next one is tried. */
  private static final Duration FLUSH_RETRY = Duration.ofSeconds(1);

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
   */
  record Environment(
      int nodeId,
      Clock clock,
      Executor io,
      Executor flusher,
      Runnable onRecordsDeleted,
      DiskSpace diskSpace) {}

  private final ReplicaHandle handle;
  private final PartitionLog log;
  private final Environment environment;
  private final TimerScheduler<ReplicaCommand> timers;

  /** Appends with acks=all, which wait for the high watermark. */
  private final WaitingAcknowledgements waiting = new WaitingAcknowledgements();

  /** Appends with acks=1 in fsync mode, which wait for this node's own flush only. */
  private final WaitingAcknowledgements waitingForFlush = new WaitingAcknowledgements();

  /** When the timer of {@link #scheduleExpiry} is due; only while it runs. */
  private long expiryDueNanos;

  private ReplicaConfig config;
  private ReplicaRole role = ReplicaRole.IDLE;
  private int leaderEpoch = -1;
  private int leaderId = ReplicaView.NO_LEADER;
  private List<Integer> inSyncReplicas = NONE;
  private @Nullable LeaderProgress progress;
  private long highWatermark;
  private boolean flushing;
  private boolean flushWanted;
  private boolean withoutSpace;
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
    this.highWatermark = Math.clamp(highWatermark, log.logStartOffset(), log.logEndOffset());
    publish();
    scheduleFlush();
  }

  @Override
  public Behavior<ReplicaCommand> onMessage(ReplicaCommand command) {
    if (closed) {
      return onClosed(command);
    }
    if (role == ReplicaRole.OFFLINE) {
      return onOffline(command);
    }
    try {
      return switch (command) {
        case ReplicaCommand.Append append -> onAppend(append);
        case ReplicaCommand.DeleteRecords delete -> onDeleteRecords(delete);
        case ReplicaCommand.Lead lead -> onLead(lead);
        case ReplicaCommand.Follow(int epoch, int leader) ->
            onFollow(epoch, ReplicaRole.FOLLOWER, leader);
        case ReplicaCommand.StepDown(int epoch) ->
            onFollow(epoch, ReplicaRole.IDLE, ReplicaView.NO_LEADER);
        case ReplicaCommand.FollowerFetched(FollowerPosition position) -> onFetched(position);
        case ReplicaCommand.LeaderAnswered answered -> onAnswered(answered);
        case ReplicaCommand.Reconfigure reconfigure -> onReconfigure(reconfigure);
        case ReplicaCommand.Maintain _ -> onMaintain();
        case ReplicaCommand.Flushed flushed -> onFlushed(flushed);
        case ReplicaCommand.FlushFailed failed -> onFlushFailed(failed);
        case ReplicaCommand.FlushDue _ -> onFlushDue();
        case ReplicaCommand.RetryFlush _ -> onFlushDue();
        case ReplicaCommand.RemoveFiles _ -> onRemoveFiles();
        case ReplicaCommand.Stop _ -> this;
        case ReplicaCommand.ExpireWaiting _ -> onExpireWaiting();
        case ReplicaCommand.ChangeLog change -> onChangeLog(change);
        case ReplicaCommand.Close close -> onClose(close);
        case ReplicaCommand.Delete delete -> onDelete(delete);
      };
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
      failWaiting(Errors.NOT_LEADER_OR_FOLLOWER, handle.partition() + " is being closed");
      if (!closed && role != ReplicaRole.OFFLINE) {
        LOG.error(
            "{} goes offline, its actor has ended unexpectedly: restart the node",
            handle.partition());
        handle.publish(EmptyViews.OFFLINE);
      }
      return this;
    }
    return super.onSignal(signal);
  }

  private Behavior<ReplicaCommand> onAppend(ReplicaCommand.Append append) {
    AppendOutcome refusal = refusal(append);
    if (refusal != null) {
      append.reply().complete(refusal);
      return this;
    }
    AppendOutcome outcome;
    try {
      outcome =
          log.appendAsLeader(
              append.records(), leaderEpoch, append.origin(), environment.clock().wallClockMs());
    } catch (LogFailedException failure) {
      if (failure.kind() != LogFailedException.Kind.DISK_FULL) {
        throw failure;
      }
      // The log cut itself back to its last whole batch: readers go on, and so will producers once
      // there is space.
      if (!withoutSpace) {
        withoutSpace = true;
        environment.diskSpace().onFull(String.valueOf(failure.getMessage()));
      }
      append
          .reply()
          .complete(
              new AppendOutcome.Rejected(
                  Errors.KAFKA_STORAGE_ERROR, String.valueOf(failure.getMessage())));
      return this;
    }
    switch (outcome) {
      case AppendOutcome.Rejected _ -> append.reply().complete(outcome);
      case AppendOutcome.Appended(long _, long lastOffset, long _) -> {
        if (withoutSpace) {
          onSpace();
        }
        onLogEnd();
        acknowledge(append, outcome, lastOffset + 1);
      }
      case AppendOutcome.Duplicate(long _, long lastOffset, long _) ->
          acknowledge(append, outcome, lastOffset + 1);
    }
    return this;
  }

  private void onSpace() {
    if (withoutSpace) {
      withoutSpace = false;
      environment.diskSpace().onSpace();
    }
  }

  private @Nullable AppendOutcome refusal(ReplicaCommand.Append append) {
    if (role != ReplicaRole.LEADER) {
      return new AppendOutcome.Rejected(
          Errors.NOT_LEADER_OR_FOLLOWER, "this node does not lead " + handle.partition());
    }
    if (append.expectedLeaderEpoch() >= 0 && append.expectedLeaderEpoch() != leaderEpoch) {
      return new AppendOutcome.Rejected(
          append.expectedLeaderEpoch() < leaderEpoch
              ? Errors.FENCED_LEADER_EPOCH
              : Errors.UNKNOWN_LEADER_EPOCH,
          handle.partition() + " is in leader epoch " + leaderEpoch);
    }
    if (append.acks() == -1 && inSyncReplicas.size() < config.minInSyncReplicas()) {
      return new AppendOutcome.Rejected(
          Errors.NOT_ENOUGH_REPLICAS,
          handle.partition()
              + " has "
              + inSyncReplicas.size()
              + " in-sync replicas and min.insync.replicas is "
              + config.minInSyncReplicas());
    }
    return null;
  }

  /**
   * The log has grown: moves the high watermark, publishes, and starts the flush that fsync mode
   * asks for.
   */
  private void onLogEnd() {
    if (fsync()) {
      wantFlush(log.logEndOffset());
    } else {
      onLocalEnd(log.logEndOffset());
      if (unflushedRecords() >= config.log().flushMessages()) {
        wantFlush(log.logEndOffset());
      } else {
        flushSealed();
      }
    }
    publish();
  }

  /**
   * A segment that is complete goes to disk in the background, as in Kafka: a crash leaves only the
   * active one to be checked, and its indexes leave the heap.
   */
  private void flushSealed() {
    if (!flushing
        && log.recoveryPoint() < log.activeBaseOffset()
        && !timers.isTimerActive(ReplicaCommand.RetryFlush.class)) {
      wantFlush(log.activeBaseOffset());
    }
  }

  private long unflushedRecords() {
    return log.logEndOffset() - log.recoveryPoint();
  }

  private void onLocalEnd(long endOffset) {
    if (progress != null && progress.onLocalEnd(endOffset)) {
      setHighWatermark(progress.highWatermark());
    }
  }

  private void setHighWatermark(long offset) {
    highWatermark = offset;
    log.onHighWatermark(offset);
  }

  private void acknowledge(
      ReplicaCommand.Append append, AppendOutcome outcome, long requiredEndOffset) {
    long kept = append.acks() == -1 ? highWatermark : localEnd();
    if (append.acks() == 0 || requiredEndOffset <= kept) {
      append.reply().complete(outcome);
      return;
    }
    long now = environment.clock().monotonicNanos();
    (append.acks() == -1 ? waiting : waitingForFlush)
        .add(
            requiredEndOffset,
            now + TimeUnit.MILLISECONDS.toNanos(Math.max(0, append.timeoutMs())),
            outcome,
            append.reply());
    scheduleExpiry(now);
    flushForThoseWhoWait();
  }

  /** Whoever waits for a flush that is not under way would wait for ever. */
  private void flushForThoseWhoWait() {
    boolean somebodyWaits = !waiting.isEmpty() || !waitingForFlush.isEmpty();
    if (fsync() && somebodyWaits && !flushing && log.recoveryPoint() < log.logEndOffset()) {
      wantFlush(log.logEndOffset());
    }
  }

  private void acknowledgeWaiting() {
    waiting.acknowledge(highWatermark);
    waitingForFlush.acknowledge(localEnd());
  }

  private void failWaiting(Errors error, String message) {
    waiting.fail(error, message);
    waitingForFlush.fail(error, message);
  }

  /** Exclusive end of what counts as kept on this node in its durability mode. */
  private long localEnd() {
    return fsync() ? log.recoveryPoint() : log.logEndOffset();
  }

  private boolean fsync() {
    return config.log().durability() == LogConfig.Durability.FSYNC;
  }

  private void wantFlush(long upToOffset) {
    if (flushing) {
      flushWanted = true;
      return;
    }
    PartitionLog.PendingFlush flush;
    try {
      flush = log.prepareFlush(upToOffset);
    } catch (LogFailedException failure) {
      retryFlush(failure);
      return;
    }
    flushing = true;
    flushWanted = false;
    var self = getContext().getSelf();
    (fsync() ? environment.flusher() : environment.io())
        .execute(() -> {
          try {
            flush.run();
            self.tell(new ReplicaCommand.Flushed(flush));
          } catch (RuntimeException | Error failure) {
            self.tell(new ReplicaCommand.FlushFailed(failure));
          }
        });
  }

  private Behavior<ReplicaCommand> onFlushed(ReplicaCommand.Flushed flushed) {
    flushing = false;
    log.completeFlush(flushed.flush());
    if (fsync()) {
      onLocalEnd(log.recoveryPoint());
      publish();
      acknowledgeWaiting();
    }
    if (flushWanted) {
      wantFlush(log.logEndOffset());
    }
    // A segment that was rolled meanwhile is not wholly flushed.
    flushForThoseWhoWait();
    return this;
  }

  private Behavior<ReplicaCommand> onFlushFailed(ReplicaCommand.FlushFailed failed) {
    flushing = false;
    if (failed.failure() instanceof LogFailedException failure
        && failure.kind() == LogFailedException.Kind.DISK_FULL) {
      retryFlush(failure);
      return this;
    }
    // After a failed fsync the kernel may have dropped the pages: what is on disk is not known any
    // more.
    goOffline(failed.failure());
    return this;
  }

  /**
   * An index or the epochs found no space; the records were not forced yet, or have been. Whoever
   * waits for a flush goes on waiting, for as long as it said.
   */
  private void retryFlush(LogFailedException failure) {
    if (failure.kind() != LogFailedException.Kind.DISK_FULL) {
      throw failure;
    }
    timers.startSingleTimer(
        ReplicaCommand.RetryFlush.class, new ReplicaCommand.RetryFlush(), FLUSH_RETRY);
  }

  private Behavior<ReplicaCommand> onFlushDue() {
    if (unflushedRecords() > 0) {
      wantFlush(log.logEndOffset());
    }
    return this;
  }

  private void scheduleFlush() {
    long flushMs = config.log().flushMs();
    if (flushMs == NEVER_MS) {
      timers.cancel(ReplicaCommand.FlushDue.class);
    } else {
      timers.startTimerWithFixedDelay(
          ReplicaCommand.FlushDue.class,
          new ReplicaCommand.FlushDue(),
          Duration.ofMillis(Math.max(1, flushMs)));
    }
  }

  private void scheduleExpiry(long nowNanos) {
    if (waiting.isEmpty() && waitingForFlush.isEmpty()) {
      return;
    }
    long delay =
        Math.max(
            0,
            Math.min(waiting.nanosToDeadline(nowNanos), waitingForFlush.nanosToDeadline(nowNanos)));
    if (!timers.isTimerActive(ReplicaCommand.ExpireWaiting.class)
        || nowNanos + delay - expiryDueNanos < 0) {
      expiryDueNanos = nowNanos + delay;
      timers.startSingleTimer(
          ReplicaCommand.ExpireWaiting.class,
          new ReplicaCommand.ExpireWaiting(),
          Duration.ofNanos(delay).plusMillis(1));
    }
  }

  private Behavior<ReplicaCommand> onExpireWaiting() {
    long now = environment.clock().monotonicNanos();
    waiting.expire(now);
    waitingForFlush.expire(now);
    scheduleExpiry(now);
    return this;
  }

  private Behavior<ReplicaCommand> onDeleteRecords(ReplicaCommand.DeleteRecords delete) {
    if (role != ReplicaRole.LEADER) {
      delete
          .reply()
          .completeExceptionally(
              Errors.NOT_LEADER_OR_FOLLOWER.exception(
                  "this node does not lead " + handle.partition()));
      return this;
    }
    if (!config.log().delete()) {
      delete
          .reply()
          .completeExceptionally(
              new PolicyViolationException(
                  "records of "
                      + handle.partition()
                      + " cannot be deleted: its cleanup.policy has no 'delete'"));
      return this;
    }
    long target = delete.offset() == -1 ? highWatermark : delete.offset();
    if (target < 0 || target > highWatermark) {
      delete
          .reply()
          .completeExceptionally(
              new OffsetOutOfRangeException(
                  "offset "
                      + target
                      + " is not between 0 and the high watermark "
                      + highWatermark
                      + " of "
                      + handle.partition()));
      return this;
    }
    log.advanceLogStartOffset(target);
    publish();
    environment.onRecordsDeleted().run();
    delete.reply().complete(log.logStartOffset());
    return this;
  }

  private Behavior<ReplicaCommand> onLead(ReplicaCommand.Lead lead) {
    if (lead.leaderEpoch() < leaderEpoch) {
      return this;
    }
    inSyncReplicas = lead.inSyncReplicas();
    if (role == ReplicaRole.LEADER && lead.leaderEpoch() == leaderEpoch && progress != null) {
      progress.onInSyncReplicas(inSyncReplicas);
    } else {
      role = ReplicaRole.LEADER;
      leaderEpoch = lead.leaderEpoch();
      leaderId = environment.nodeId();
      progress =
          new LeaderProgress(environment.nodeId(), inSyncReplicas, localEnd(), highWatermark);
      if (fsync() && localEnd() < log.logEndOffset()) {
        wantFlush(log.logEndOffset());
      }
    }
    // What a client has been shown stays shown, also where this node must flush it once more.
    setHighWatermark(Math.max(highWatermark, progress.highWatermark()));
    publish();
    acknowledgeWaiting();
    return this;
  }

  private Behavior<ReplicaCommand> onFollow(int epoch, ReplicaRole newRole, int leader) {
    if (epoch < leaderEpoch || (epoch == leaderEpoch && role == newRole)) {
      return this;
    }
    role = newRole;
    leaderEpoch = epoch;
    leaderId = leader;
    progress = null;
    publish();
    failWaiting(Errors.NOT_LEADER_OR_FOLLOWER, "this node no longer leads " + handle.partition());
    if (fsync() && localEnd() < log.logEndOffset()) {
      wantFlush(log.logEndOffset());
    }
    return this;
  }

  private Behavior<ReplicaCommand> onFetched(FollowerPosition position) {
    if (progress != null
        && position.leaderEpoch() == leaderEpoch
        && progress.onFollowerEnd(position.nodeId(), position.keptEndOffset())) {
      setHighWatermark(progress.highWatermark());
      publish();
      acknowledgeWaiting();
    }
    return this;
  }

  private Behavior<ReplicaCommand> onAnswered(ReplicaCommand.LeaderAnswered answered) {
    LeaderAnswer answer = answered.answer();
    if (role != ReplicaRole.FOLLOWER
        || answer.leaderEpoch() != leaderEpoch
        || answer.fetchOffset() != log.logEndOffset()
        || answer.lastFetchedEpoch() != log.view().latestLeaderEpoch()) {
      answered.done().complete(null);
      return this;
    }
    RuntimeException failure = null;
    if (answer.error() == Errors.OFFSET_OUT_OF_RANGE) {
      log.truncateFullyAndStartAt(answer.logStartOffset());
    } else if (answer.error() == Errors.NONE && answer.diverging() != null) {
      DivergingEpoch own = Divergence.endOfEpoch(log.view(), answer.diverging().leaderEpoch());
      log.truncateTo(Math.min(own.endOffset(), answer.diverging().endOffset()));
    } else if (answer.error() == Errors.NONE) {
      AppendOutcome outcome =
          log.appendAsFollower(answer.records(), environment.clock().wallClockMs());
      if (outcome instanceof AppendOutcome.Rejected rejected) {
        failure = rejected.error().exception(rejected.message());
      }
    }
    highWatermark = Math.clamp(highWatermark, log.logStartOffset(), log.logEndOffset());
    long newHighWatermark = Math.min(answer.highWatermark(), log.logEndOffset());
    if (newHighWatermark > highWatermark) {
      setHighWatermark(newHighWatermark);
    }
    if (fsync() && localEnd() < log.logEndOffset()) {
      wantFlush(log.logEndOffset());
    }
    publish();
    if (failure != null) {
      answered.done().completeExceptionally(failure);
    } else {
      answered.done().complete(null);
    }
    return this;
  }

  private Behavior<ReplicaCommand> onReconfigure(ReplicaCommand.Reconfigure reconfigure) {
    config = reconfigure.config();
    log.updateConfig(config.log());
    scheduleFlush();
    if (!fsync()) {
      onLocalEnd(log.logEndOffset());
    }
    publish();
    acknowledgeWaiting();
    flushForThoseWhoWait();
    return this;
  }

  private Behavior<ReplicaCommand> onMaintain() {
    removeFiles();
    long now = environment.clock().wallClockMs();
    log.enforceRetention(now, highWatermark);
    log.removeExpiredProducers(now);
    flushSealed();
    publish();
    scheduleFileRemoval();
    return this;
  }

  private Behavior<ReplicaCommand> onRemoveFiles() {
    removeFiles();
    scheduleFileRemoval();
    return this;
  }

  private void removeFiles() {
    if (log.nextExpiryMs().isEmpty()) {
      return;
    }
    Runnable removal = log.takeExpiredFiles(environment.clock().wallClockMs());
    environment
        .io()
        .execute(() -> {
          try {
            removal.run();
          } catch (LogFailedException failure) {
            LOG.warn("files stay until the node is restarted: {}", failure.getMessage());
          }
        });
  }

  private void scheduleFileRemoval() {
    OptionalLong next = log.nextExpiryMs();
    if (next.isPresent()) {
      timers.startSingleTimer(
          ReplicaCommand.RemoveFiles.class,
          new ReplicaCommand.RemoveFiles(),
          Duration.ofMillis(Math.max(1, next.getAsLong() - environment.clock().wallClockMs() + 1)));
    }
  }

  private Behavior<ReplicaCommand> onChangeLog(ReplicaCommand.ChangeLog change) {
    try {
      change.change().apply(log);
      publish();
      change.done().complete(null);
      scheduleFileRemoval();
    } catch (RuntimeException failure) {
      change.done().completeExceptionally(failure);
      // Also on a full disk: segments may have been replaced halfway, which a restart sorts out.
      goOffline(failure);
    }
    return this;
  }

  private Behavior<ReplicaCommand> onClose(ReplicaCommand.Close close) {
    endLeadership(Errors.NOT_LEADER_OR_FOLLOWER, handle.partition() + " is being closed");
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
    return linger();
  }

  private Behavior<ReplicaCommand> onDelete(ReplicaCommand.Delete delete) {
    endLeadership(
        Errors.UNKNOWN_TOPIC_OR_PARTITION, "topic " + handle.partition().topic() + " was deleted");
    if (handle.view().role() != ReplicaRole.OFFLINE) {
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
    return linger();
  }

  private void endLeadership(Errors error, String message) {
    role = ReplicaRole.IDLE;
    leaderId = ReplicaView.NO_LEADER;
    progress = null;
    failWaiting(error, message);
  }

  /**
   * Takes no more commands, and stops once those that were on their way have been refused: Akka
   * would drop them, and whoever asked would wait for ever.
   */
  private Behavior<ReplicaCommand> linger() {
    closed = true;
    handle.detach();
    timers.cancelAll();
    timers.startSingleTimer(ReplicaCommand.Stop.class, new ReplicaCommand.Stop(), LINGER);
    return this;
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
      return onDelete(delete);
    }
    ReplicaHandle.refuse(command, handle.partition());
    return command instanceof ReplicaCommand.Close ? linger() : this;
  }

  private void goOffline(Throwable failure) {
    LOG.error(
        "{} goes offline, the rest of the node goes on: {}. Repair the disk or its directory and"
            + " restart the node.",
        handle.partition(),
        failure.getMessage());
    if (!(failure instanceof LogFailedException)) {
      LOG.error("cause, a defect of Milena's:", failure);
    }
    role = ReplicaRole.OFFLINE;
    progress = null;
    timers.cancelAll();
    onSpace();
    handle.publish(EmptyViews.OFFLINE);
    failWaiting(
        Errors.KAFKA_STORAGE_ERROR, "the log of " + handle.partition() + " has just failed");
  }

  private void publish() {
    handle.publish(
        new ReplicaView(
            role,
            leaderEpoch,
            leaderId,
            log.view(),
            highWatermark,
            Math.min(highWatermark, log.firstUnstableOffset().orElse(Long.MAX_VALUE)),
            localEnd()));
  }
}
