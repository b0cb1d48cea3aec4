package io.milena.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A group with perfect disks and a network that a test holds in its hands. */
final class RaftGroup {
  private static final int TICKS_MAX = 1_000;

  private final Map<Integer, RaftCore> cores = new TreeMap<>();
  private final Map<Integer, DurableState> disks = new HashMap<>();
  private final Map<Integer, List<Entry>> applied = new HashMap<>();
  private final Map<Integer, List<ReadOutcome>> reads = new HashMap<>();
  private final Map<Integer, List<Snapshot>> installed = new HashMap<>();
  private final ArrayDeque<Sent> network = new ArrayDeque<>();
  private final List<Sent> history = new ArrayList<>();
  private final Set<Integer> cutOff = new HashSet<>();

  /** A message on its way. */
  record Sent(int from, int to, Message message) {}

  static RaftGroup ofVoters(Integer... voters) {
    var group = new RaftGroup();
    for (int voter : voters) {
      group.add(config(voter), DurableState.initial(Membership.ofVoters(voters)));
    }
    return group;
  }

  static RaftConfig config(int nodeId) {
    return new RaftConfig(nodeId, 10, 2, 200, 2, 1_000, 16, 0, 4, 5, 2);
  }

  void add(RaftConfig config, DurableState disk) {
    var core = new RaftCore(config, disk, config.nodeId());
    cores.put(config.nodeId(), core);
    disks.put(config.nodeId(), disk);
    applied.put(config.nodeId(), new ArrayList<>());
    reads.put(config.nodeId(), new ArrayList<>());
    installed.put(config.nodeId(), new ArrayList<>());
    carryOut(config.nodeId(), core.start());
  }

  RaftCore core(int nodeId) {
    return cores.get(nodeId);
  }

  DurableState disk(int nodeId) {
    return disks.get(nodeId);
  }

  /** Steps, makes the effects durable and puts messages on the network. */
  Effects step(int nodeId, Input input) {
    Effects effects = cores.get(nodeId).step(input);
    carryOut(nodeId, effects);
    return effects;
  }

  void tick(int nodeId, int count) {
    for (int i = 0; i < count; i++) {
      step(nodeId, new Input.Tick());
    }
  }

  /** Ticks one server and delivers until it leads. */
  void elect(int nodeId) {
    for (int i = 0; i < TICKS_MAX && !core(nodeId).isLeader(); i++) {
      for (int other : cores.keySet()) {
        // The others hear nothing either, but are slower to act on it.
        if (other != nodeId && i % 3 == 0 && !core(other).isLeader()) {
          step(other, new Input.Tick());
        }
      }
      tick(nodeId, 1);
      deliverAll();
    }
    if (!core(nodeId).isLeader()) {
      throw new AssertionError("Node " + nodeId + " does not win: " + core(nodeId).status());
    }
  }

  /** Delivers everything, and what comes of it, except to and from servers that are cut off. */
  void deliverAll() {
    while (!network.isEmpty()) {
      Sent sent = network.removeFirst();
      boolean isThrough =
          !cutOff.contains(sent.from())
              && !cutOff.contains(sent.to())
              && cores.containsKey(sent.to());
      if (isThrough) {
        step(sent.to(), new Input.Receive(sent.from(), sent.message()));
      }
    }
  }

  /** Takes what is on the network away. */
  List<Sent> drain() {
    var all = List.copyOf(network);
    network.clear();
    return all;
  }

  void cutOff(Integer... nodeIds) {
    cutOff.addAll(Arrays.asList(nodeIds));
  }

  void heal() {
    cutOff.clear();
  }

  Effects propose(int nodeId, int value) {
    return step(nodeId, new Input.Propose(value, new byte[] {(byte) value}));
  }

  /** Values of the commands that a server has applied. */
  List<Integer> applied(int nodeId) {
    return applied.get(nodeId).stream()
        .filter(entry -> entry.payload() instanceof EntryPayload.Command)
        .map(entry -> (int) ((EntryPayload.Command) entry.payload()).data()[0])
        .toList();
  }

  List<ReadOutcome> reads(int nodeId) {
    return reads.get(nodeId);
  }

  List<Snapshot> installed(int nodeId) {
    return installed.get(nodeId);
  }

  /** Everything that was ever sent, of one kind. */
  <M extends Message> List<M> sent(Class<M> kind) {
    return history.stream().map(Sent::message).filter(kind::isInstance).map(kind::cast).toList();
  }

  void forgetHistory() {
    history.clear();
  }

  private void carryOut(int nodeId, Effects effects) {
    RaftCore core = cores.get(nodeId);
    core.checkInvariants();
    disks.get(nodeId).replay(effects.persist());
    for (Envelope envelope : effects.messages()) {
      var sent = new Sent(nodeId, envelope.to(), envelope.message());
      network.addLast(sent);
      history.add(sent);
    }
    effects.install().ifPresent(snapshot -> installed.get(nodeId).add(snapshot));
    applied.get(nodeId).addAll(effects.apply());
    reads.get(nodeId).addAll(effects.reads());
    if (!effects.persist().isEmpty()) {
      step(nodeId, new Input.Persisted(effects.persist().sequence()));
    }
  }
}
