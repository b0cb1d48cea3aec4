package io.milena.raft;

import java.util.ArrayDeque;

/**
 * What a leader knows of one other server's log, and how fast it may send to it.
 *
 * <p>Invariant: {@code match < next}.
 */
final class Progress {
  /** How entries are sent. */
  enum State {
    /** One message at a time, until the place where the logs agree is found. */
    PROBE,
    /** Ahead of acknowledgements, up to a number of messages. */
    REPLICATE,
    /** Not at all: it gets a snapshot, chunk by chunk. */
    SNAPSHOT
  }

  private State state = State.PROBE;
  private long match;
  private long next;

  /** Whether it was heard of since the last check of the quorum. */
  private boolean active;

  /** In PROBE: a message is out. In SNAPSHOT: a chunk is out. Heartbeat answers clear it. */
  private boolean waiting;

  private Snapshot sending = Snapshot.bootstrap(Membership.EMPTY);
  private long sentBytes;

  /** Last index of each append that is out, oldest first. */
  private final ArrayDeque<Long> inflight = new ArrayDeque<>();

  private final int inflightMax;

  Progress(long next, int inflightMax) {
    this.next = next;
    this.inflightMax = inflightMax;
  }

  State state() {
    return state;
  }

  long match() {
    return match;
  }

  long next() {
    return next;
  }

  boolean isActive() {
    return active;
  }

  void active(boolean isActive) {
    active = isActive;
  }

  boolean isPaused() {
    return switch (state) {
      case PROBE -> waiting;
      case REPLICATE -> inflight.size() >= inflightMax;
      case SNAPSHOT -> true;
    };
  }

  void sent(long lastIndex, boolean hasEntries) {
    switch (state) {
      case PROBE -> waiting = true;
      case REPLICATE -> {
        if (hasEntries) {
          next = lastIndex + 1;
          inflight.addLast(lastIndex);
        }
      }
      case SNAPSHOT -> throw new IllegalStateException("Appends wait for the snapshot");
    }
  }

  /** The other server has everything up to an index. */
  boolean acknowledged(long index) {
    boolean isNews = index > match;
    match = Math.max(match, index);
    next = Math.max(next, index + 1);
    while (!inflight.isEmpty() && inflight.peekFirst() <= index) {
      inflight.removeFirst();
    }
    boolean isSnapshotDone = state == State.SNAPSHOT && match >= sending.position().index();
    if (state == State.PROBE || isSnapshotDone) {
      reset(State.REPLICATE);
    }
    return isNews;
  }

  /**
   * The other server does not have {@code rejectedIndex}.
   *
   * @return false where this is old news
   */
  boolean rejected(long rejectedIndex, long possibleMatch) {
    return switch (state) {
      case REPLICATE -> {
        boolean isNews = rejectedIndex > match;
        if (isNews) {
          next = match + 1;
          reset(State.PROBE);
        }
        yield isNews;
      }
      case PROBE -> {
        boolean isNews = next - 1 == rejectedIndex;
        if (isNews) {
          next = Math.max(Math.min(rejectedIndex, possibleMatch + 1), match + 1);
          waiting = false;
        }
        yield isNews;
      }
      case SNAPSHOT -> false;
    };
  }

  void gone() {
    active = false;
    if (state == State.REPLICATE) {
      next = match + 1;
      reset(State.PROBE);
    }
  }

  /** A heartbeat was answered: whatever was out may have been lost, so one more may go. */
  void heartbeatAnswered() {
    active = true;
    waiting = false;
    if (inflight.size() >= inflightMax) {
      inflight.removeFirst();
    }
  }

  void startSnapshot(Snapshot snapshot) {
    reset(State.SNAPSHOT);
    sending = snapshot;
    sentBytes = 0;
  }

  Snapshot sending() {
    return sending;
  }

  long sentBytes() {
    return sentBytes;
  }

  boolean isWaiting() {
    return waiting;
  }

  void chunkSent() {
    waiting = true;
  }

  void chunkReceived(long receivedBytes) {
    sentBytes = receivedBytes;
    waiting = false;
  }

  void checkInvariants(long lastIndex) {
    if (match >= next || match > lastIndex || inflight.size() > inflightMax) {
      throw new IllegalStateException(
          "Progress " + state + " match " + match + " next " + next + " of " + lastIndex);
    }
  }

  private void reset(State newState) {
    state = newState;
    waiting = false;
    inflight.clear();
  }
}
