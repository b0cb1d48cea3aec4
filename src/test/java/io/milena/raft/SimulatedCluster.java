package io.milena.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A group of servers in virtual time whose every fault follows from one seed: lost, late, doubled
 * and reordered messages, one-way cuts, pauses, crashes with the unflushed tail lost, failed
 * writes, clock jumps, changes of the group, hand-overs and snapshots.
 */
final class SimulatedCluster {
  private static final int TICK = 10;
  private static final int CHAOS_TIME = 2_500;

  /** Two hundred election timeouts: far more than any healed group needs. */
  private static final int HEALING_TIME_MAX = 200 * 20 * TICK;

  private static final int TRACE_LENGTH = 60;

  final SafetyChecker checker = new SafetyChecker();
  final ShellFault fault;
  private final SplittableRandom random;
  private final List<SimulatedServer> servers = new ArrayList<>();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>((a, b) ->
          a.time != b.time ? Long.compare(a.time, b.time) : Long.compare(a.order, b.order));
  private final Set<Link> cuts = new HashSet<>();
  private final Map<Long, Long> committedWhenAsked = new HashMap<>();
  private final ArrayDeque<Object> trace = new ArrayDeque<>();
  private final Rates rates;
  private boolean isHealed;
  private long now;
  private long order;
  private long nextId = 1;
  private long eventCount;
  private long installCount;
  private long readCount;

  private record Link(int from, int to) {}

  /** Something that will happen. */
  private record Event(long time, long order, Object what, Runnable action) {}

  /** How bad it is, in thousandths, for this seed. */
  private record Rates(int loss, int duplication, int delayMax, int crash, int cut, int pause) {}

  SimulatedCluster(long seed, ShellFault fault) {
    this.fault = fault;
    random = new SplittableRandom(seed);
    rates =
        new Rates(
            random.nextInt(200),
            random.nextInt(100),
            1 + random.nextInt(80),
            random.nextInt(80),
            random.nextInt(80),
            random.nextInt(60));
    int count = 1 + random.nextInt(5);
    int voterCount = random.nextInt(3) == 0 ? 1 + random.nextInt(count) : count;
    var voters = new HashSet<Integer>();
    for (int nodeId = 1; nodeId <= voterCount; nodeId++) {
      voters.add(nodeId);
    }
    var initial = new Membership(voters, Set.of());
    int retained = random.nextInt(6);
    for (int nodeId = 1; nodeId <= count; nodeId++) {
      var config = new RaftConfig(nodeId, 10, 2, 120, 3, 2_000, 20, retained, 8, 5, 2);
      servers.add(
          new SimulatedServer(
              this, config, voters.contains(nodeId) ? initial : Membership.EMPTY, random.split()));
    }
  }

  /** Runs until the group has broken a promise, or was healed and works again. */
  void run() {
    try {
      servers.forEach(SimulatedServer::start);
      servers.forEach(server -> scheduleTick(server, random.nextInt(TICK)));
      scheduleChaos();
      runUntil(CHAOS_TIME);
      heal();
      runUntilAllAgree();
    } catch (RuntimeException failure) {
      var text = new StringBuilder(failure + "\nLast events:\n");
      trace.forEach(event -> text.append("  ").append(event).append('\n'));
      throw new AssertionError(text.toString(), failure);
    }
  }

  /** What happened in this run: a simulation in which nothing happens proves nothing. */
  Happened happened() {
    return new Happened(
        eventCount,
        checker.committedIndex(),
        checker.leaderCount(),
        checker.membershipChangeCount(),
        installCount,
        readCount);
  }

  void onInstall() {
    installCount++;
  }

  /** Counts of what happened. */
  record Happened(
      long events, long commits, long leaders, long membershipChanges, long installs, long reads) {
    static final Happened NOTHING = new Happened(0, 0, 0, 0, 0, 0);

    Happened plus(Happened other) {
      return new Happened(
          events + other.events,
          commits + other.commits,
          leaders + other.leaders,
          membershipChanges + other.membershipChanges,
          installs + other.installs,
          reads + other.reads);
    }
  }

  void send(int from, Envelope envelope) {
    var message = damaged(envelope.message());
    if (isHealed) {
      deliverLater(from, envelope.to(), message, 1);
      return;
    }
    if (cuts.contains(new Link(from, envelope.to())) || chance(rates.loss)) {
      return;
    }
    int copies = chance(rates.duplication) ? 2 : 1;
    for (int copy = 0; copy < copies; copy++) {
      // Mostly fast, sometimes as late as a few election timeouts.
      int delay = 1 + random.nextInt(chance(50) ? rates.delayMax * 8 : rates.delayMax);
      deliverLater(from, envelope.to(), message, delay);
    }
  }

  void scheduleFlush(SimulatedServer server) {
    int life = server.life;
    boolean isFailing = !isHealed && chance(2);
    int delay = isHealed ? 1 : 1 + random.nextInt(chance(30) ? 100 : 8);
    at(
        delay,
        "flush of node " + server.nodeId,
        () -> {
          if (server.life != life) {
            return;
          }
          if (isFailing && !isHealed) {
            // A server that cannot write must not go on.
            crash(server);
          } else {
            unlessPaused(server, server::flushed);
          }
        });
  }

  void onRead(SimulatedServer server, ReadOutcome outcome) {
    Long before = committedWhenAsked.remove(outcome.readId());
    if (before == null) {
      throw new SafetyChecker.SafetyViolation("Nobody asked for " + outcome);
    }
    if (outcome instanceof ReadOutcome.Ready) {
      readCount++;
    }
    if (outcome instanceof ReadOutcome.Ready(_, long index)
        && (index < before || server.appliedIndex() < index)) {
      throw new SafetyChecker.SafetyViolation(
          "Linearizable reads: node %d reads at %d, applied %d, committed when asked %d"
              .formatted(server.nodeId, index, server.appliedIndex(), before));
    }
  }

  private Message damaged(Message message) {
    return switch (fault) {
      case GRANTS_EVERY_VOTE ->
          message instanceof Message.VoteResponse response
              ? new Message.VoteResponse(response.epoch(), true)
              : message;
      case ACKNOWLEDGES_WHAT_IT_REJECTED ->
          message instanceof Message.AppendRejected rejected
              ? new Message.AppendResponse(rejected.epoch(), rejected.rejectedIndex())
              : message;
      case NONE, FORGETS_VOTES, SENDS_BEFORE_PERSISTING, READS_WITHOUT_ASKING -> message;
    };
  }

  private void deliverLater(int from, int to, Message message, int delay) {
    SimulatedServer target = servers.get(to - 1);
    at(
        delay,
        new Input.Receive(from, message),
        () -> unlessPaused(target, () -> target.step(new Input.Receive(from, message))));
  }

  private void scheduleTick(SimulatedServer server, int delay) {
    at(
        delay,
        "",
        () -> {
          unlessPaused(server, () -> server.step(new Input.Tick()));
          scheduleTick(server, TICK);
        });
  }

  private void scheduleChaos() {
    at(
        1 + random.nextInt(20),
        "",
        () -> {
          if (!isHealed) {
            chaos();
            scheduleChaos();
          }
        });
  }

  private void chaos() {
    SimulatedServer server = servers.get(random.nextInt(servers.size()));
    if (!server.isUp()) {
      if (chance(100)) {
        note("start of node " + server.nodeId);
        server.start();
      }
      return;
    }
    if (chance(rates.crash)) {
      crash(server);
    } else if (chance(rates.pause)) {
      note("pause of node " + server.nodeId);
      server.pausedUntil = now + random.nextInt(400);
    } else if (chance(rates.cut)) {
      cutOrMend();
    } else {
      request(chance(600) ? leaderOr(server) : server);
    }
  }

  private SimulatedServer leaderOr(SimulatedServer other) {
    return servers.stream()
        .filter(server -> server.core().map(RaftCore::isLeader).orElse(false))
        .findFirst()
        .orElse(other);
  }

  private void request(SimulatedServer server) {
    Input input =
        switch (random.nextInt(16)) {
          case 0, 5 -> new Input.ChangeMembership(nextId++, randomChange());
          case 1 -> new Input.TransferLeadership(random.nextInt(-1, servers.size() + 1));
          case 2, 3, 4 -> {
            committedWhenAsked.put(nextId, checker.committedIndex());
            yield new Input.ReadIndex(nextId++);
          }
          default -> new Input.Propose(nextId, new byte[random.nextInt(60)]);
        };
    if (input instanceof Input.Propose) {
      nextId++;
    }
    switch (random.nextInt(30)) {
      case 0 -> {
        int jump = random.nextInt(25);
        note("clock of node " + server.nodeId + " jumps by " + jump + " ticks");
        for (int tick = 0; tick < jump; tick++) {
          unlessPaused(server, () -> server.step(new Input.Tick()));
        }
      }
      case 1 -> unlessPaused(server, server::takeSnapshot);
      default -> {
        note(input);
        unlessPaused(server, () -> submit(server, input));
      }
    }
  }

  private void submit(SimulatedServer server, Input input) {
    if (fault == ShellFault.READS_WITHOUT_ASKING
        && input instanceof Input.ReadIndex(long readId)
        && server.core().map(RaftCore::isLeaderUpToDate).orElse(false)) {
      onRead(server, new ReadOutcome.Ready(readId, server.appliedIndex()));
    } else {
      server.step(input);
    }
  }

  private MembershipChange randomChange() {
    int nodeId = 1 + random.nextInt(servers.size());
    return switch (random.nextInt(5)) {
      case 0 -> new MembershipChange.Remove(nodeId);
      case 1, 2 -> new MembershipChange.AddLearner(nodeId);
      default -> new MembershipChange.AddVoter(nodeId);
    };
  }

  private void crash(SimulatedServer crashed) {
    note("crash of node " + crashed.nodeId);
    crashed.crash();
    for (SimulatedServer other : servers) {
      if (other != crashed && chance(700)) {
        at(
            1 + random.nextInt(10),
            "",
            () -> unlessPaused(other, () -> other.step(new Input.PeerGone(crashed.nodeId))));
      }
    }
  }

  private void cutOrMend() {
    if (chance(400)) {
      note("all links are mended");
      cuts.clear();
      return;
    }
    SimulatedServer server = servers.get(random.nextInt(servers.size()));
    int direction = random.nextInt(3);
    note("cut around node " + server.nodeId + ", direction " + direction);
    for (SimulatedServer other : servers) {
      if (direction != 1 && chance(700)) {
        cuts.add(new Link(server.nodeId, other.nodeId));
      }
      if (direction != 0 && chance(700)) {
        cuts.add(new Link(other.nodeId, server.nodeId));
      }
    }
  }

  private void heal() {
    note("healed");
    isHealed = true;
    cuts.clear();
    for (SimulatedServer server : servers) {
      server.pausedUntil = 0;
      if (!server.isUp()) {
        server.start();
      }
    }
  }

  /** Liveness: one leader, and what is proposed to it is applied by every member. */
  private void runUntilAllAgree() {
    long deadline = now + HEALING_TIME_MAX;
    while (now < deadline) {
      runUntil(now + 5 * TICK);
      for (SimulatedServer server : servers) {
        RaftCore core = server.core().orElseThrow();
        if (core.isLeaderUpToDate()) {
          server.step(new Input.Propose(nextId++, new byte[1]));
          long target = core.log().lastIndex();
          runUntil(now + 100 * TICK);
          boolean isAgreed =
              core.membership().members().stream()
                  .allMatch(nodeId -> servers.get(nodeId - 1).appliedIndex() >= target);
          if (isAgreed && core.isLeader()) {
            return;
          }
        }
      }
    }
    throw new SafetyChecker.SafetyViolation(
        "Liveness: "
            + servers.stream().map(server -> server.core().orElseThrow().status()).toList());
  }

  private void runUntil(long time) {
    while (!events.isEmpty() && events.peek().time <= time) {
      Event event = events.remove();
      now = event.time;
      eventCount++;
      if (!event.what.equals("")) {
        note(event.what);
      }
      event.action.run();
    }
    now = time;
  }

  /** A paused process does nothing now, and everything that came meanwhile when it goes on. */
  private void unlessPaused(SimulatedServer server, Runnable action) {
    int life = server.life;
    if (server.pausedUntil <= now) {
      action.run();
    } else {
      at(
          (int) (server.pausedUntil - now),
          "",
          () -> {
            if (server.life == life) {
              unlessPaused(server, action);
            }
          });
    }
  }

  private void at(int delay, Object what, Runnable action) {
    events.add(new Event(now + delay, order++, what, action));
  }

  private void note(Object what) {
    trace.addLast(what);
    if (trace.size() > TRACE_LENGTH) {
      trace.removeFirst();
    }
  }

  private boolean chance(int perThousand) {
    return random.nextInt(1_000) < perThousand;
  }
}
