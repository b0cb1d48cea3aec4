package io.milena.raft;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * A process with a disk: carries out effects in order, one flush at a time, and forgets everything
 * but the disk when it crashes.
 */
final class SimulatedServer {
  private static final int SNAPSHOT_PADDING_BYTES = 50;

  final int nodeId;
  private final SimulatedCluster cluster;
  private final SplittableRandom random;
  private final RaftConfig config;
  private final DurableState disk;
  private final ArrayDeque<Todo> todo = new ArrayDeque<>();

  /**
   * @param previousEpoch of the entry before those to persist
   * @param ledEpoch that this server led after the step, or {@link #NONE}
   */
  private record Todo(Effects effects, int previousEpoch, int ledEpoch) {
    static final int NONE = 0;
  }

  private Optional<RaftCore> core = Optional.empty();
  private boolean isFlushing;

  /** Tells events of an earlier life apart. */
  int life;

  long pausedUntil;

  private long appliedIndex;
  private long stateHash;

  SimulatedServer(
      SimulatedCluster cluster, RaftConfig config, Membership initial, SplittableRandom random) {
    this.cluster = cluster;
    this.config = config;
    this.random = random;
    nodeId = config.nodeId();
    disk = DurableState.initial(initial);
  }

  boolean isUp() {
    return core.isPresent();
  }

  Optional<RaftCore> core() {
    return core;
  }

  long appliedIndex() {
    return appliedIndex;
  }

  void start() {
    life++;
    cluster.checker.onRestart(nodeId);
    appliedIndex = 0;
    stateHash = 0;
    isFlushing = false;
    todo.clear();
    var started = new RaftCore(config, disk, random.nextLong());
    core = Optional.of(started);
    carryOut(started, started.start());
  }

  /** Kills the process. Of what was being written, some may have reached the disk. */
  void crash() {
    life++;
    if (isFlushing && random.nextInt(3) == 0) {
      write(todo.getFirst());
    }
    todo.clear();
    core = Optional.empty();
  }

  void step(Input input) {
    core.ifPresent(running -> carryOut(running, running.step(input)));
  }

  void takeSnapshot() {
    if (appliedIndex > 0) {
      byte[] data =
          ByteBuffer.allocate(Long.BYTES + SNAPSHOT_PADDING_BYTES).putLong(stateHash).array();
      step(new Input.SnapshotTaken(appliedIndex, data));
    }
  }

  /** The flush that was under way is through. */
  void flushed() {
    Todo done = todo.removeFirst();
    write(done);
    isFlushing = false;
    finish(done);
    step(new Input.Persisted(done.effects().persist().sequence()));
    proceed();
  }

  private void carryOut(RaftCore running, Effects effects) {
    cluster.checker.afterStep(running, effects);
    if (cluster.fault == ShellFault.SENDS_BEFORE_PERSISTING) {
      effects.messages().forEach(envelope -> cluster.send(nodeId, envelope));
    }
    List<Entry> entries = effects.persist().entries();
    int previousEpoch =
        entries.isEmpty() ? 0 : running.log().epochAt(entries.getFirst().index() - 1);
    todo.addLast(
        new Todo(effects, previousEpoch, running.isLeader() ? running.epoch() : Todo.NONE));
    proceed();
  }

  private void proceed() {
    while (!isFlushing && !todo.isEmpty()) {
      if (todo.getFirst().effects().persist().isEmpty()) {
        finish(todo.removeFirst());
      } else {
        isFlushing = true;
        cluster.scheduleFlush(this);
      }
    }
  }

  private void finish(Todo done) {
    Effects effects = done.effects();
    if (done.ledEpoch() != Todo.NONE) {
      cluster.checker.afterLeading(nodeId, done.ledEpoch());
    }
    if (cluster.fault != ShellFault.SENDS_BEFORE_PERSISTING) {
      effects.messages().forEach(envelope -> cluster.send(nodeId, envelope));
    }
    effects.install().ifPresent(this::install);
    effects.apply().forEach(this::apply);
    effects.reads().forEach(outcome -> cluster.onRead(this, outcome));
  }

  private void install(Snapshot snapshot) {
    appliedIndex = snapshot.position().index();
    cluster.onInstall();
    stateHash = ByteBuffer.wrap(snapshot.data()).getLong();
    checkState();
  }

  private void apply(Entry entry) {
    if (entry.index() != appliedIndex + 1) {
      throw new SafetyChecker.SafetyViolation(
          "Node %d applies %d after %d".formatted(nodeId, entry.index(), appliedIndex));
    }
    appliedIndex = entry.index();
    stateHash = SafetyChecker.hash(stateHash, entry);
    checkState();
  }

  private void checkState() {
    if (stateHash != cluster.checker.stateHashAt(appliedIndex)) {
      throw new SafetyChecker.SafetyViolation(
          "Node %d has another state at %d".formatted(nodeId, appliedIndex));
    }
  }

  private void write(Todo done) {
    Persist persist = done.effects().persist();
    cluster.checker.afterWrite(nodeId, persist.entries(), done.previousEpoch());
    disk.replay(
        cluster.fault == ShellFault.FORGETS_VOTES
            ? new Persist(
                persist.sequence(),
                Optional.empty(),
                persist.truncateFrom(),
                persist.snapshot(),
                persist.entries())
            : persist);
  }
}
