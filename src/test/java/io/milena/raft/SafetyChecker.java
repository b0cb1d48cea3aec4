package io.milena.raft;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Sees every step of every server and throws where the group breaks a promise of Raft's figure 3.
 */
final class SafetyChecker {
  /** An entry as its epoch's leader wrote it, with the epoch of the one before it. */
  private record Written(EntryPayload payload, int previousEpoch) {}

  /** A committed entry and the epoch in which a server first said so. */
  private record Committed(Entry entry, int inEpoch, long stateHash) {}

  private final Map<Integer, Integer> leaderByEpoch = new HashMap<>();

  /** The epoch that each server led last in this life. */
  private final Map<Integer, Integer> ledByServer = new HashMap<>();

  private final Map<LogPosition, Written> written = new HashMap<>();
  private final TreeMap<Long, Committed> committed = new TreeMap<>();
  private final Map<Integer, Long> commitIndexByServer = new HashMap<>();

  /** Largest index known to be committed by anyone. */
  long committedIndex() {
    return committed.isEmpty() ? 0 : committed.lastKey();
  }

  long leaderCount() {
    return leaderByEpoch.size();
  }

  long membershipChangeCount() {
    return committed.values().stream()
        .filter(one -> one.entry().payload() instanceof EntryPayload.MembershipChanged)
        .count();
  }

  /** Forgets what is only true during one life of a process. */
  void onRestart(int nodeId) {
    commitIndexByServer.remove(nodeId);
    ledByServer.remove(nodeId);
  }

  /** To be called after every step, with the effects that came of it. */
  void afterStep(RaftCore core, Effects effects) {
    core.checkInvariants();
    if (core.isLeader()
        && !Objects.equals(ledByServer.put(core.nodeId(), core.epoch()), core.epoch())) {
      checkLeaderCompleteness(core);
    }
    checkMonotonicCommit(core);
    for (Entry entry : effects.apply()) {
      checkStateMachineSafety(core, entry);
    }
  }

  /**
   * To be called when entries have reached a disk. What never did was never shown to anybody: a
   * sole voter that crashes before may use its epoch again.
   *
   * @param previousEpoch of the entry before the first
   */
  void afterWrite(int nodeId, List<Entry> entries, int previousEpoch) {
    int before = previousEpoch;
    for (Entry entry : entries) {
      var now = new Written(entry.payload(), before);
      Written known = written.putIfAbsent(new LogPosition(entry.index(), entry.epoch()), now);
      if (known != null && !known.equals(now)) {
        throw new SafetyViolation(
            "Log matching: node %d has %s after epoch %d, others %s"
                .formatted(nodeId, entry, before, known));
      }
      before = entry.epoch();
    }
  }

  /** What the state machine must be once it has applied everything up to an index. */
  long stateHashAt(long index) {
    return index == 0 ? 0 : Objects.requireNonNull(committed.get(index)).stateHash();
  }

  static long hash(long stateHash, Entry entry) {
    return (stateHash * 31 + entry.hashCode()) * 0x9E3779B97F4A7C15L;
  }

  /**
   * To be called when the vote and the first entry of a leader are durable. A sole voter leads
   * before that, but nobody can know.
   */
  void afterLeading(int nodeId, int epoch) {
    Integer known = leaderByEpoch.putIfAbsent(epoch, nodeId);
    if (known != null && known != nodeId) {
      throw new SafetyViolation(
          "Election safety: nodes %d and %d lead epoch %d".formatted(known, nodeId, epoch));
    }
  }

  private void checkLeaderCompleteness(RaftCore leader) {
    for (Committed one : committed.values()) {
      long index = one.entry().index();
      boolean isMissing =
          index > leader.log().snapshot().position().index()
              && (!leader.log().covers(index)
                  || leader.log().epochAt(index) != one.entry().epoch());
      if (one.inEpoch() < leader.epoch() && isMissing) {
        throw new SafetyViolation(
            "Leader completeness: node %d leads epoch %d without committed %s; its log ends at %s"
                .formatted(leader.nodeId(), leader.epoch(), one.entry(), leader.log().last()));
      }
    }
  }

  private void checkMonotonicCommit(RaftCore core) {
    long now = core.log().commitIndex();
    Long before = commitIndexByServer.put(core.nodeId(), now);
    if (before != null && before > now) {
      throw new SafetyViolation(
          "Monotonic commit: node %d went from %d to %d".formatted(core.nodeId(), before, now));
    }
  }

  private void checkStateMachineSafety(RaftCore core, Entry entry) {
    Committed known = committed.get(entry.index());
    if (known == null) {
      if (entry.index() != committedIndex() + 1) {
        throw new SafetyViolation("Node %d applies %s too early".formatted(core.nodeId(), entry));
      }
      long stateHash = hash(stateHashAt(entry.index() - 1), entry);
      committed.put(entry.index(), new Committed(entry, core.epoch(), stateHash));
    } else if (!known.entry().equals(entry)) {
      throw new SafetyViolation(
          "State machine safety: node %d applies %s, others %s"
              .formatted(core.nodeId(), entry, known.entry()));
    }
  }

  /** A promise that was broken. */
  static final class SafetyViolation extends RuntimeException {
    SafetyViolation(String message) {
      super(message);
    }
  }
}
