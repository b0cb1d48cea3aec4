package io.milena.log;

import java.util.OptionalLong;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * What replication needs of a log: {@link PartitionLog}, or a model of it in a simulation. Only the
 * log's owner calls it.
 */
public interface ReplicatedLog {

  /** The newest view. */
  LogView view();

  /** First offset that can be read. */
  long logStartOffset();

  /** Next offset to assign. */
  long logEndOffset();

  /** Everything below is on disk. */
  long recoveryPoint();

  /** First offset of the first transaction that is open or not replicated yet (LSO). */
  OptionalLong firstUnstableOffset();

  /** Transactions whose end lies below are stable from now on. */
  void onHighWatermark(long highWatermark);

  /** See {@link PartitionLog#appendAsFollower}. */
  AppendOutcome appendAsFollower(MemoryRecords records, long nowMs);

  /** See {@link PartitionLog#truncateTo}. */
  long truncateTo(long offset);

  /** See {@link PartitionLog#truncateFullyAndStartAt}. */
  void truncateFullyAndStartAt(long offset);

  /** See {@link PartitionLog#advanceLogStartOffset}. */
  void advanceLogStartOffset(long offset);
}
