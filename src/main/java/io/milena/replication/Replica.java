package io.milena.replication;

import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * A replica on this node as others see it: a view to read, and an actor to ask. May be called from
 * any thread.
 */
public interface Replica {

  /** The partition. */
  TopicPartition partition();

  /** The topic's id. */
  Uuid topicId();

  /** The newest view: one volatile read. */
  ReplicaView view();

  /**
   * Completes when the log has been opened (recovered, after a crash), or has failed to: see {@link
   * ReplicaRole#OFFLINE}. Until then the view is IDLE with an empty log; appends are parked,
   * boundedly.
   */
  CompletionStage<Void> opened();

  /**
   * Appends as the leader.
   *
   * @param records whole batches; their bytes are used (and offsets, epoch and timestamps written
   *     into them) until the stage completes
   * @param expectedLeaderEpoch the epoch the caller believes in, or -1 for whichever is current
   * @param acks 0 and 1: complete once written (and flushed, in fsync mode); -1: once every in-sync
   *     replica has it
   * @param timeoutMs for acks -1: when to give up with REQUEST_TIMED_OUT; the records stay in the
   *     log
   * @return what became of them; {@link AppendOutcome.Rejected} with NOT_LEADER_OR_FOLLOWER,
   *     FENCED_LEADER_EPOCH, NOT_ENOUGH_REPLICAS, KAFKA_STORAGE_ERROR and the rest of Kafka's
   *     errors. Never fails otherwise.
   */
  CompletionStage<AppendOutcome> append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs);

  /**
   * The same for a caller who has better use for the bytes than to hold them while acknowledgements
   * are waited for.
   *
   * @param onWritten run when the bytes are in the log and the stage is not complete yet: they are
   *     not looked at any more. On any thread, quick; not run when the stage is complete at once
   */
  default CompletionStage<AppendOutcome> append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs,
      Runnable onWritten) {
    return append(records, expectedLeaderEpoch, origin, acks, timeoutMs);
  }

  /**
   * Moves the log start offset forward (DeleteRecords).
   *
   * @param offset new log start offset, at most the high watermark; -1 for the high watermark
   * @return the new log start offset; fails with Kafka's own exceptions (OFFSET_OUT_OF_RANGE,
   *     POLICY_VIOLATION)
   */
  CompletionStage<Long> deleteRecords(long offset);

  /**
   * Takes a follower's position into account: the high watermark and acknowledgements may follow at
   * once. Ignored unless this replica leads in that epoch and nothing newer is known of that node.
   * Never blocks.
   */
  void onFollowerPosition(FollowerPosition position);

  /**
   * Takes one answer of the leader: appends its records, truncates where the logs differ, begins
   * anew where the leader's log begins past this one's end, and follows high watermark and log
   * start offset.
   *
   * @param answer its records' buffer may be used again after completion
   * @return completes once the answer is in {@link #view()}, from which the next position is taken,
   *     or once it was dropped: because this replica does not follow in that epoch, or stands
   *     elsewhere. Fails with {@link org.apache.kafka.common.errors.KafkaStorageException} when
   *     this node could not write (the replica is offline, or its disk is full), and with {@link
   *     org.apache.kafka.common.errors.CorruptRecordException} when a batch is damaged (what came
   *     before it is in the log): fetch again after a pause.
   */
  CompletionStage<Void> onLeaderAnswer(LeaderAnswer answer);

  /**
   * Runs a listener after every publication of a view, on the thread of the actor, until it is
   * removed. It must be quick and never block.
   */
  void addListener(Runnable listener);

  /** Removes a listener; one that is not there is ignored. */
  void removeListener(Runnable listener);
}
