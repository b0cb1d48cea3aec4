package io.milena.wire.exchange;

import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.replication.Divergence;
import io.milena.replication.DivergingEpoch;
import io.milena.replication.FollowerPosition;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import io.milena.wire.exchange.ServedPartition.Owed;
import io.milena.wire.handler.ConnectionContext;
import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateAnswer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one follower's node follows here, over one connection. Lives on the connection's network
 * thread; views that are published on other threads only mark their partition.
 *
 * <p>A poll is answered as soon as a follower is owed records, a divergence or an error; a moved
 * high watermark alone waits {@link #NEWS_DELAY_MS} for company. Partitions are served in the order
 * in which they came to be owed something, and one that did not fit into an answer keeps its place;
 * one that was served is owed nothing until its follower says where it stands now. Between polls
 * nothing runs, and each partition is marked once at most: so that what a session holds is bounded
 * by its partitions, and by one answer of the bytes that the follower asked for and one batch.
 */
final class LeaderSession
    implements ConnectionContext.Attachment, ExchangeRequestReader.Sink, Runnable {

  /** How long a high watermark that moved waits for records to go with. */
  static final long NEWS_DELAY_MS = 5;

  /** No answer is larger, whatever the follower asks for; but for one batch that is. */
  static final int ANSWER_BYTES_MAX = 16 * 1024 * 1024;

  private static final int WAIT_MS_MAX = 30_000;
  private static final int UNKNOWN_NODE = -1;
  private static final Logger LOG = LoggerFactory.getLogger(LeaderSession.class);

  private final LeaderExchange exchange;
  private final ConnectionContext connection;
  private final ArrayList<@Nullable ServedPartition> partitions = new ArrayList<>();
  private final ConcurrentLinkedQueue<ServedPartition> marked = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final ArrayDeque<ServedPartition> owedAnswers = new ArrayDeque<>();
  private final ArrayDeque<ServedPartition> owedNews = new ArrayDeque<>();
  private final ExchangeAnswer answer = new ExchangeAnswer();

  private int follower = UNKNOWN_NODE;
  private long nodeEpoch;
  private Errors refusal = Errors.NONE;
  private int maxWaitMs;
  private int maxBytes;
  private int partitionMaxBytes;
  private boolean closed;

  /** The poll that waits; and its timers. */
  private @Nullable CompletableFuture<PrivateAnswer> held;

  private ConnectionContext.@Nullable TimerTask waitTimer;
  private ConnectionContext.@Nullable TimerTask newsTimer;

  /** Whether a poll waits, so that marking a partition wakes the session. */
  private volatile boolean polled;

  /**
   * @param connection of its first request: outlives that as far as threads and timers go
   */
  LeaderSession(LeaderExchange exchange, ConnectionContext connection) {
    this.exchange = exchange;
    this.connection = connection;
  }

  CompletionStage<PrivateAnswer> onPoll(ByteBuffer body) throws MalformedFrameException {
    if (held != null) {
      throw new MalformedFrameException("a poll came while another one waits");
    }
    ExchangeRequestReader.read(body, true, this);
    if (refusal != Errors.NONE) {
      return CompletableFuture.completedFuture(refused(refusal));
    }
    polled = true;
    lookAtMarked();
    if (!owedAnswers.isEmpty() || maxWaitMs == 0) {
      return CompletableFuture.completedFuture(nextAnswer());
    }
    CompletableFuture<PrivateAnswer> waiting = new CompletableFuture<>();
    held = waiting;
    waitTimer = connection.schedule(maxWaitMs, this::answerHeld);
    awaitNews();
    return waiting;
  }

  private ExchangeAnswer refused(Errors error) {
    refusal = error;
    LOG.debug(
        "node {} (epoch {}) at {} may not follow partitions here: {}",
        follower,
        nodeEpoch,
        connection.clientAddress(),
        error);
    answer.refuse(error);
    return answer;
  }

  void onUpdate(ByteBuffer body) throws MalformedFrameException {
    ExchangeRequestReader.read(body, false, this);
    if (refusal == Errors.NONE) {
      run();
    }
  }

  /** Topics were created, deleted or changed. Any thread. */
  void topicsChanged(Set<Uuid> topics) {
    connection.execute(() -> {
      for (ServedPartition partition : partitions) {
        if (partition != null && topics.contains(partition.topicId)) {
          resolve(partition);
          mark(partition);
        }
      }
    });
  }

  /** Nodes were registered or changed: the follower's may have begun another life. Any thread. */
  void nodesChanged() {
    connection.execute(() -> {
      CompletableFuture<PrivateAnswer> waiting = held;
      if (waiting == null || exchange.checkRegistration(follower, nodeEpoch) == Errors.NONE) {
        return;
      }
      endWait();
      waiting.complete(refused(exchange.checkRegistration(follower, nodeEpoch)));
    });
  }

  /** Has a partition looked at before the next answer. Any thread. */
  void mark(ServedPartition partition) {
    if (partition.marked.compareAndSet(false, true)) {
      marked.add(partition);
      if (polled && scheduled.compareAndSet(false, true)) {
        connection.execute(this);
      }
    }
  }

  /** Looks at what was marked, and answers the poll if there is something. */
  @Override
  public void run() {
    scheduled.set(false);
    if (closed) {
      return;
    }
    lookAtMarked();
    if (held != null) {
      if (!owedAnswers.isEmpty()) {
        answerHeld();
      } else {
        awaitNews();
      }
    }
  }

  private void awaitNews() {
    if (!owedNews.isEmpty() && newsTimer == null) {
      newsTimer = connection.schedule(NEWS_DELAY_MS, this::answerHeld);
    }
  }

  private void answerHeld() {
    CompletableFuture<PrivateAnswer> waiting = held;
    if (waiting == null || closed) {
      return;
    }
    PrivateAnswer next;
    try {
      next = nextAnswer();
    } catch (RuntimeException failure) {
      // The connection ends with it, and the follower begins anew.
      waiting.completeExceptionally(failure);
      return;
    }
    waiting.complete(next);
  }

  /** No poll waits any more. */
  private void endWait() {
    held = null;
    polled = false;
    if (waitTimer != null) {
      waitTimer.cancel();
      waitTimer = null;
    }
    if (newsTimer != null) {
      newsTimer.cancel();
      newsTimer = null;
    }
  }

  private ExchangeAnswer nextAnswer() {
    endWait();
    answer.begin();
    for (int left = owedAnswers.size(); left > 0 && answer.recordsBytes() < maxBytes; left--) {
      ServedPartition partition = owedAnswers.remove();
      partition.owed = Owed.NOTHING;
      serve(partition);
    }
    for (int left = owedNews.size(); left > 0; left--) {
      ServedPartition partition = owedNews.remove();
      if (partition.owed == Owed.NEWS) {
        partition.owed = Owed.NOTHING;
        serve(partition);
      }
    }
    return answer;
  }

  private void lookAtMarked() {
    for (ServedPartition next = marked.poll(); next != null; next = marked.poll()) {
      next.marked.set(false);
      try {
        lookAt(next);
      } catch (RuntimeException failure) {
        LOG.error("following {} by node {} is stuck for now", next, follower, failure);
      }
    }
  }

  /** Acknowledges what the follower has, and finds out what it is owed. */
  private void lookAt(ServedPartition partition) {
    Replica replica = partition.replica;
    ReplicaView view = replica == null ? null : leaderView(partition, replica);
    if (replica == null || view == null) {
      return;
    }
    if (!partition.agrees) {
      if (!partition.positioned) {
        return;
      }
      if (divergence(partition, view) != Divergence.None.NONE) {
        owe(partition, Owed.ANSWER);
        return;
      }
      partition.agrees = true;
    }
    if (partition.unacknowledged) {
      partition.unacknowledged = false;
      acknowledge(partition, replica);
      view = replica.view();
    }
    if (!partition.positioned) {
      return;
    }
    LogView log = view.log();
    if (partition.logEndOffset < log.logEndOffset()
        || partition.logEndOffset < log.logStartOffset()) {
      if (!isPostponed(partition, replica)) {
        owe(partition, Owed.ANSWER);
      }
    } else if (view.highWatermark() != partition.toldHighWatermark
        || log.logStartOffset() != partition.toldLogStartOffset) {
      owe(partition, Owed.NEWS);
    }
  }

  /** Whether a throttle keeps its records back for now; then it is looked at again. */
  private boolean isPostponed(ServedPartition partition, Replica replica) {
    if (partition.postponed) {
      return true;
    }
    long delayMs =
        exchange.throttle().leadingDelayMs(replica, follower, exchange.clock().monotonicNanos());
    if (delayMs == 0) {
      return false;
    }
    partition.postponed = true;
    var _ =
        connection.schedule(
            delayMs,
            () -> {
              partition.postponed = false;
              mark(partition);
            });
    return true;
  }

  private void owe(ServedPartition partition, Owed owed) {
    if (owed.compareTo(partition.owed) > 0) {
      partition.owed = owed;
      (owed == Owed.ANSWER ? owedAnswers : owedNews).add(partition);
    }
  }

  private void acknowledge(ServedPartition partition, Replica replica) {
    replica.onFollowerPosition(
        new FollowerPosition(
            follower,
            nodeEpoch,
            partition.leaderEpoch,
            partition.logStartOffset,
            partition.logEndOffset,
            partition.keptEndOffset,
            exchange.clock().monotonicNanos()));
  }

  /**
   * The newest view, if this node leads in the follower's epoch. If it does not, there is nothing
   * to say: whoever lags behind the metadata will learn of the epoch by its own image.
   */
  private static @Nullable ReplicaView leaderView(ServedPartition partition, Replica replica) {
    ReplicaView view = replica.view();
    return view.role() == ReplicaRole.LEADER && view.leaderEpoch() == partition.leaderEpoch
        ? view
        : null;
  }

  private static Divergence divergence(ServedPartition partition, ReplicaView view) {
    return Divergence.of(view.log(), partition.logEndOffset, partition.newestEpoch);
  }

  /** Adds to the answer what the follower is owed by now. */
  private void serve(ServedPartition partition) {
    Replica replica = partition.replica;
    ReplicaView view = replica == null ? null : leaderView(partition, replica);
    if (replica == null || view == null || partition.removed || !partition.positioned) {
      return;
    }
    Errors error = Errors.NONE;
    DivergingEpoch diverging = null;
    FileRegion records = null;
    try {
      if (partition.logEndOffset < view.log().logStartOffset()) {
        error = Errors.OFFSET_OUT_OF_RANGE;
      } else if (partition.agrees) {
        if (isPostponed(partition, replica)) {
          return;
        }
        records = read(partition, view);
        if (records != null) {
          exchange
              .throttle()
              .sent(replica, follower, records.sizeInBytes(), exchange.clock().monotonicNanos());
        }
      } else {
        switch (divergence(partition, view)) {
          case Divergence.Diverging(DivergingEpoch epoch) -> diverging = epoch;
          case Divergence.BelowLogStart _ -> error = Errors.OFFSET_OUT_OF_RANGE;
          // Agrees by now: it is looked at again.
          case Divergence.None _ -> {
            mark(partition);
            return;
          }
        }
      }
      add(partition, view, error, diverging, records);
    } catch (IOException | OffsetOutOfRangeException failure) {
      LOG.error(
          "reading {} at offset {} for node {} failed: {}",
          partition,
          partition.logEndOffset,
          follower,
          failure.toString());
      error = Errors.KAFKA_STORAGE_ERROR;
      addError(partition, view, error);
    }
    if (error != Errors.NONE || diverging != null || records != null) {
      partition.positioned = false;
    } else {
      partition.toldNews = true;
    }
    partition.toldHighWatermark = view.highWatermark();
    partition.toldLogStartOffset = view.log().logStartOffset();
  }

  /** Records from the follower's end on, or null when there are none. */
  private @Nullable FileRegion read(ServedPartition partition, ReplicaView view)
      throws IOException {
    int bytes = Math.min(partitionMaxBytes, Math.max(0, maxBytes - answer.recordsBytes()));
    if (partition.logEndOffset >= view.log().logEndOffset() || bytes == 0) {
      return null;
    }
    FileRegion region = view.log().read(partition.logEndOffset, bytes, Long.MAX_VALUE, true);
    return region.isEmpty() ? null : region;
  }

  private void add(
      ServedPartition partition,
      ReplicaView view,
      Errors error,
      @Nullable DivergingEpoch diverging,
      @Nullable FileRegion records)
      throws IOException {
    answer.add(
        partition.handle,
        partition.version,
        view.leaderEpoch(),
        view.highWatermark(),
        view.log().logStartOffset(),
        error,
        diverging,
        records);
  }

  private void addError(ServedPartition partition, ReplicaView view, Errors error) {
    try {
      add(partition, view, error, null, null);
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void hello(Uuid clusterId, int askedNodeId, int askingNodeId)
      throws MalformedFrameException {
    if (follower != UNKNOWN_NODE) {
      throw new MalformedFrameException("it says hello a second time");
    }
    if (askingNodeId < 0) {
      throw new MalformedFrameException("it comes from node " + askingNodeId);
    }
    follower = askingNodeId;
    refusal = exchange.checkHello(clusterId, askedNodeId);
  }

  @Override
  public void nodeEpoch(long epoch) throws MalformedFrameException {
    if (follower == UNKNOWN_NODE) {
      throw new MalformedFrameException("it does not begin with a hello");
    }
    nodeEpoch = epoch;
    if (refusal == Errors.NONE) {
      refusal = exchange.checkRegistration(follower, epoch);
    }
  }

  @Override
  public void poll(int newMaxWaitMs, int newMaxBytes, int newPartitionMaxBytes) {
    maxWaitMs = Math.min(newMaxWaitMs, WAIT_MS_MAX);
    maxBytes = Math.clamp(newMaxBytes, 1, ANSWER_BYTES_MAX);
    partitionMaxBytes = Math.max(1, newPartitionMaxBytes);
  }

  @Override
  public void removed(int handle) throws MalformedFrameException {
    ServedPartition partition = partition(handle);
    partitions.set(handle, null);
    remove(partition);
  }

  @Override
  public void added(int handle, Uuid topicId, int partition) throws MalformedFrameException {
    // Handles are dense, or a frame of a few bytes could ask for much memory.
    if (handle > partitions.size()) {
      throw new MalformedFrameException(
          "it adds the handle " + handle + " after " + partitions.size());
    }
    if (handle == partitions.size()) {
      partitions.add(null);
    }
    if (partitions.get(handle) != null) {
      throw new MalformedFrameException("it adds the handle " + handle + " a second time");
    }
    ServedPartition added = new ServedPartition(this, handle, topicId, partition);
    partitions.set(handle, added);
    if (refusal == Errors.NONE) {
      resolve(added);
    }
  }

  @Override
  public void position(
      int handle,
      byte version,
      int leaderEpoch,
      long logStartOffset,
      long logEndOffset,
      int newestEpoch,
      long keptEndOffset)
      throws MalformedFrameException {
    ServedPartition partition = partition(handle);
    if (partition.toldNews) {
      // They may have crossed with this position, and are dropped then.
      partition.toldNews = false;
      partition.toldHighWatermark = ServedPartition.NOT_TOLD;
    }
    partition.positioned = true;
    partition.version = version;
    partition.leaderEpoch = leaderEpoch;
    partition.logStartOffset = logStartOffset;
    partition.logEndOffset = logEndOffset;
    partition.newestEpoch = newestEpoch;
    partition.keptEndOffset = keptEndOffset;
    partition.agrees = false;
    partition.unacknowledged = true;
    if (refusal == Errors.NONE) {
      resolve(partition);
      mark(partition);
    }
  }

  @Override
  public void kept(int handle, long keptEndOffset) throws MalformedFrameException {
    ServedPartition partition = partition(handle);
    if (keptEndOffset > partition.logEndOffset) {
      throw new MalformedFrameException(
          "%d is kept of %s, which ends at %d"
              .formatted(keptEndOffset, partition, partition.logEndOffset));
    }
    partition.keptEndOffset = keptEndOffset;
    partition.unacknowledged = true;
    mark(partition);
  }

  private ServedPartition partition(int handle) throws MalformedFrameException {
    ServedPartition partition = handle < partitions.size() ? partitions.get(handle) : null;
    if (partition == null) {
      throw new MalformedFrameException("nothing was added with the handle " + handle);
    }
    return partition;
  }

  // Whether it is the same one is what matters.
  @SuppressWarnings("ReferenceEquality")
  private static boolean isSame(@Nullable Replica one, @Nullable Replica other) {
    return one == other;
  }

  /** Looks the replica up: it may have come, gone or come again. */
  private void resolve(ServedPartition partition) {
    Replica now = exchange.find(partition.topicId, partition.partition);
    Replica before = partition.replica;
    if (isSame(now, before)) {
      return;
    }
    if (before != null) {
      before.removeListener(partition);
    }
    partition.replica = now;
    if (now != null) {
      now.addListener(partition);
    }
  }

  private static void remove(ServedPartition partition) {
    partition.removed = true;
    partition.positioned = false;
    Replica replica = partition.replica;
    partition.replica = null;
    if (replica != null) {
      replica.removeListener(partition);
    }
  }

  @Override
  public void connectionClosed() {
    closed = true;
    endWait();
    exchange.closed(this);
    for (ServedPartition partition : partitions) {
      if (partition != null) {
        remove(partition);
      }
    }
    partitions.clear();
    marked.clear();
  }
}
