package io.milena.replication.actor;

import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.PartitionLog;
import io.milena.replication.FollowerPosition;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.ReplicaConfig;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** What a {@link ReplicaActor} is asked. All of it stays on the node: bytes travel by reference. */
sealed interface ReplicaCommand {

  /** See {@link io.milena.replication.Replica#append}. */
  record Append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs,
      Runnable onWritten,
      CompletableFuture<AppendOutcome> reply)
      implements ReplicaCommand {}

  /** See {@link io.milena.replication.Replica#deleteRecords}. */
  record DeleteRecords(long offset, CompletableFuture<Long> reply) implements ReplicaCommand {}

  /**
   * The metadata group granted leadership to this node, or changed the replicas under it.
   *
   * @param replicas assigned node ids
   * @param inSyncReplicas node ids, this node's among them
   */
  record Lead(int leaderEpoch, List<Integer> replicas, List<Integer> inSyncReplicas)
      implements ReplicaCommand {}

  /**
   * The metadata group granted leadership to another node.
   *
   * @param leaderId that node
   */
  record Follow(int leaderEpoch, int leaderId) implements ReplicaCommand {}

  /** See {@link io.milena.replication.Replica#onFollowerPosition}. */
  record FollowerFetched(FollowerPosition position) implements ReplicaCommand {}

  /** See {@link io.milena.replication.Replica#onLeaderAnswer}. */
  record LeaderAnswered(LeaderAnswer answer, CompletableFuture<Void> done)
      implements ReplicaCommand {}

  /** See {@link io.milena.replication.LeaderProgress#join}. */
  record Join(int leaderEpoch, int nodeId, long nodeEpoch) implements ReplicaCommand {}

  /** See {@link io.milena.replication.LeaderProgress#withdraw}. */
  record Withdraw(int leaderEpoch, int nodeId) implements ReplicaCommand {}

  /** See {@link io.milena.replication.LeaderProgress#review}. */
  record Review(long lagMaxNanos) implements ReplicaCommand {}

  /** Nobody leads the partition in this epoch, or this node is no replica of it. */
  record StepDown(int leaderEpoch) implements ReplicaCommand {}

  /** The topic's configuration changed. */
  record Reconfigure(ReplicaConfig config) implements ReplicaCommand {}

  /** Time to apply retention, expire producers and the like. */
  record Maintain() implements ReplicaCommand {}

  /** A flush that the actor started has ended. */
  record Flushed(PartitionLog.PendingFlush flush) implements ReplicaCommand {}

  /**
   * A flush that the actor started failed: what is on disk is unknown, so the replica goes offline.
   */
  record FlushFailed(Throwable failure) implements ReplicaCommand {}

  /** A flush is due by {@code flush.ms}. */
  record FlushDue() implements ReplicaCommand {}

  /** Time to try again a flush that a full disk prevented. */
  record RetryFlush() implements ReplicaCommand {}

  /** Files of old segments have waited for {@code file.delete.delay.ms}. */
  record RemoveFiles() implements ReplicaCommand {}

  /** A closed actor has answered what was still on its way to it. */
  record Stop() implements ReplicaCommand {}

  /** Waiting acknowledgements may have run out of time. */
  record ExpireWaiting() implements ReplicaCommand {}

  /**
   * Runs a change of the segment list (the last step of a compaction) on the actor, the only
   * writer.
   *
   * @param change what to do with the log
   */
  record ChangeLog(LogChange change, CompletableFuture<Void> done) implements ReplicaCommand {}

  /** Ends the actor: flushes and closes the log. */
  record Close(CompletableFuture<Void> done) implements ReplicaCommand {}

  /** Ends the actor and removes the partition's directory: the topic was deleted. */
  record Delete(CompletableFuture<Void> done) implements ReplicaCommand {}
}
