package io.milena.replication;

import io.milena.log.AppendOutcome;
import io.milena.log.LogConfig;
import io.milena.log.ReplicatedLog;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one replica over its log: who may append, what is committed, what is acknowledged
 * when, and how a follower follows. One thread at a time.
 *
 * <p>Its owner publishes {@link #view()} after each change, then calls {@link #acknowledge()}: what
 * somebody was told is in the log can be read by then. It brings the log to disk when {@link
 * #awaitsFlush()} says so, and calls {@link #onLogEnd()} afterwards.
 */
public final class ReplicaCore {

  private final int nodeId;
  private final TopicPartition partition;
  private final ReplicatedLog log;
  private final InSyncReports reports;
  private final Acknowledgements waiting = new Acknowledgements();
  private final DeletionsWaiting deletions = new DeletionsWaiting();

  private ReplicaConfig config;
  private ReplicaRole role = ReplicaRole.IDLE;
  private int leaderEpoch = -1;
  private int leaderId = ReplicaView.NO_LEADER;
  private @Nullable LeaderProgress progress;
  private long highWatermark;

  /**
   * @param nodeId this node
   * @param highWatermark as far as it is known, exclusive
   */
  public ReplicaCore(
      int nodeId,
      TopicPartition partition,
      ReplicatedLog log,
      ReplicaConfig config,
      long highWatermark,
      InSyncReports reports) {
    this.nodeId = nodeId;
    this.partition = partition;
    this.log = log;
    this.config = config;
    this.reports = reports;
    this.highWatermark = Math.clamp(highWatermark, log.logStartOffset(), log.logEndOffset());
  }

  /** What the replica is at the moment; never OFFLINE, which only its owner can know. */
  public ReplicaRole role() {
    return role;
  }

  /** Exclusive bound of what consumers may see. */
  public long highWatermark() {
    return highWatermark;
  }

  /** Exclusive end of what counts as kept on this node in its durability mode. */
  public long keptEndOffset() {
    return isFsync() ? log.recoveryPoint() : log.logEndOffset();
  }

  /** Whether acknowledgements wait for the disk. */
  public boolean isFsync() {
    return config.log().durability() == LogConfig.Durability.FSYNC;
  }

  /** With {@code fsync}: there is something that a flush would make count. */
  public boolean awaitsFlush() {
    return isFsync() && role != ReplicaRole.IDLE && log.recoveryPoint() < log.logEndOffset();
  }

  /** The replica as it is now, to be published. */
  public ReplicaView view() {
    return new ReplicaView(
        role,
        leaderEpoch,
        leaderId,
        log.view(),
        highWatermark,
        Math.min(highWatermark, log.firstUnstableOffset().orElse(Long.MAX_VALUE)),
        keptEndOffset());
  }

  // ---- what the metadata group says

  /**
   * This node leads, or goes on leading with other replicas in sync. An epoch of the past is
   * ignored.
   *
   * @param replicas assigned node ids
   * @param inSyncReplicas node ids, this one among them
   */
  public void lead(int epoch, List<Integer> replicas, List<Integer> inSyncReplicas, long nowNanos) {
    if (epoch < leaderEpoch || (epoch == leaderEpoch && role == ReplicaRole.FOLLOWER)) {
      return;
    }
    LeaderProgress current = progress;
    if (current == null || epoch > leaderEpoch) {
      // Who waits goes on waiting where this node led before: its records are still in the log.
      role = ReplicaRole.LEADER;
      leaderEpoch = epoch;
      leaderId = nodeId;
      current =
          new LeaderProgress(
              nodeId,
              epoch,
              log.logEndOffset(),
              keptEndOffset(),
              highWatermark,
              config.minInSyncReplicas(),
              reports);
      progress = current;
    }
    current.onReplicas(replicas, inSyncReplicas, nowNanos);
    followProgress(current);
    failUnderMinIsr(current);
    deletions.complete(current.lowWatermark(log.logStartOffset()));
  }

  /** Another node leads. An epoch of the past is ignored. */
  public void follow(int epoch, int leader) {
    become(ReplicaRole.FOLLOWER, epoch, leader);
  }

  /** Nobody leads, or this node is no replica. An epoch of the past is ignored. */
  public void stepDown(int epoch) {
    become(ReplicaRole.IDLE, epoch, ReplicaView.NO_LEADER);
  }

  private void become(ReplicaRole newRole, int epoch, int leader) {
    if (epoch < leaderEpoch || (epoch == leaderEpoch && role == newRole && leaderId == leader)) {
      return;
    }
    end(Errors.NOT_LEADER_OR_FOLLOWER, "this node no longer leads " + partition);
    role = newRole;
    leaderEpoch = epoch;
    leaderId = leader;
  }

  /** It takes part in nothing any more, and who waits is refused. */
  public void end(Errors error, String message) {
    role = ReplicaRole.IDLE;
    leaderId = ReplicaView.NO_LEADER;
    progress = null;
    waiting.fail(error, message);
    deletions.fail(error.exception(message));
  }

  /** The topic's configuration changed. */
  public void reconfigure(ReplicaConfig newConfig) {
    config = newConfig;
    LeaderProgress current = progress;
    if (current != null) {
      current.onMinInSyncReplicas(newConfig.minInSyncReplicas());
      current.onLocalEnd(log.logEndOffset(), keptEndOffset());
      followProgress(current);
      failUnderMinIsr(current);
    }
  }

  private void followProgress(LeaderProgress current) {
    // What a client has been shown stays shown, also where this node must flush it once more.
    if (current.highWatermark() > highWatermark) {
      setHighWatermark(current.highWatermark());
    }
  }

  private void setHighWatermark(long offset) {
    highWatermark = offset;
    log.onHighWatermark(offset);
  }

  /** What waits would wait for replicas that are not there; the records stay in the log. */
  private void failUnderMinIsr(LeaderProgress current) {
    if (current.isUnderMinIsr()) {
      waiting.failThoseForEveryReplica(
          Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND, tooFewInSync(current));
    }
  }

  private String tooFewInSync(LeaderProgress current) {
    return partition
        + " has "
        + current.inSyncCount()
        + " in-sync replicas and min.insync.replicas is "
        + current.minInSyncReplicas();
  }

  // ---- leading

  /**
   * Why an append must be refused, or null when it may be tried.
   *
   * @param expectedLeaderEpoch the epoch that the asker believes in, or -1
   */
  public AppendOutcome.@Nullable Rejected refusal(int expectedLeaderEpoch, short acks) {
    LeaderProgress current = progress;
    if (current == null) {
      return new AppendOutcome.Rejected(
          Errors.NOT_LEADER_OR_FOLLOWER, "this node does not lead " + partition);
    }
    if (expectedLeaderEpoch >= 0 && expectedLeaderEpoch != leaderEpoch) {
      return new AppendOutcome.Rejected(
          expectedLeaderEpoch < leaderEpoch
              ? Errors.FENCED_LEADER_EPOCH
              : Errors.UNKNOWN_LEADER_EPOCH,
          partition + " is in leader epoch " + leaderEpoch);
    }
    return acks == -1 && current.isUnderMinIsr()
        ? new AppendOutcome.Rejected(Errors.NOT_ENOUGH_REPLICAS, tooFewInSync(current))
        : null;
  }

  /** The epoch to append in, or -1. */
  public int leaderEpoch() {
    return leaderEpoch;
  }

  /** The log has grown, or more of it is on disk: the high watermark may follow. */
  public void onLogEnd() {
    LeaderProgress current = progress;
    if (current != null && current.onLocalEnd(log.logEndOffset(), keptEndOffset())) {
      followProgress(current);
    }
  }

  /** Whether what is in the log up to {@code endOffset} is kept as {@code acks} asks. */
  public boolean isKept(long endOffset, short acks) {
    return acks == 0 || endOffset <= (acks == -1 ? highWatermark : keptEndOffset());
  }

  /**
   * Answers an append that is in the log (now, or before, as a duplicate) once it is kept as {@code
   * acks} asks, see {@link #acknowledge()}.
   *
   * @param endOffset exclusive end of it
   * @param timeoutMs when to give up with REQUEST_TIMED_OUT
   */
  public void acknowledgeOnceKept(
      long endOffset,
      short acks,
      int timeoutMs,
      AppendOutcome outcome,
      CompletableFuture<AppendOutcome> reply,
      long nowNanos) {
    waiting.add(
        endOffset,
        acks == -1,
        nowNanos + TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs)),
        outcome,
        reply);
  }

  /** Answers those that wait for what has come to pass. */
  public void acknowledge() {
    if (!waiting.isEmpty()) {
      waiting.acknowledge(highWatermark, keptEndOffset());
    }
  }

  /** Whether somebody waits to be acknowledged. */
  public boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  /** Answers those whose time is over. */
  public void expire(long nowNanos) {
    waiting.expire(nowNanos);
  }

  /** Time until {@link #expire} has something to do; a century when nobody waits. */
  public long nanosToDeadline(long nowNanos) {
    return waiting.nanosToDeadline(nowNanos);
  }

  /** Takes a follower's position; returns true when the view has changed. */
  public boolean onFollowerPosition(FollowerPosition position) {
    LeaderProgress current = progress;
    if (current == null || position.leaderEpoch() != leaderEpoch) {
      return false;
    }
    boolean moved = current.onFollower(position);
    if (moved) {
      followProgress(current);
    }
    if (!deletions.isEmpty()) {
      deletions.complete(current.lowWatermark(log.logStartOffset()));
    }
    return moved;
  }

  /** See {@link LeaderProgress#join}. */
  public void join(int epoch, int node, long nodeEpoch) {
    LeaderProgress current = progress;
    if (current != null && epoch == leaderEpoch) {
      current.join(node, nodeEpoch);
    }
  }

  /** See {@link LeaderProgress#withdraw}; returns true when the view has changed. */
  public boolean withdraw(int epoch, int node) {
    LeaderProgress current = progress;
    if (current == null || epoch != leaderEpoch || !current.withdraw(node)) {
      return false;
    }
    followProgress(current);
    return true;
  }

  /** See {@link LeaderProgress#review}. */
  public void review(long nowNanos, long lagMaxNanos) {
    if (progress != null) {
      progress.review(nowNanos, lagMaxNanos);
    }
  }

  /**
   * Moves the log start offset forward (DeleteRecords).
   *
   * @param offset at most the high watermark; -1 for the high watermark
   * @param reply completes with the low watermark once every in-sync replica has followed
   * @return true when the log has changed
   */
  public boolean deleteRecords(long offset, CompletableFuture<Long> reply) {
    LeaderProgress current = progress;
    if (current == null) {
      reply.completeExceptionally(
          Errors.NOT_LEADER_OR_FOLLOWER.exception("this node does not lead " + partition));
      return false;
    }
    if (!config.log().delete()) {
      reply.completeExceptionally(
          new PolicyViolationException(
              "records of "
                  + partition
                  + " cannot be deleted: its cleanup.policy has no 'delete'"));
      return false;
    }
    long target = offset == -1 ? highWatermark : offset;
    if (target < 0 || target > highWatermark) {
      reply.completeExceptionally(
          new OffsetOutOfRangeException(
              "offset "
                  + target
                  + " is not between 0 and the high watermark "
                  + highWatermark
                  + " of "
                  + partition));
      return false;
    }
    log.advanceLogStartOffset(target);
    deletions.add(target, reply);
    return true;
  }

  /** Answers the deletions that every in-sync replica has followed; after publication. */
  public void completeDeletions() {
    if (progress != null) {
      deletions.complete(progress.lowWatermark(log.logStartOffset()));
    }
  }

  // ---- following

  /**
   * Takes an answer of the leader; dropped unless it is to the position at which this replica
   * stands and from the leader that it follows.
   *
   * @param nowMs wall-clock time
   * @throws io.milena.log.LogFailedException when the file system refuses
   */
  public FollowedAnswer onLeaderAnswer(LeaderAnswer answer, long nowMs) {
    if (role != ReplicaRole.FOLLOWER
        || answer.leaderEpoch() != leaderEpoch
        || answer.fetchOffset() != log.logEndOffset()
        || answer.lastFetchedEpoch() != log.view().latestLeaderEpoch()) {
      return FollowedAnswer.Unchanged.UNCHANGED;
    }
    return switch (answer.error()) {
      case OFFSET_OUT_OF_RANGE -> beginAnew(answer.logStartOffset());
      case NONE ->
          answer.diverging() == null ? append(answer, nowMs) : truncate(answer.diverging());
      default -> FollowedAnswer.Unchanged.UNCHANGED;
    };
  }

  private FollowedAnswer beginAnew(long leaderLogStartOffset) {
    if (leaderLogStartOffset <= log.logEndOffset()) {
      return FollowedAnswer.Unchanged.UNCHANGED;
    }
    log.truncateFullyAndStartAt(leaderLogStartOffset);
    setHighWatermark(leaderLogStartOffset);
    return FollowedAnswer.Followed.FOLLOWED;
  }

  /**
   * To where both logs can agree: the smaller end of the largest epoch that both know (KIP-279).
   * What lies before may still differ in an epoch that only one of them knows; the next fetch shows
   * it.
   */
  private FollowedAnswer truncate(DivergingEpoch diverging) {
    long end = log.logEndOffset();
    long before = highWatermark;
    DivergingEpoch own = Divergence.endOfEpoch(log.view(), diverging.leaderEpoch());
    long target = Math.min(own.endOffset(), diverging.endOffset());
    if (own.leaderEpoch() > diverging.leaderEpoch()) {
      // Every epoch here is above the leader's: nothing here is the leader's.
      target = Math.min(target, log.logStartOffset());
    }
    if (target < end) {
      log.truncateTo(target);
    } else if (log.logStartOffset() == end) {
      // Empty, but for the memory of an epoch that the leader does not know.
      log.truncateFullyAndStartAt(end);
    } else {
      throw new IllegalStateException(
          partition + " ends at " + end + " and cannot truncate to " + diverging);
    }
    setHighWatermark(Math.clamp(before, log.logStartOffset(), log.logEndOffset()));
    return new FollowedAnswer.Truncated(end, log.logEndOffset(), before);
  }

  private FollowedAnswer append(LeaderAnswer answer, long nowMs) {
    long end = log.logEndOffset();
    long start = log.logStartOffset();
    AppendOutcome.@Nullable Rejected refused = null;
    if (answer.records().sizeInBytes() > 0) {
      if (start == end) {
        beginWithin(answer);
      }
      refused =
          log.appendAsFollower(answer.records(), nowMs) instanceof AppendOutcome.Rejected rejected
              ? rejected
              : null;
    }
    boolean changed = log.logEndOffset() != end;
    long committed = Math.min(Math.max(highWatermark, answer.highWatermark()), log.logEndOffset());
    if (committed != highWatermark) {
      setHighWatermark(committed);
      changed = true;
    }
    long newStart = Math.min(Math.max(start, answer.logStartOffset()), highWatermark);
    if (newStart > log.logStartOffset()) {
      log.advanceLogStartOffset(newStart);
      changed = true;
    }
    if (refused != null) {
      return new FollowedAnswer.Refused(refused.error(), refused.message());
    }
    return changed ? FollowedAnswer.Followed.FOLLOWED : FollowedAnswer.Unchanged.UNCHANGED;
  }

  /** The leader's log may start within a batch, and batches come whole. */
  private void beginWithin(LeaderAnswer answer) {
    var first = answer.records().batches().iterator();
    if (first.hasNext()) {
      long base = first.next().baseOffset();
      if (base < log.logEndOffset()) {
        log.truncateFullyAndStartAt(base);
      }
    }
  }
}
