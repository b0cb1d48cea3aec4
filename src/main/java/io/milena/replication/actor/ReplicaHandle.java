package io.milena.replication.actor;

import akka.actor.typed.ActorRef;
import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import io.milena.replication.FollowerPosition;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * A replica as the rest of the node holds it: there as soon as the image names it, while its log is
 * still being opened. Commands that come before the actor are parked in order, up to {@link
 * #PARKED_MAX}; past that appends are refused with a retriable error.
 */
final class ReplicaHandle implements Replica {

  /**
   * One in-flight request of some hundred producers each; a log opens in milliseconds unless it
   * must be recovered.
   */
  static final int PARKED_MAX = 1_024;

  private final TopicPartition partition;
  private final Uuid topicId;
  private volatile int replicaSetId;
  private final CompletableFuture<Void> opened = new CompletableFuture<>();
  private final Set<Runnable> listeners = ConcurrentHashMap.newKeySet();
  private volatile ReplicaView view = EmptyViews.OPENING;
  private volatile @Nullable ActorRef<ReplicaCommand> actor;
  private volatile LongSupplier recoveryPoint = () -> 0;
  private volatile @Nullable ReplicaConfig config;
  private @Nullable ArrayDeque<ReplicaCommand> parked = new ArrayDeque<>();

  /**
   * What the checkpoint files say about a replica.
   *
   * @param recoveryPoint everything below is on disk
   * @param logStartOffset first readable offset
   * @param highWatermark exclusive
   */
  record Offsets(long recoveryPoint, long logStartOffset, long highWatermark) {}

  /** What to keep saying of a log that is not open, not open any more, or has failed. */
  private volatile Offsets lastOffsets;

  private volatile boolean hasLog;

  /** Where its log lies, or is known to have lain; null before it is opened for the first time. */
  private volatile @Nullable LogDirectory directory;

  /** Where its log is just being moved. */
  private volatile @Nullable LogDirectory movingTo;

  private @Nullable ReplicaCommand assigned;

  /**
   * @param atStart what the checkpoint files said when the node started
   */
  ReplicaHandle(TopicPartition partition, Uuid topicId, int replicaSetId, Offsets atStart) {
    this.partition = partition;
    this.topicId = topicId;
    this.replicaSetId = replicaSetId;
    this.lastOffsets = atStart;
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Uuid topicId() {
    return topicId;
  }

  /** True once the log is open and an actor owns it. */
  boolean isAttached() {
    return actor != null;
  }

  /** What the checkpoint files should say now. Any thread. */
  Offsets offsets() {
    ReplicaView current = view;
    return !hasLog || current.role() == ReplicaRole.OFFLINE
        ? lastOffsets
        : new Offsets(
            recoveryPoint.getAsLong(), current.log().logStartOffset(), current.highWatermark());
  }

  /** The newest configuration; null before the first. */
  @Nullable ReplicaConfig config() {
    return config;
  }

  void config(ReplicaConfig newConfig) {
    config = newConfig;
  }

  /** Tells what the replica is from now on, unless it was told just that before. Image thread. */
  void assign(ReplicaCommand role) {
    if (!role.equals(assigned)) {
      assigned = role;
      tell(role);
    }
  }

  int replicaSetId() {
    return replicaSetId;
  }

  /** The log directory that its log lies in; null while that is not known. */
  @Nullable LogDirectory directory() {
    return directory;
  }

  void directory(LogDirectory newDirectory) {
    directory = newDirectory;
  }

  /** The log directory that its log is about to go on in; null when it is not about to move. */
  @Nullable LogDirectory movingTo() {
    return movingTo;
  }

  void movingTo(@Nullable LogDirectory newDirectory) {
    movingTo = newDirectory;
  }

  /** The partition is in another set from now on. */
  void replicaSetId(int newSetId) {
    replicaSetId = newSetId;
  }

  @Override
  public ReplicaView view() {
    return view;
  }

  @Override
  public CompletionStage<Void> opened() {
    return opened;
  }

  @Override
  public CompletionStage<AppendOutcome> append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs) {
    return append(records, expectedLeaderEpoch, origin, acks, timeoutMs, () -> {});
  }

  @Override
  public CompletionStage<AppendOutcome> append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs,
      Runnable onWritten) {
    CompletableFuture<AppendOutcome> reply = new CompletableFuture<>();
    ReplicaCommand command =
        new ReplicaCommand.Append(
            records, expectedLeaderEpoch, origin, acks, timeoutMs, onWritten, reply);
    if (!tell(command)) {
      if (view.role() == ReplicaRole.OFFLINE) {
        refuse(command, partition);
      } else {
        reply.complete(
            new AppendOutcome.Rejected(
                Errors.NOT_LEADER_OR_FOLLOWER, partition + " cannot take appends now: retry"));
      }
    }
    return reply;
  }

  @Override
  public CompletionStage<Long> deleteRecords(long offset) {
    CompletableFuture<Long> reply = new CompletableFuture<>();
    ReplicaCommand command = new ReplicaCommand.DeleteRecords(offset, reply);
    if (!tell(command)) {
      if (view.role() == ReplicaRole.OFFLINE) {
        refuse(command, partition);
      } else {
        reply.completeExceptionally(
            new NotLeaderOrFollowerException(partition + " is being opened or closed: retry"));
      }
    }
    return reply;
  }

  @Override
  public void onFollowerPosition(FollowerPosition position) {
    // A view can be seen before attach() has ended, and a follower of an idle partition says where
    // it stands only once: parked then. After detach() nobody leads here.
    tell(new ReplicaCommand.FollowerFetched(position));
  }

  @Override
  public CompletionStage<Void> onLeaderAnswer(LeaderAnswer answer) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    ReplicaCommand command = new ReplicaCommand.LeaderAnswered(answer, done);
    if (!tell(command)) {
      refuse(command, partition);
    }
    return done;
  }

  @Override
  public void addListener(Runnable listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Runnable listener) {
    listeners.remove(listener);
  }

  /** Sends a command to the actor, or parks it; false when it cannot be parked. */
  boolean tell(ReplicaCommand command) {
    ActorRef<ReplicaCommand> target = actor;
    if (target != null) {
      target.tell(command);
      return true;
    }
    return parkOrTell(command);
  }

  /**
   * Runs something on the replica's actor and waits: actors answer, also while they end.
   *
   * @throws IOException when the replica is not here any more, or the change failed, which takes it
   *     offline
   */
  void onActor(Consumer<PartitionLog> change) throws IOException, InterruptedException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    if (!tell(new ReplicaCommand.ChangeLog(change::accept, done))) {
      throw new IOException(partition + " is not on this node any more");
    }
    try {
      done.get();
    } catch (ExecutionException failure) {
      throw failure.getCause() instanceof LogFailedException log
              && log.getCause() instanceof IOException io
          ? io
          : new IOException(partition + ": " + failure.getCause(), failure.getCause());
    }
  }

  private synchronized boolean parkOrTell(ReplicaCommand command) {
    ActorRef<ReplicaCommand> target = actor;
    if (target != null) {
      target.tell(command);
      return true;
    }
    if (parked == null
        || (view.role() == ReplicaRole.OFFLINE && isAsked(command))
        || (isAsked(command)
            && !(command instanceof ReplicaCommand.Close)
            && parked.size() >= PARKED_MAX)) {
      return false;
    }
    if (!(command instanceof ReplicaCommand.Maintain)) {
      parked.add(command);
    }
    return true;
  }

  /** Whether somebody waits for the answer. */
  private static boolean isAsked(ReplicaCommand command) {
    return command instanceof ReplicaCommand.Append
        || command instanceof ReplicaCommand.DeleteRecords
        || command instanceof ReplicaCommand.LeaderAnswered
        || command instanceof ReplicaCommand.ChangeLog
        || command instanceof ReplicaCommand.Close;
  }

  /**
   * The log cannot be opened at the moment, but will be tried again: who asks something is refused,
   * what else comes is parked.
   */
  void failForNow() {
    List<ReplicaCommand> refused = new ArrayList<>();
    synchronized (this) {
      publish(EmptyViews.OFFLINE);
      if (parked != null) {
        parked.removeIf(command -> isAsked(command) && refused.add(command));
      }
    }
    refused.forEach(command -> refuse(command, partition));
    opened.complete(null);
  }

  /** Says where the recovery point can be read; before the actor publishes its first view. */
  void recoveryPoint(LongSupplier newRecoveryPoint) {
    recoveryPoint = newRecoveryPoint;
  }

  /** The log is open and this actor owns it: parked commands reach it first. */
  synchronized void attach(ActorRef<ReplicaCommand> ref) {
    ArrayDeque<ReplicaCommand> waiting = parked;
    parked = null;
    if (waiting != null) {
      waiting.forEach(ref::tell);
    }
    actor = ref;
    opened.complete(null);
  }

  /**
   * The actor takes no more commands; what is told from now on is refused here. Commands that were
   * on their way when this was called still reach it.
   */
  synchronized void detach() {
    actor = null;
    parked = null;
  }

  /** The log could not be opened: everything parked, and everything to come, is refused. */
  void fail() {
    ArrayDeque<ReplicaCommand> waiting;
    synchronized (this) {
      waiting = parked;
      parked = null;
    }
    publish(EmptyViews.OFFLINE);
    if (waiting != null) {
      waiting.forEach(command -> refuse(command, partition));
    }
    opened.complete(null);
  }

  static void refuse(ReplicaCommand command, TopicPartition partition) {
    String message = "the log of " + partition + " is offline: see the node's log for its failure";
    switch (command) {
      case ReplicaCommand.Append append ->
          append.reply().complete(new AppendOutcome.Rejected(Errors.KAFKA_STORAGE_ERROR, message));
      case ReplicaCommand.DeleteRecords delete ->
          delete.reply().completeExceptionally(Errors.KAFKA_STORAGE_ERROR.exception(message));
      case ReplicaCommand.ChangeLog change ->
          change.done().completeExceptionally(Errors.KAFKA_STORAGE_ERROR.exception(message));
      case ReplicaCommand.Close close ->
          // It has not been brought to disk: the next start has to check it.
          close.done().completeExceptionally(Errors.KAFKA_STORAGE_ERROR.exception(message));
      case ReplicaCommand.Delete delete -> delete.done().complete(null);
      case ReplicaCommand.LeaderAnswered answered ->
          answered.done().completeExceptionally(Errors.KAFKA_STORAGE_ERROR.exception(message));
      case ReplicaCommand.Lead _,
          ReplicaCommand.Follow _,
          ReplicaCommand.FollowerFetched _,
          ReplicaCommand.StepDown _,
          ReplicaCommand.Join _,
          ReplicaCommand.Withdraw _,
          ReplicaCommand.Review _,
          ReplicaCommand.Reconfigure _,
          ReplicaCommand.Maintain _,
          ReplicaCommand.Flushed _,
          ReplicaCommand.FlushFailed _,
          ReplicaCommand.FlushDue _,
          ReplicaCommand.RetryFlush _,
          ReplicaCommand.RemoveFiles _,
          ReplicaCommand.Stop _,
          ReplicaCommand.ExpireWaiting _ -> {}
    }
  }

  /**
   * Makes a view visible and tells whoever listens. Only the replica's actor (or, before there is
   * one, its opener) calls it.
   */
  void publish(ReplicaView next) {
    if (next.role() == ReplicaRole.OFFLINE) {
      lastOffsets = offsets();
    }
    view = next;
    hasLog |= next.role() != ReplicaRole.OFFLINE;
    if (!listeners.isEmpty()) {
      listeners.forEach(Runnable::run);
    }
  }
}
