package io.milena.replication.actor;

import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.errors.KafkaStorageException;

/** Views of replicas whose log is not open. */
final class EmptyViews {

  static final ReplicaView OPENING = empty(ReplicaRole.IDLE);
  static final ReplicaView OFFLINE = empty(ReplicaRole.OFFLINE);

  private EmptyViews() {}

  private static ReplicaView empty(ReplicaRole role) {
    return new ReplicaView(role, -1, ReplicaView.NO_LEADER, new NoLog(), 0, 0, 0);
  }

  private static final class NoLog implements LogView {
    @Override
    public long logStartOffset() {
      return 0;
    }

    @Override
    public long logEndOffset() {
      return 0;
    }

    @Override
    public FileRegion read(
        long startOffset, int maxBytes, long upperBoundOffset, boolean wholeFirstBatch) {
      throw new KafkaStorageException("the log is not open");
    }

    @Override
    public long availableBytes(long startOffset, long upperBoundOffset) {
      return 0;
    }

    @Override
    public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, long upperBoundOffset) {
      return Optional.empty();
    }

    @Override
    public Optional<TimestampedOffset> maxTimestamp(long upperBoundOffset) {
      return Optional.empty();
    }

    @Override
    public int latestLeaderEpoch() {
      return -1;
    }

    @Override
    public int epochAt(long offset) {
      return -1;
    }

    @Override
    public EpochEnd endOffsetForEpoch(int leaderEpoch) {
      return new EpochEnd(-1, -1);
    }

    @Override
    public long sizeBytes() {
      return 0;
    }

    @Override
    public List<AbortedTransaction> abortedTransactions(long startOffset, long upperBoundOffset) {
      return List.of();
    }
  }
}
