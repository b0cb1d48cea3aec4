package io.milena.group.actor;

import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.replication.FollowerPosition;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;

/** A replica whose log is a list of batches in memory; every append is replicated at once. */
final class FakeReplica implements Replica {

  private final TopicPartition partition;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final List<byte[]> batches = new ArrayList<>();
  private final List<Long> baseOffsets = new ArrayList<>();
  private ReplicaRole role = ReplicaRole.LEADER;
  private int leaderEpoch;
  private long endOffset;
  private boolean lagging;
  private volatile Runnable beforeAppends = () -> {};
  private volatile ReplicaView view;

  FakeReplica(TopicPartition partition) {
    this.partition = partition;
    publish();
  }

  /** Changes role and epoch, as a new image would. */
  void become(ReplicaRole newRole, int newLeaderEpoch) {
    synchronized (this) {
      role = newRole;
      leaderEpoch = newLeaderEpoch;
      publish();
    }
    listeners.forEach(Runnable::run);
  }

  /** While true the followers lag: the high watermark stays at 0. */
  void setLagging(boolean lags) {
    synchronized (this) {
      lagging = lags;
      publish();
    }
    listeners.forEach(Runnable::run);
  }

  /** Run before each append, which fails as it does. */
  void beforeAppends(Runnable task) {
    beforeAppends = task;
  }

  private void publish() {
    long highWatermark = lagging ? 0 : endOffset;
    view =
        new ReplicaView(
            role,
            leaderEpoch,
            role == ReplicaRole.LEADER ? 1 : ReplicaView.NO_LEADER,
            new FakeLog(List.copyOf(batches), List.copyOf(baseOffsets), endOffset),
            highWatermark,
            highWatermark,
            endOffset);
  }

  @Override
  public CompletionStage<AppendOutcome> append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs) {
    beforeAppends.run();
    AppendOutcome outcome;
    synchronized (this) {
      if (role != ReplicaRole.LEADER || expectedLeaderEpoch != leaderEpoch) {
        return CompletableFuture.completedFuture(
            new AppendOutcome.Rejected(Errors.NOT_LEADER_OR_FOLLOWER, "not the leader"));
      }
      long first = endOffset;
      for (MutableRecordBatch batch : records.batches()) {
        long last = endOffset + batch.lastOffset() - batch.baseOffset();
        batch.setLastOffset(last);
        batch.setPartitionLeaderEpoch(leaderEpoch);
        ByteBuffer copy = ByteBuffer.allocate(batch.sizeInBytes());
        batch.writeTo(copy);
        batches.add(copy.array());
        baseOffsets.add(endOffset);
        endOffset = last + 1;
      }
      publish();
      outcome = new AppendOutcome.Appended(first, endOffset - 1, -1);
    }
    listeners.forEach(Runnable::run);
    return CompletableFuture.completedFuture(outcome);
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Uuid topicId() {
    return Uuid.ONE_UUID;
  }

  @Override
  public ReplicaView view() {
    return view;
  }

  @Override
  public CompletionStage<Void> opened() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletionStage<Long> deleteRecords(long offset) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void onFollowerPosition(FollowerPosition position) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> onLeaderAnswer(LeaderAnswer answer) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void addListener(Runnable listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Runnable listener) {
    listeners.remove(listener);
  }

  int listenerCount() {
    return listeners.size();
  }

  private record FakeLog(List<byte[]> batches, List<Long> baseOffsets, long logEndOffset)
      implements LogView {
    @Override
    public long logStartOffset() {
      return 0;
    }

    @Override
    public FileRegion read(
        long startOffset, int maxBytes, long upperBoundOffset, boolean wholeFirstBatch) {
      for (int i = 0; i < batches.size(); i++) {
        if (baseOffsets.get(i) >= startOffset) {
          return new FakeRegion(ByteBuffer.wrap(batches.get(i)), baseOffsets.get(i));
        }
      }
      return new FakeRegion(ByteBuffer.allocate(0), startOffset);
    }

    @Override
    public long availableBytes(long startOffset, long upperBoundOffset) {
      return upperBoundOffset - startOffset;
    }

    @Override
    public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, long upperBound) {
      return Optional.empty();
    }

    @Override
    public Optional<TimestampedOffset> maxTimestamp(long upperBoundOffset) {
      return Optional.empty();
    }

    @Override
    public int latestLeaderEpoch() {
      return 0;
    }

    @Override
    public int epochAt(long offset) {
      return 0;
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
    public List<AbortedTransaction> abortedTransactions(long startOffset, long upperBound) {
      return List.of();
    }
  }

  private record FakeRegion(ByteBuffer bytes, long firstBatchBaseOffset) implements FileRegion {
    @Override
    public boolean isEmpty() {
      return !bytes.hasRemaining();
    }

    @Override
    public int sizeInBytes() {
      return bytes.remaining();
    }

    @Override
    public int writeTo(TransferableChannel channel, int position, int remaining)
        throws IOException {
      return channel.write(bytes.slice(position, remaining));
    }

    @Override
    public org.apache.kafka.common.record.internal.RecordsSend<?> toSend() {
      throw new UnsupportedOperationException();
    }
  }
}
