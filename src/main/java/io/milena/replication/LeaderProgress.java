package io.milena.replication;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the leader of a partition knows of its replicas in one leader epoch, and the high watermark
 * that follows from it: the smallest end offset among the in-sync replicas, never going backwards.
 *
 * <p>Invariants: the high watermark is at most the leader's own end offset and at most that of
 * every in-sync replica that has been heard of in this epoch; a replica not yet heard of holds the
 * high watermark where it is.
 */
public final class LeaderProgress {

  private static final long UNKNOWN = -1;

  private final int self;
  private final Map<Integer, Long> ends = new HashMap<>();
  private List<Integer> inSyncReplicas;
  private long highWatermark;

  /**
   * @param self node id of the leader
   * @param inSyncReplicas node ids, the leader among them
   * @param localEnd the leader's own end offset, exclusive: of what its durability mode counts as
   *     kept
   * @param highWatermark the high watermark that this replica knew before it led
   */
  public LeaderProgress(int self, List<Integer> inSyncReplicas, long localEnd, long highWatermark) {
    this.self = self;
    this.inSyncReplicas = List.copyOf(inSyncReplicas);
    this.highWatermark = Math.min(highWatermark, localEnd);
    ends.put(self, localEnd);
    advance();
  }

  /** How many replicas are in sync, the leader included. */
  public int inSyncCount() {
    return inSyncReplicas.size();
  }

  /** Exclusive bound of what every in-sync replica has. */
  public long highWatermark() {
    return highWatermark;
  }

  /** The leader's own log now ends here (exclusive); returns true when the high watermark moved. */
  public boolean onLocalEnd(long endOffset) {
    return onEnd(self, endOffset);
  }

  /** A follower's log ends here (exclusive); returns true when the high watermark moved. */
  public boolean onFollowerEnd(int node, long endOffset) {
    return onEnd(node, endOffset);
  }

  /**
   * The metadata group changed the in-sync replicas; returns true when the high watermark moved.
   */
  public boolean onInSyncReplicas(List<Integer> nodes) {
    inSyncReplicas = List.copyOf(nodes);
    return advance();
  }

  private boolean onEnd(int node, long endOffset) {
    ends.put(node, endOffset);
    return advance();
  }

  private boolean advance() {
    long smallest = Long.MAX_VALUE;
    for (int node : inSyncReplicas) {
      smallest = Math.min(smallest, ends.getOrDefault(node, UNKNOWN));
    }
    smallest = Math.min(smallest, ends.getOrDefault(self, UNKNOWN));
    if (smallest <= highWatermark) {
      return false;
    }
    highWatermark = smallest;
    return true;
  }
}
