package io.milena.wire.exchange;

import io.milena.replication.DivergingEpoch;
import io.milena.replication.LeaderAnswer;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import io.milena.wire.NetworkLoop;
import io.milena.wire.PeerConnection;
import io.milena.wire.ReceivedBytes;
import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateApi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node follows of one leader's node: one connection, one poll at a time, and updates
 * between them. Lives on one network loop, whose thread carries the replicas' actors: what an
 * answer brings is appended where it was read. Partitions come, go and are marked from any thread.
 *
 * <p>The connection is there while there are partitions. Memory: one answer being read, and up to
 * {@link #HELD_ANSWERS_MAX} that slow replicas still need; with more of them no poll is sent.
 */
final class FollowerLink implements KeptConnection.User, Runnable {
  /** Answers whose memory replicas have not given back; reached, the link waits for them. */
  static final int HELD_ANSWERS_MAX = 2;

  /** A leader that says nothing for so long beyond the longest wait is given up. */
  private static final long SILENCE_MS_MAX = 3_000;

  /** Room in an answer beside the records that were asked for: entries, and one large batch. */
  private static final long ANSWER_OVERHEAD_BYTES = 128L * 1024 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(FollowerLink.class);

  private final FollowerLinks links;
  private final int leaderId;
  private final NetworkLoop loop;
  private final Set<FollowedPartition> partitions = new HashSet<>();
  private final ConcurrentLinkedQueue<FollowedPartition> marked = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final ExchangeRequestWriter request = new ExchangeRequestWriter();

  /** By handle; what a connection knows. */
  private final ArrayList<@Nullable FollowedPartition> byHandle = new ArrayList<>();

  private final BitSet freeHandles = new BitSet();

  /** Handles given up while a poll waits, whose answer may still speak of them. */
  private final BitSet freedHandles = new BitSet();

  private final KeptConnection kept;

  /** The connection while it is open. */
  private @Nullable PeerConnection connection;

  private boolean saidHello;
  private boolean polling;
  private boolean closed;
  private int lastPoll;
  private int heldAnswers;

  /** The answer that is being taken, once a replica needs its memory for longer. */
  private @Nullable HeldAnswer holding;

  FollowerLink(FollowerLinks links, int leaderId, NetworkLoop loop) {
    this.links = links;
    this.leaderId = leaderId;
    this.loop = loop;
    this.kept =
        new KeptConnection(
            leaderId,
            loop,
            links.clock(),
            () -> links.address(leaderId),
            (int) Math.min(Integer.MAX_VALUE, links.settings().maxBytes() + ANSWER_OVERHEAD_BYTES),
            links.settings().maxWaitMs() + SILENCE_MS_MAX,
            this);
  }

  int leaderId() {
    return leaderId;
  }

  /** Follows a partition from now on. Any thread. */
  void add(FollowedPartition partition) {
    loop.execute(() -> {
      if (!closed && !partition.removed) {
        partition.added = true;
        partitions.add(partition);
        mark(partition);
        kept.open();
      }
    });
  }

  /** Follows a partition no more. Any thread. */
  void remove(FollowedPartition partition) {
    partition.removed = true;
    loop.execute(() -> {
      if (partitions.remove(partition)) {
        if (partitions.isEmpty()) {
          kept.close("nothing is followed there any more");
        } else {
          mark(partition);
        }
      }
    });
  }

  /** The leader's node has registered anew, or is elsewhere. Any thread. */
  void nodeChanged() {
    loop.execute(kept::retryNow);
  }

  /** Has a partition looked at: its view has changed. Any thread. */
  void mark(FollowedPartition partition) {
    if (partition.marked.compareAndSet(false, true)) {
      marked.add(partition);
      if (scheduled.compareAndSet(false, true)) {
        loop.execute(this);
      }
    }
  }

  /** Ends the link for good. Any thread. */
  void close() {
    loop.execute(() -> {
      closed = true;
      partitions.clear();
      kept.close("this node stops");
    });
  }

  /** Says what there is to say; on the loop's thread. */
  @Override
  public void run() {
    scheduled.set(false);
    say();
  }

  @Override
  public void connected(PeerConnection open) {
    connection = open;
    say();
  }

  @Override
  public void drained() {
    say();
  }

  @Override
  public void disconnected() {
    connection = null;
    saidHello = false;
    polling = false;
    byHandle.clear();
    freeHandles.clear();
    freedHandles.clear();
    for (FollowedPartition partition : partitions) {
      partition.forgetConnection();
      mark(partition);
    }
  }

  /** Sends a poll if none waits, else an update if there is something to say. */
  private void say() {
    PeerConnection open = connection;
    if (open == null || open.hasUnsent()) {
      return;
    }
    boolean poll = !polling && heldAnswers < HELD_ANSWERS_MAX;
    if (!poll && marked.isEmpty()) {
      return;
    }
    long nodeEpoch = links.nodeEpoch();
    if (saidHello) {
      request.begin(nodeEpoch);
    } else {
      request.beginWithHello(links.clusterId(), leaderId, links.nodeId(), nodeEpoch);
    }
    ExchangeSettings settings = links.settings();
    if (poll) {
      request.poll(settings.maxWaitMs(), settings.maxBytes(), settings.partitionMaxBytes());
    }
    for (FollowedPartition next = marked.poll(); next != null; next = marked.poll()) {
      next.marked.set(false);
      tell(next);
    }
    if (poll) {
      polling = true;
      lastPoll++;
    } else if (request.entries() == 0) {
      return;
    }
    saidHello = true;
    open.send(
        poll ? PrivateApi.EXCHANGE : PrivateApi.EXCHANGE_UPDATE,
        ExchangeFormat.VERSION,
        lastPoll,
        request.body());
  }

  /** Adds to the request what the leader does not know of a partition. */
  private void tell(FollowedPartition partition) {
    ReplicaView view = partition.replica.view();
    if (partition.removed
        || view.role() != ReplicaRole.FOLLOWER
        || view.leaderId() != leaderId
        || !partition.added) {
      leave(partition);
      return;
    }
    if (partition.answers > 0 || partition.pausing) {
      return;
    }
    long delayMs =
        links.throttle().followingDelayMs(partition.replica, links.clock().monotonicNanos());
    if (delayMs > 0) {
      pause(partition, delayMs);
      return;
    }
    if (partition.handle == FollowedPartition.NO_HANDLE) {
      partition.handle = newHandle(partition);
      request.added(
          partition.handle, partition.replica.topicId(), partition.replica.partition().partition());
    }
    long end = view.log().logEndOffset();
    long keptEnd = Math.min(view.keptEndOffset(), end);
    int newestEpoch = view.log().latestLeaderEpoch();
    long start = view.log().logStartOffset();
    if (!partition.told
        || partition.mustTell
        || end != partition.toldLogEndOffset
        || newestEpoch != partition.toldNewestEpoch
        || start != partition.toldLogStartOffset
        || view.leaderEpoch() != partition.toldLeaderEpoch) {
      partition.told = true;
      partition.mustTell = false;
      partition.version++;
      partition.toldLeaderEpoch = view.leaderEpoch();
      partition.toldLogEndOffset = end;
      partition.toldNewestEpoch = newestEpoch;
      partition.toldLogStartOffset = start;
      partition.toldKeptEndOffset = keptEnd;
      request.position(
          partition.handle,
          partition.version,
          view.leaderEpoch(),
          start,
          end,
          newestEpoch,
          keptEnd);
    } else if (keptEnd != partition.toldKeptEndOffset) {
      partition.toldKeptEndOffset = keptEnd;
      request.kept(partition.handle, keptEnd);
    }
  }

  private void leave(FollowedPartition partition) {
    int handle = partition.handle;
    if (handle != FollowedPartition.NO_HANDLE) {
      request.removed(handle);
      byHandle.set(handle, null);
      (polling ? freedHandles : freeHandles).set(handle);
      partition.forgetConnection();
    }
  }

  private int newHandle(FollowedPartition partition) {
    int free = freeHandles.nextSetBit(0);
    if (free >= 0) {
      freeHandles.clear(free);
      byHandle.set(free, partition);
      return free;
    }
    byHandle.add(partition);
    return byHandle.size() - 1;
  }

  @Override
  public void answered(int correlationId, ByteBuffer body, ReceivedBytes memory) {
    if (!polling || correlationId != lastPoll) {
      kept.refuse("it answered poll " + correlationId + " instead of " + lastPoll);
      return;
    }
    polling = false;
    try {
      Errors error =
          ExchangeAnswerReader.read(
              body,
              (handle, version, epoch, highWatermark, logStart, entryError, diverging, records) ->
                  take(
                      handle,
                      version,
                      epoch,
                      highWatermark,
                      logStart,
                      entryError,
                      diverging,
                      records,
                      memory));
      if (error != Errors.NONE) {
        kept.refuse("it refused this node with " + error);
        return;
      }
    } catch (MalformedFrameException e) {
      kept.refuse("it sent an answer that is none: " + e.getMessage());
      return;
    } finally {
      holding = null;
    }
    freeHandles.or(freedHandles);
    freedHandles.clear();
    kept.works();
    say();
  }

  private void take(
      int handle,
      byte version,
      int leaderEpoch,
      long highWatermark,
      long logStartOffset,
      Errors error,
      @Nullable DivergingEpoch diverging,
      ByteBuffer records,
      ReceivedBytes memory) {
    FollowedPartition partition = handle < byHandle.size() ? byHandle.get(handle) : null;
    if (partition == null
        || partition.removed
        || partition.version != version
        || partition.toldLeaderEpoch != leaderEpoch) {
      return;
    }
    // With any of these the leader has answered the position, and waits for the next.
    partition.mustTell |= records.hasRemaining() || diverging != null || error != Errors.NONE;
    partition.answers++;
    if (records.hasRemaining()) {
      links
          .throttle()
          .taken(partition.replica, records.remaining(), links.clock().monotonicNanos());
    }
    CompletableFuture<Void> done =
        partition
            .replica
            .onLeaderAnswer(
                new LeaderAnswer(
                    leaderEpoch,
                    partition.toldLogEndOffset,
                    partition.toldNewestEpoch,
                    error,
                    highWatermark,
                    logStartOffset,
                    diverging,
                    records.hasRemaining()
                        ? MemoryRecords.readableRecords(records)
                        : MemoryRecords.EMPTY))
            .toCompletableFuture();
    if (done.isDone()) {
      taken(partition, failure(done));
      return;
    }
    HeldAnswer held = records.hasRemaining() ? hold(memory) : null;
    done.whenComplete((_, _) -> {
      if (held != null) {
        held.memory.release();
      }
      loop.execute(() -> {
        if (held != null && --held.users == 0) {
          heldAnswers--;
        }
        taken(partition, failure(done));
        say();
      });
    });
  }

  /** The memory of an answer, while replicas need it after it was read. */
  private static final class HeldAnswer {
    final ReceivedBytes memory;
    int users;

    HeldAnswer(ReceivedBytes memory) {
      this.memory = memory;
    }
  }

  private HeldAnswer hold(ReceivedBytes memory) {
    HeldAnswer held = holding;
    if (held == null) {
      held = new HeldAnswer(memory);
      holding = held;
      heldAnswers++;
    }
    held.users++;
    memory.retain();
    return held;
  }

  private static @Nullable Throwable failure(CompletableFuture<Void> done) {
    return done.state() == Future.State.FAILED ? done.exceptionNow() : null;
  }

  /** The replica has taken an answer, or could not. */
  private void taken(FollowedPartition partition, @Nullable Throwable failure) {
    partition.answers--;
    if (failure == null && (hasMoved(partition) || !partition.mustTell)) {
      partition.failing = false;
      mark(partition);
      return;
    }
    if (failure != null && !partition.failing) {
      partition.failing = true;
      LOG.warn(
          "{} could not take what its leader, node {}, sent ({}); it is asked for again every {}"
              + " ms",
          partition,
          leaderId,
          String.valueOf(failure.getMessage()),
          links.settings().backoffMs());
    }
    if (!partition.pausing) {
      pause(partition, links.settings().backoffMs());
    }
  }

  /** Says nothing of a partition for some time. */
  private void pause(FollowedPartition partition, long delayMs) {
    partition.pausing = true;
    var _ =
        loop.schedule(
            delayMs,
            () -> {
              partition.pausing = false;
              mark(partition);
            });
  }

  private static boolean hasMoved(FollowedPartition partition) {
    ReplicaView view = partition.replica.view();
    return view.log().logEndOffset() != partition.toldLogEndOffset
        || view.log().latestLeaderEpoch() != partition.toldNewestEpoch
        || view.leaderEpoch() != partition.toldLeaderEpoch
        || view.role() != ReplicaRole.FOLLOWER;
  }
}
