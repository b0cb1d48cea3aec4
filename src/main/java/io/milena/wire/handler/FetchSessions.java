package io.milena.wire.handler;

import io.milena.common.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The incremental fetch sessions of a node. When every slot is taken, a session that has not been
 * used for two minutes makes room; where there is none the client goes on with full fetches, as
 * KIP-227 has it.
 */
public final class FetchSessions {

  /** Kafka's {@code max.incremental.fetch.session.cache.slots}. */
  public static final int DEFAULT_SLOTS = 1_000;

  /** Kafka's {@code min.incremental.fetch.session.eviction.ms}. */
  private static final long EVICTION_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final int slots;
  private final Clock clock;
  private final RandomGenerator random;
  private final Map<Integer, FetchSession> sessions = new LinkedHashMap<>();

  public FetchSessions(int slots, Clock clock, RandomGenerator random) {
    this.slots = slots;
    this.clock = clock;
    this.random = random;
  }

  /** Starts a session with these partitions, or returns null when there is no room for one. */
  synchronized @Nullable FetchSession create(
      boolean usesTopicIds, SequencedMap<FetchPartitionState.Key, FetchPartitionState> partitions) {
    long now = clock.monotonicNanos();
    if (sessions.size() >= slots && !evictOne(now)) {
      return null;
    }
    int id;
    do {
      id = random.nextInt(1, Integer.MAX_VALUE);
    } while (sessions.containsKey(id));
    FetchSession session = new FetchSession(id, usesTopicIds, partitions, now);
    sessions.put(id, session);
    return session;
  }

  private boolean evictOne(long now) {
    for (FetchSession session : sessions.values()) {
      if (now - session.lastUsedNanos > EVICTION_NANOS) {
        sessions.remove(session.id);
        return true;
      }
    }
    return false;
  }

  /** The session of this id, or null. */
  synchronized @Nullable FetchSession find(int id) {
    FetchSession session = sessions.get(id);
    if (session != null) {
      session.lastUsedNanos = clock.monotonicNanos();
    }
    return session;
  }

  /** Ends a session; one that is not there is ignored. */
  synchronized void remove(int id) {
    sessions.remove(id);
  }

  /** How many sessions there are. */
  public synchronized int size() {
    return sessions.size();
  }
}
