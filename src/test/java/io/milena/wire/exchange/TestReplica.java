package io.milena.wire.exchange;

import io.milena.common.Clock;
import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.LogConfig;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import io.milena.replication.FollowedAnswer;
import io.milena.replication.FollowerPosition;
import io.milena.replication.InSyncReports;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaCore;
import io.milena.replication.ReplicaView;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** A replica without an actor: the real rules over a real log, under a lock. */
final class TestReplica implements Replica {
  private final TopicPartition partition;
  private final Uuid topicId;
  private final PartitionLog log;
  private final ReplicaCore core;
  private final Set<Runnable> listeners = ConcurrentHashMap.newKeySet();
  private volatile ReplicaView view;

  /** Takes the leader's answers, on whichever thread it likes. */
  volatile Executor taking = Runnable::run;

  /** How many answers are refused for want of space, from now on. */
  final AtomicInteger refusals = new AtomicInteger();

  final AtomicInteger answers = new AtomicInteger();
  final AtomicInteger positions = new AtomicInteger();

  TestReplica(int nodeId, Path directory, TopicPartition partition, Uuid topicId) {
    this.partition = partition;
    this.topicId = topicId;
    Map<String, String> settings = Map.of("segment.bytes", "1000000");
    this.log =
        PartitionLog.open(
                directory.resolve(partition.toString()),
                partition,
                Optional.of(topicId),
                LogConfig.of(settings),
                Clock.system(),
                PartitionLog.OpenState.UNKNOWN)
            .log();
    this.core =
        new ReplicaCore(
            nodeId,
            partition,
            log,
            new ReplicaConfig(LogConfig.of(settings), 1),
            0,
            InSyncReports.NONE);
    this.view = core.view();
  }

  private void publish() {
    view = core.view();
    listeners.forEach(Runnable::run);
    core.acknowledge();
  }

  synchronized void lead(int epoch, List<Integer> replicas, List<Integer> inSync) {
    core.lead(epoch, replicas, inSync, Clock.system().monotonicNanos());
    publish();
  }

  synchronized void follow(int epoch, int leader) {
    core.follow(epoch, leader);
    publish();
  }

  synchronized void stepDown(int epoch) {
    core.stepDown(epoch);
    publish();
  }

  synchronized void advanceLogStartOffset(long offset) {
    log.advanceLogStartOffset(offset);
    publish();
  }

  synchronized void close() {
    log.close();
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Uuid topicId() {
    return topicId;
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
  public synchronized CompletionStage<AppendOutcome> append(
      MemoryRecords records,
      int expectedLeaderEpoch,
      AppendOrigin origin,
      short acks,
      int timeoutMs) {
    AppendOutcome refusal = core.refusal(expectedLeaderEpoch, acks);
    if (refusal != null) {
      return CompletableFuture.completedFuture(refusal);
    }
    AppendOutcome outcome =
        log.appendAsLeader(records, core.leaderEpoch(), origin, Clock.system().wallClockMs());
    CompletableFuture<AppendOutcome> reply = new CompletableFuture<>();
    if (outcome instanceof AppendOutcome.Appended(long _, long last, long _)) {
      core.acknowledgeOnceKept(
          last + 1, acks, timeoutMs, outcome, reply, Clock.system().monotonicNanos());
      core.onLogEnd();
      publish();
    } else {
      reply.complete(outcome);
    }
    return reply;
  }

  @Override
  public CompletionStage<Long> deleteRecords(long offset) {
    throw new UnsupportedOperationException();
  }

  @Override
  public synchronized void onFollowerPosition(FollowerPosition position) {
    positions.incrementAndGet();
    if (core.onFollowerPosition(position)) {
      publish();
    }
  }

  @Override
  public CompletionStage<Void> onLeaderAnswer(LeaderAnswer answer) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    taking.execute(() -> take(answer, done));
    return done;
  }

  private void take(LeaderAnswer answer, CompletableFuture<Void> done) {
    synchronized (this) {
      answers.incrementAndGet();
      if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        done.completeExceptionally(Errors.KAFKA_STORAGE_ERROR.exception("no space, on purpose"));
        return;
      }
      try {
        FollowedAnswer followed = core.onLeaderAnswer(answer, Clock.system().wallClockMs());
        if (followed != FollowedAnswer.Unchanged.UNCHANGED) {
          publish();
        }
        if (followed instanceof FollowedAnswer.Refused(Errors error, String message)) {
          done.completeExceptionally(error.exception(message));
          return;
        }
      } catch (LogFailedException failure) {
        done.completeExceptionally(failure);
        return;
      }
    }
    done.complete(null);
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
}
