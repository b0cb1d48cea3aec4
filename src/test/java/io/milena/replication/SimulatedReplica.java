package io.milena.replication;

import io.milena.log.AppendOutcome;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/**
 * The shell around one replica's core in one life of its node: what {@code ReplicaActor} does, in
 * virtual time. Its log outlives it.
 */
final class SimulatedReplica implements InSyncReports {

  private static final int ACKNOWLEDGE_WITHIN_MS = 300;

  final TopicIdPartition key;
  final ModelLog log;
  final ReplicaCore core;
  int setId;
  private final SimulatedNode node;
  private ReplicaConfig config;
  private int shownBatches;
  private boolean flushing;
  private long flushTarget;
  private boolean offline;

  SimulatedReplica(
      SimulatedNode node,
      TopicIdPartition key,
      int setId,
      ModelLog log,
      ReplicaConfig config,
      long highWatermark) {
    this.node = node;
    this.key = key;
    this.setId = setId;
    this.log = log;
    this.config = config;
    this.core = new ReplicaCore(node.id, key.topicPartition(), log, config, highWatermark, this);
  }

  boolean isOffline() {
    return offline;
  }

  void reconfigure(ReplicaConfig newConfig) {
    if (!newConfig.equals(config)) {
      config = newConfig;
      core.reconfigure(newConfig);
      changed();
    }
  }

  /** A disk that fails: nothing of this replica answers until its node is started again. */
  void fail() {
    offline = true;
    core.end(org.apache.kafka.common.protocol.Errors.KAFKA_STORAGE_ERROR, "the disk failed");
  }

  /** What others see, then who waited for it. */
  void changed() {
    if (offline) {
      return;
    }
    if (node.isRegistered()) {
      shownBatches =
          node.world.checker.onView(key, node.toString(), log, core.view(), shownBatches);
    }
    core.acknowledge();
    flush();
    node.world.onCommitted(key);
  }

  private void flush() {
    if (!core.awaitsFlush() || flushing) {
      return;
    }
    flushing = true;
    flushTarget = log.logEndOffset();
    node.later(
        1 + node.world.random.nextInt(12),
        () -> {
          flushing = false;
          if (!offline) {
            log.flush(flushTarget);
            core.onLogEnd();
            changed();
          }
        });
  }

  /** As the leader: a client's batch. */
  void append(byte[]... values) {
    if (offline || core.refusal(-1, (short) -1) != null) {
      return;
    }
    if (node.world.chance(8)) {
      return; // The disk was full: nothing of it remained.
    }
    long base = log.appendAsLeader(core.leaderEpoch(), values);
    ModelLog.Batch batch = log.batches().getLast();
    core.onLogEnd();
    changed();
    long end = base + values.length;
    CompletableFuture<AppendOutcome> reply = new CompletableFuture<>();
    AppendOutcome outcome = new AppendOutcome.Appended(base, end - 1, -1);
    if (core.isKept(end, (short) -1) || node.world.fault == ReplicationFault.ACKNOWLEDGES_ALONE) {
      reply.complete(outcome);
    } else {
      core.acknowledgeOnceKept(
          end, (short) -1, ACKNOWLEDGE_WITHIN_MS, outcome, reply, node.nowNanos());
    }
    node.later(ACKNOWLEDGE_WITHIN_MS + 1, () -> core.expire(node.nowNanos()));
    var _ =
        reply.thenAccept(answer -> {
          if (answer instanceof AppendOutcome.Appended) {
            node.world.acknowledged(key, node, batch);
          }
        });
  }

  /** As a follower: an answer of the leader; true when there may be more to fetch at once. */
  boolean onLeaderAnswer(LeaderAnswer answer) {
    if (offline) {
      return false;
    }
    long end = log.logEndOffset();
    try {
      FollowedAnswer followed = core.onLeaderAnswer(answer, 0);
      if (log.logEndOffset() < end) {
        flushTarget = Math.min(flushTarget, log.logEndOffset());
        node.world.onTruncated(this);
      }
      changed();
      return followed instanceof FollowedAnswer.Followed
          || followed instanceof FollowedAnswer.Truncated;
    } catch (UncheckedIOException full) {
      changed();
      return false;
    }
  }

  @Override
  public void onCaughtUp(int leaderEpoch, int nodeId, long nodeEpoch) {
    node.tellKeeper(
        now -> node.keeper().onCaughtUp(setId, key, leaderEpoch, nodeId, nodeEpoch, now));
  }

  @Override
  public void onJoined(int leaderEpoch, int nodeId, long nodeEpoch) {
    node.tellKeeper(now -> node.keeper().onJoined(setId, key, leaderEpoch, nodeId, nodeEpoch, now));
  }

  @Override
  public void onLagging(int leaderEpoch, int nodeId) {
    node.tellKeeper(now -> node.keeper().onLagging(setId, leaderEpoch, nodeId, now));
  }

  @Override
  public String toString() {
    return key.topicPartition()
        + " "
        + core.role()
        + " epoch "
        + core.leaderEpoch()
        + " high watermark "
        + core.highWatermark()
        + " kept "
        + core.keptEndOffset()
        + " of "
        + log.batches().stream().map(ReplicationChecker::name).toList();
  }
}
