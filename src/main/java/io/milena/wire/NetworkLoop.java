package io.milena.wire;

import io.milena.common.CarrierThread;
import io.milena.common.Clock;
import io.milena.wire.handler.ConnectionContext.TimerTask;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread with one selector: it reads, serves and writes its connections, runs the tasks that
 * are handed to it, and keeps timers. A task handed over from the loop's own thread needs no
 * wake-up and runs before the thread waits for sockets again, after the connections that were ready
 * have been read; answers that become known by then go out with one write a connection.
 *
 * <p>The queue of tasks has no bound of its own. A task belongs to a connection, to a request under
 * way or to its timer, each of which has a few queued at most; so the queue is bounded by {@link
 * Connection#IN_FLIGHT_MAX} times the connections, of which {@code max.connections} are let in.
 */
public final class NetworkLoop implements Executor {
  /** Read by all connections of the loop, one after the other. */
  static final int READ_BUFFER_BYTES = 256 * 1024;

  /** Tasks that run before sockets are looked at again. */
  private static final int TASKS_MAX = 4096;

  /** How often connections are checked for idleness, at least four times in the idle time. */
  private static final long IDLE_CHECK_MS_MAX = 10_000;

  private static final Logger log = LoggerFactory.getLogger(NetworkLoop.class);

  final WireConfig config;
  final Dispatcher dispatcher;
  final BufferPool pool;
  final PeerLog peerLog;
  final WireMetrics metrics;
  final ResponseBatch batch;

  private final Clock clock;
  private final LoopThread thread;
  private final Selector selector;
  private final Consumer<Connection> onClosed;
  private final ConcurrentLinkedQueue<Runnable> remoteTasks = new ConcurrentLinkedQueue<>();
  private final ArrayDeque<Runnable> localTasks = new ArrayDeque<>();
  private final Timers timers = new Timers();
  private final Set<Connection> connections = new HashSet<>();
  private final Set<PeerConnection> peers = new HashSet<>();
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
  private ArrayList<Connection> dirty = new ArrayList<>();
  private ArrayList<Connection> pumping = new ArrayList<>();
  private PooledBuffer readBuffer;
  private long nowNanos;
  private boolean draining;
  private boolean stopping;

  /** Whether the thread waits in the selector, or is about to; whoever clears it wakes it. */
  private final AtomicBoolean asleep = new AtomicBoolean();

  private volatile int connectionCount;

  NetworkLoop(
      int index,
      WireConfig config,
      Dispatcher dispatcher,
      BufferPool pool,
      PeerLog peerLog,
      WireMetrics metrics,
      Clock clock,
      Consumer<Connection> onClosed)
      throws IOException {
    this.config = config;
    this.dispatcher = dispatcher;
    this.pool = pool;
    this.peerLog = peerLog;
    this.metrics = metrics;
    this.clock = clock;
    this.onClosed = onClosed;
    this.selector = Selector.open();
    this.readBuffer = pool.acquireUncharged(READ_BUFFER_BYTES);
    this.batch = new ResponseBatch(pool);
    this.nowNanos = clock.monotonicNanos();
    this.thread = new LoopThread(this, "milena-network-" + index);
  }

  /** The loop whose thread this is; null on any other thread. */
  public static @Nullable NetworkLoop currentLoop() {
    return Thread.currentThread() instanceof LoopThread current ? current.loop : null;
  }

  /** Whether the calling thread is this loop's. */
  public boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  /**
   * Runs a task on the loop's thread, in order with other tasks from the same thread. From any
   * thread. After the loop has ended tasks are dropped.
   */
  @Override
  public void execute(Runnable task) {
    if (isCurrent()) {
      localTasks.addLast(task);
      return;
    }
    remoteTasks.add(task);
    if (asleep.get() && asleep.compareAndSet(true, false)) {
      selector.wakeup();
    }
  }

  /**
   * Runs a task on the loop's thread after a delay; cancelling is for that thread only. From any
   * thread.
   *
   * @param delayMs 0 or more
   */
  public TimerTask schedule(long delayMs, Runnable task) {
    if (isCurrent()) {
      return timers.schedule(deadline(delayMs), task);
    }
    TimerTask[] scheduled = new TimerTask[1];
    boolean[] cancelled = new boolean[1];
    long deadlineNanos = deadline(delayMs);
    execute(() -> {
      if (!cancelled[0]) {
        scheduled[0] = timers.schedule(deadlineNanos, task);
      }
    });
    return () -> {
      cancelled[0] = true;
      if (scheduled[0] != null) {
        scheduled[0].cancel();
      }
    };
  }

  /** The loop's thread, for measuring what it costs. */
  long threadId() {
    return thread.threadId();
  }

  /** Connections served by this loop, from any thread. */
  public int connectionCount() {
    return connectionCount;
  }

  private long deadline(long delayMs) {
    return clock.monotonicNanos() + TimeUnit.MILLISECONDS.toNanos(delayMs);
  }

  /** The monotonic clock as it was when this round began. */
  long nowNanos() {
    return nowNanos;
  }

  /** Time since an instant of {@link #nowNanos()}, now and not as of this round. */
  long nanosSince(long instant) {
    return clock.monotonicNanos() - instant;
  }

  PooledBuffer readBuffer() {
    return readBuffer;
  }

  /** Leaves the read buffer to requests that still need what is in it. */
  void renewReadBufferIfKept() {
    if (readBuffer.isShared()) {
      PooledBuffer fresh = pool.acquireUncharged(READ_BUFFER_BYTES);
      pool.charge(readBuffer);
      readBuffer.release();
      readBuffer = fresh;
    }
  }

  void addDirty(Connection connection) {
    dirty.add(connection);
  }

  /**
   * Registers the channel of an acceptor or of a connection to another node; its ready operations
   * run the attachment. On any thread.
   */
  Selector selector() {
    return selector;
  }

  /** Serves a connection from now on; on the loop's thread. */
  void adopt(SocketChannel channel, long id, InetSocketAddress peer, String listenerName)
      throws IOException {
    SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
    Connection connection =
        new Connection(this, id, peer, listenerName, new PlainTransport(channel), key);
    key.attach(connection);
    connections.add(connection);
    connectionCount = connections.size();
    if (draining) {
      connection.drain();
    }
  }

  void connectionClosed(Connection connection) {
    connections.remove(connection);
    connectionCount = connections.size();
    runGuarded(() -> onClosed.accept(connection));
  }

  void peerOpened(PeerConnection peer) {
    peers.add(peer);
  }

  void peerClosed(PeerConnection peer) {
    peers.remove(peer);
  }

  /** Whether the loop takes no new connections to other nodes any more. */
  boolean isDraining() {
    return draining;
  }

  void start() {
    if (config.idleMaxMs() >= 0) {
      execute(this::closeIdle);
    }
    thread.start();
  }

  /** Completes when the thread has ended and given its memory back. */
  CompletableFuture<@Nullable Void> ended() {
    return ended;
  }

  /** Answers what was started, closes the connections, and ends; at the deadline in any case. */
  void drainAndStop(long timeoutMs) {
    execute(() -> {
      draining = true;
      closePeers();
      List.copyOf(connections).forEach(Connection::drain);
      timers.schedule(deadline(timeoutMs), () -> stopping = true);
    });
  }

  private void closePeers() {
    List.copyOf(peers).forEach(peer -> runGuarded(() -> peer.close("this node stops")));
  }

  /** Runs a task of someone else; what it throws does not end the loop. */
  void runGuarded(Runnable task) {
    try {
      task.run();
    } catch (Throwable e) {
      // Even an Error: the other connections of this loop have no part in it.
      log.error("A task on the network thread failed", e);
    }
  }

  private void closeIdle() {
    long idleNanos = TimeUnit.MILLISECONDS.toNanos(config.idleMaxMs());
    for (Connection connection : List.copyOf(connections)) {
      if (connection.isIdleSince(nowNanos - idleNanos)) {
        log.debug("Connection {} of {} was idle too long", connection.id, connection.peer);
        connection.close();
      }
    }
    long periodMs = Math.clamp(config.idleMaxMs() / 4, 1, IDLE_CHECK_MS_MAX);
    timers.schedule(nowNanos + TimeUnit.MILLISECONDS.toNanos(periodMs), this::closeIdle);
  }

  private void run() {
    try {
      while (!stopping && !(draining && connections.isEmpty())) {
        round();
      }
    } catch (Throwable e) {
      log.error("The network thread {} has ended; its connections are closed", thread.getName(), e);
    } finally {
      end();
    }
  }

  private void round() throws IOException {
    select();
    nowNanos = clock.monotonicNanos();
    runTasks();
    runTimers();
    pumpDirty();
  }

  private void select() throws IOException {
    if (!localTasks.isEmpty() || !dirty.isEmpty()) {
      selector.selectNow(this::ready);
      return;
    }
    long waitNanos = timers.nanosToNext(nowNanos);
    asleep.set(true);
    // Whoever adds a task after this check sees the flag and wakes the selector.
    if (waitNanos <= 0 || !remoteTasks.isEmpty()) {
      asleep.set(false);
      selector.selectNow(this::ready);
      return;
    }
    long waitMs = waitNanos == Long.MAX_VALUE ? 0 : Math.max(1, (waitNanos + 999_999) / 1_000_000);
    selector.select(this::ready, waitMs);
    asleep.set(false);
  }

  private void ready(SelectionKey key) {
    if (asleep.getPlain()) {
      asleep.set(false);
      nowNanos = clock.monotonicNanos();
    }
    if (key.attachment() instanceof Connection connection) {
      connection.onReady();
    } else if (key.attachment() instanceof Runnable other) {
      runGuarded(other);
    }
  }

  private void runTasks() {
    for (int i = 0; i < TASKS_MAX; i++) {
      Runnable task = localTasks.pollFirst();
      if (task == null) {
        task = remoteTasks.poll();
      }
      if (task == null) {
        return;
      }
      runGuarded(task);
    }
  }

  private void runTimers() {
    for (Runnable due = timers.pollDue(nowNanos); due != null; due = timers.pollDue(nowNanos)) {
      runGuarded(due);
    }
  }

  private void pumpDirty() {
    while (!dirty.isEmpty()) {
      ArrayList<Connection> turn = dirty;
      dirty = pumping;
      pumping = turn;
      for (Connection connection : turn) {
        connection.pump();
      }
      turn.clear();
      if (!localTasks.isEmpty()) {
        return;
      }
    }
  }

  private void end() {
    draining = true;
    try {
      // Each on its own: whatever one of them throws, the others are closed and memory comes back.
      closePeers();
      List.copyOf(connections).forEach(connection -> runGuarded(connection::close));
      // Late answers give their memory back; nothing else of them matters any more.
      runTasks();
      runGuarded(readBuffer::release);
      runGuarded(batch::close);
      selector.close();
    } catch (IOException | RuntimeException e) {
      log.warn("A selector could not be closed", e);
    } finally {
      // In any case: nobody may be sent to a loop that has no thread.
      ended.complete(null);
    }
  }

  /** Carries the partition actors that the loop's handlers talk to. */
  private static final class LoopThread extends CarrierThread {
    final NetworkLoop loop;

    LoopThread(NetworkLoop loop, String name) {
      super(loop::run, name);
      this.loop = loop;
    }
  }
}
