package io.milena.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Read requests at a leader, confirmed by rounds of heartbeats (thesis, section 6.4): a majority
 * that answers a heartbeat sent after the request proves that no newer leader had committed
 * anything before it. Requests that come during a round wait for the next one.
 */
final class LeaderReads {
  /**
   * A request.
   *
   * @param from who asked; the leader itself or a follower
   * @param index to be committed before it is answered
   * @param round that must be confirmed
   */
  record Pending(int from, long readId, long index, long round) {}

  private final ArrayDeque<Pending> pending = new ArrayDeque<>();
  private final Set<Integer> answered = new HashSet<>();
  private long round;
  private long confirmedRound;

  int size() {
    return pending.size();
  }

  long round() {
    return round;
  }

  /**
   * Takes a request.
   *
   * @return whether a round has to be started by sending heartbeats
   */
  boolean add(int from, long readId, long index) {
    boolean isIdle = round == confirmedRound;
    pending.addLast(new Pending(from, readId, index, round + 1));
    if (isIdle) {
      startRound();
    }
    return isIdle;
  }

  /** A server answered a heartbeat of a round. */
  void answered(int nodeId, long answeredRound) {
    if (answeredRound == round && round > confirmedRound) {
      answered.add(nodeId);
    }
  }

  /**
   * Confirms the round if it has its majority.
   *
   * @return whether another has to be started by sending heartbeats
   */
  boolean confirm(Membership membership, int self) {
    if (round == confirmedRound) {
      return false;
    }
    answered.add(self);
    if (!membership.isQuorum(answered)) {
      return false;
    }
    confirmedRound = round;
    boolean isMore = !pending.isEmpty() && pending.peekLast().round() > round;
    if (isMore) {
      startRound();
    }
    return isMore;
  }

  /** What is confirmed and committed. */
  List<Pending> takeReady(long commitIndex) {
    var ready = new ArrayList<Pending>();
    while (!pending.isEmpty()
        && pending.peekFirst().round() <= confirmedRound
        && pending.peekFirst().index() <= commitIndex) {
      ready.add(pending.removeFirst());
    }
    return ready;
  }

  /** Everything, to be refused. */
  List<Pending> takeAll() {
    var all = List.copyOf(pending);
    pending.clear();
    return all;
  }

  private void startRound() {
    round++;
    answered.clear();
  }
}
