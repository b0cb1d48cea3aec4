package io.milena.raft;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Read requests that a follower has sent to the leader. On the wire they carry keys that no earlier
 * life of this process used, so that a late answer to an earlier request is never taken for a new
 * one.
 */
final class FollowerReads {
  private static final long UNKNOWN = -1;

  private record Waiting(long readId, long deadlineTick, long index) {}

  private final LinkedHashMap<Long, Waiting> waiting = new LinkedHashMap<>();
  private long nextKey;

  FollowerReads(long firstKey) {
    nextKey = firstKey;
  }

  int size() {
    return waiting.size();
  }

  long add(long readId, long deadlineTick) {
    long key = nextKey++;
    waiting.put(key, new Waiting(readId, deadlineTick, UNKNOWN));
    return key;
  }

  void indexIs(long key, long index) {
    waiting.computeIfPresent(
        key, (_, read) -> new Waiting(read.readId(), read.deadlineTick(), index));
  }

  /** Forgets a request; says which it was, if it was still waiting. */
  List<Long> refused(long key) {
    Waiting read = waiting.remove(key);
    return read == null ? List.of() : List.of(read.readId());
  }

  /** Takes what can be read now. */
  List<ReadOutcome> takeReady(long commitIndex) {
    var ready = new ArrayList<ReadOutcome>();
    waiting
        .values()
        .removeIf(read -> {
          boolean isReady = read.index() != UNKNOWN && read.index() <= commitIndex;
          if (isReady) {
            ready.add(new ReadOutcome.Ready(read.readId(), read.index()));
          }
          return isReady;
        });
    return ready;
  }

  /** Takes what has waited too long. */
  List<Long> takeExpired(long nowTick) {
    var expired = new ArrayList<Long>();
    waiting
        .values()
        .removeIf(read -> {
          boolean isExpired = read.deadlineTick() <= nowTick;
          if (isExpired) {
            expired.add(read.readId());
          }
          return isExpired;
        });
    return expired;
  }
}
