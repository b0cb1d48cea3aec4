package io.milena.replication.actor;

import io.milena.common.Clock;
import io.milena.log.CleanableLog;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import io.milena.log.ThrottledPace;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaRole;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts the logs of a node whose topics ask for it, on threads of its own that mostly sleep. A
 * log is looked at and its segments are replaced on its replica's actor; reading and writing happen
 * here. Upstream: LogCleaner and LogCleanerManager.
 *
 * <p>What costs nothing: logs that are not compacted, and compacted ones to which nothing was
 * appended since they were last found clean.
 *
 * <p>A log whose compaction fails is set aside, with one line in the node's log, until its topic is
 * reconfigured or the node restarted; a full disk, or a log that changed meanwhile, is no failure:
 * it is tried again.
 */
final class LogCleaner {

  private static final Logger LOG = LoggerFactory.getLogger(LogCleaner.class);

  /**
   * How long a log that was found clean, and has not grown since, is left alone. It can become due
   * without growing only by a replica that catches up or a transaction that ends.
   */
  private static final long REST_NANOS = TimeUnit.MINUTES.toNanos(5);

  /** How long stopping waits for a thread; a compaction notices within 0.1 s. */
  private static final long STOP_TIMEOUT_MS = 5_000;

  private final Supplier<Collection<ReplicaHandle>> replicas;
  private final Clock clock;
  private volatile CleanerSettings settings;

  /** By number, from 0; guarded by this, as all that follows. */
  private final Map<Integer, Worker> workers = new HashMap<>();

  private final Map<LogDirectory, Map<TopicPartition, Long>> offsetsAtStart = new HashMap<>();

  private final IdentityHashMap<ReplicaHandle, State> states = new IdentityHashMap<>();
  private boolean started;
  private boolean stopped;

  /** The last compaction found no space, which has been said. */
  private boolean withoutSpace;

  /** What is known of one log. */
  private static final class State {
    long checkpointOffset;
    boolean claimed;

    /** The configuration under which compaction failed. */
    @Nullable ReplicaConfig setAside;

    /** The configuration under which the log was found clean up to {@link #restEndOffset}. */
    @Nullable ReplicaConfig resting;

    long restEndOffset;
    long restUntilNanos;

    State(long checkpointOffset) {
      this.checkpointOffset = checkpointOffset;
    }
  }

  private record Worker(Thread thread, ThrottledPace pace) {}

  private record Due(ReplicaHandle handle, ReplicaConfig config, CleanableLog log) {}

  /**
   * @param replicas those of the node, as they are when it is called
   * @param directories keep {@code cleaner-offset-checkpoint}
   */
  LogCleaner(
      Supplier<Collection<ReplicaHandle>> replicas,
      LogDirectories directories,
      CleanerSettings settings,
      Clock clock) {
    this.replicas = replicas;
    this.settings = settings;
    this.clock = clock;
    for (LogDirectory directory : directories.usable()) {
      offsetsAtStart.put(directory, readOffsets(directory));
    }
  }

  private static Map<TopicPartition, Long> readOffsets(LogDirectory directory) {
    try {
      return new HashMap<>(directory.cleanerOffsets());
    } catch (LogFailedException failure) {
      LOG.warn("every compacted log is compacted from its start: {}", failure.getMessage());
      return new HashMap<>();
    }
  }

  /** Starts the threads, if compaction is enabled. */
  synchronized void start() {
    started = true;
    startMissing();
  }

  /**
   * Other settings from now on; {@code enabled} stays as it was. A thread that is too many ends
   * once it has compacted what it is at.
   */
  synchronized void reconfigure(CleanerSettings newest) {
    settings = newest;
    workers.values().forEach(worker -> worker.pace().bytesPerSecond(newest.bytesPerSecondEach()));
    startMissing();
    notifyAll();
  }

  private void startMissing() {
    if (!started || stopped || !settings.enabled()) {
      return;
    }
    for (int i = 0; i < settings.threads(); i++) {
      int number = i;
      workers.computeIfAbsent(
          number,
          _ -> {
            ThrottledPace pace = new ThrottledPace(clock, settings.bytesPerSecondEach());
            return new Worker(
                Thread.ofPlatform()
                    .daemon()
                    .name("milena-cleaner-" + number)
                    .start(() -> work(number, pace)),
                pace);
          });
    }
  }

  /** Stops the threads; what they were compacting stays as it was. */
  void stop() {
    List<Worker> working;
    synchronized (this) {
      stopped = true;
      notifyAll();
      working = List.copyOf(workers.values());
    }
    working.forEach(worker -> worker.pace().stop());
    try {
      for (Worker worker : working) {
        worker.thread().join(STOP_TIMEOUT_MS);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void work(int number, ThrottledPace pace) {
    try {
      while (isWanted(number)) {
        boolean found = false;
        try {
          found = cleanNext(pace);
        } catch (RuntimeException defect) {
          LOG.error("looking for logs to compact failed, a defect of Milena's:", defect);
        }
        if (!found) {
          pause();
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized boolean isWanted(int number) {
    if (number >= settings.threads()) {
      workers.remove(number);
      return false;
    }
    return !stopped;
  }

  private synchronized void pause() throws InterruptedException {
    CleanerSettings before = settings;
    long until = clock.monotonicNanos() + before.backoff().toNanos();
    for (long left = 1; !stopped && settings.equals(before) && left > 0; ) {
      left = until - clock.monotonicNanos();
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  /** Compacts the log that needs it most; false when none was compacted. */
  private boolean cleanNext(ThrottledPace pace) throws InterruptedException {
    IdentityHashMap<CleanableLog, Due> due = new IdentityHashMap<>();
    for (ReplicaHandle handle : replicas.get()) {
      ReplicaConfig config = handle.config();
      if (config == null || !config.log().compact() || !isWorthALook(handle, config)) {
        continue;
      }
      CleanableLog log = survey(handle, config);
      if (log != null && log.isDue()) {
        due.put(log, new Due(handle, config, log));
      }
    }
    CleanableLog chosen = CleanableLog.mostUrgent(List.copyOf(due.keySet())).orElse(null);
    Due next = chosen == null ? null : due.get(chosen);
    if (next == null || !claim(next.handle())) {
      return false;
    }
    try {
      return clean(next, pace);
    } finally {
      release(next.handle());
    }
  }

  private synchronized boolean isWorthALook(ReplicaHandle handle, ReplicaConfig config) {
    if (stopped || !handle.isAttached() || handle.view().role() == ReplicaRole.OFFLINE) {
      return false;
    }
    State state = state(handle);
    boolean resting =
        Objects.equals(state.resting, config)
            && state.restEndOffset == handle.view().log().logEndOffset()
            && state.restUntilNanos - clock.monotonicNanos() > 0;
    return !state.claimed && !Objects.equals(state.setAside, config) && !resting;
  }

  private State state(ReplicaHandle handle) {
    State state = states.get(handle);
    if (state == null) {
      Map<TopicPartition, Long> atStart = offsetsAtStart.get(handle.directory());
      Long offset = atStart == null ? null : atStart.remove(handle.partition());
      state = new State(offset == null ? -1 : offset);
      states.put(handle, state);
    }
    return state;
  }

  private synchronized long checkpointOffset(ReplicaHandle handle) {
    return state(handle).checkpointOffset;
  }

  private synchronized boolean claim(ReplicaHandle handle) {
    State state = state(handle);
    if (stopped || state.claimed) {
      return false;
    }
    state.claimed = true;
    return true;
  }

  private synchronized void release(ReplicaHandle handle) {
    state(handle).claimed = false;
  }

  /** How the log stands; null when it is not there any more. */
  private @Nullable CleanableLog survey(ReplicaHandle handle, ReplicaConfig config)
      throws InterruptedException {
    long lastStableOffset = handle.view().lastStableOffset();
    long endOffset = handle.view().log().logEndOffset();
    long checkpointOffset = checkpointOffset(handle);
    long nowMs = clock.wallClockMs();
    CleanableLog[] found = new CleanableLog[1];
    try {
      handle.onActor(
          log -> found[0] = CleanableLog.survey(log, lastStableOffset, checkpointOffset, nowMs));
    } catch (IOException gone) {
      // Deleted, or failed: the replica has said so itself.
      return null;
    }
    boolean dueByTime =
        config.log().minCompactionLagMs() > 0
            || config.log().maxCompactionLagMs() != Long.MAX_VALUE;
    if (!found[0].isDue() && !dueByTime) {
      rest(handle, config, endOffset);
    }
    return found[0];
  }

  private synchronized void rest(ReplicaHandle handle, ReplicaConfig config, long endOffset) {
    State state = state(handle);
    state.resting = config;
    state.restEndOffset = endOffset;
    state.restUntilNanos = clock.monotonicNanos() + REST_NANOS;
  }

  private boolean clean(Due due, ThrottledPace pace) throws InterruptedException {
    ReplicaHandle handle = due.handle();
    try {
      CleanableLog.Result result =
          due.log()
              .compact(
                  settings.dedupeBufferBytesEach(), pace, clock.wallClockMs(), handle::onActor);
      if (!result.completed()) {
        LOG.debug("compaction of {} was stopped: its log changed", handle.partition());
        return false;
      }
      LOG.debug(
          "compacted {} up to offset {}: {} bytes became {}",
          handle.partition(),
          result.cleanedToOffset(),
          result.bytesRead(),
          result.bytesWritten());
      checkpoint(handle, result.cleanedToOffset());
      return true;
    } catch (IOException | RuntimeException failure) {
      onFailure(due, failure);
      return false;
    }
  }

  private void onFailure(Due due, Exception failure) throws InterruptedException {
    LOG.debug("compaction of {} failed", due.handle().partition(), failure);
    if (failure instanceof IOException io && LogFailedException.isDiskFull(io)) {
      onNoSpace(due.handle());
      return;
    }
    boolean[] outdated = new boolean[1];
    try {
      due.handle().onActor(_ -> outdated[0] = due.log().isOutdated());
    } catch (IOException gone) {
      return;
    }
    if (outdated[0]) {
      return;
    }
    synchronized (this) {
      state(due.handle()).setAside = due.config();
    }
    LOG.error(
        "{} cannot be compacted and is set aside until its topic is reconfigured or the node"
            + " restarted; reading and writing go on: {}",
        due.handle().partition(),
        String.valueOf(failure.getMessage()),
        failure instanceof RuntimeException ? failure : null);
  }

  private synchronized void onNoSpace(ReplicaHandle handle) {
    if (!withoutSpace) {
      withoutSpace = true;
      LOG.warn("{} cannot be compacted until there is space on the disk", handle.partition());
    }
  }

  /** Notes how far a log has been compacted, for the next start too. */
  private synchronized void checkpoint(ReplicaHandle handle, long offset) {
    state(handle).checkpointOffset = offset;
    withoutSpace = false;
    Set<ReplicaHandle> present = Collections.newSetFromMap(new IdentityHashMap<>());
    present.addAll(replicas.get());
    states.keySet().removeIf(known -> known != handle && !present.contains(known));
    LogDirectory directory = handle.directory();
    if (directory == null) {
      return;
    }
    Map<TopicPartition, Long> offsets =
        new HashMap<>(offsetsAtStart.getOrDefault(directory, Map.of()));
    states.forEach((known, state) -> {
      if (state.checkpointOffset >= 0 && directory.equals(known.directory())) {
        offsets.put(known.partition(), state.checkpointOffset);
      }
    });
    try {
      directory.writeCleanerOffsets(offsets);
    } catch (LogFailedException failure) {
      // Only costs the next start a compaction that finds little to do.
      LOG.debug("{}", failure.getMessage());
    }
  }
}
