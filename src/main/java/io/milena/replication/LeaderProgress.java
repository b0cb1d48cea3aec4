package io.milena.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the leader of a partition knows of its replicas in one leader epoch, and the high watermark
 * that follows from it: the smallest kept end offset among the in-sync replicas, never going
 * backwards.
 *
 * <p>A replica that shall be in sync counts from the moment it is asked to join, until the metadata
 * group has said no (the maximal ISR of KIP-497): whether or not the group's word has come, the
 * high watermark never passes a replica that could be elected. For the same reason it stands still
 * while fewer than {@code min.insync.replicas} are in sync (KIP-966): those that left have all
 * below it.
 *
 * <p>Invariants: the high watermark is at most the leader's own kept end and at most that of every
 * replica that counts; one not yet heard of in this epoch holds it where it is.
 */
public final class LeaderProgress {

  private final int nodeId;
  private final int leaderEpoch;
  private final long epochStartOffset;
  private final InSyncReports reports;
  private Follower[] followers = {};
  private int replicaCount;
  private int inSyncCount;
  private int minInSyncReplicas;
  private long logEndOffset;
  private long keptEndOffset;
  private long highWatermark;

  /**
   * @param nodeId of the leader
   * @param logEndOffset the leader's, exclusive: where its epoch begins
   * @param keptEndOffset exclusive end of what its durability mode counts as kept
   * @param highWatermark the high watermark that this replica knew before it led
   * @param minInSyncReplicas {@code min.insync.replicas}; above the number of replicas it means all
   */
  public LeaderProgress(
      int nodeId,
      int leaderEpoch,
      long logEndOffset,
      long keptEndOffset,
      long highWatermark,
      int minInSyncReplicas,
      InSyncReports reports) {
    this.nodeId = nodeId;
    this.leaderEpoch = leaderEpoch;
    this.epochStartOffset = logEndOffset;
    this.logEndOffset = logEndOffset;
    this.keptEndOffset = keptEndOffset;
    this.highWatermark = highWatermark;
    this.minInSyncReplicas = minInSyncReplicas;
    this.reports = reports;
  }

  /** Exclusive bound of what every in-sync replica has. */
  public long highWatermark() {
    return highWatermark;
  }

  /** How many replicas the metadata group has in sync, the leader included. */
  public int inSyncCount() {
    return inSyncCount;
  }

  /** How many must be, for acks=all and for the high watermark to move. */
  public int minInSyncReplicas() {
    return Math.clamp(minInSyncReplicas, 1, Math.max(1, replicaCount));
  }

  /** Too few replicas are in sync to commit anything. */
  public boolean isUnderMinIsr() {
    return inSyncCount < minInSyncReplicas();
  }

  /** The topic's setting changed; returns true when the high watermark moved. */
  public boolean onMinInSyncReplicas(int newMinInSyncReplicas) {
    minInSyncReplicas = newMinInSyncReplicas;
    return advance();
  }

  /**
   * What the metadata group says of the set in this epoch. One that is in the ISR now is not
   * joining any more; one that left it may catch up again.
   *
   * @param replicas assigned node ids
   * @param inSyncReplicas node ids, the leader among them
   * @return true when the high watermark moved
   */
  public boolean onReplicas(List<Integer> replicas, List<Integer> inSyncReplicas, long nowNanos) {
    Follower[] next = new Follower[replicas.size() - (replicas.contains(nodeId) ? 1 : 0)];
    int count = 0;
    for (int node : replicas) {
      if (node == nodeId) {
        continue;
      }
      Follower follower = find(node);
      if (follower == null) {
        follower = new Follower(node, nowNanos);
      }
      boolean inSync = inSyncReplicas.contains(node);
      if (inSync) {
        follower.joining = false;
      }
      if (inSync != follower.inSync) {
        follower.reported = false;
        follower.inSync = inSync;
      }
      next[count++] = follower;
    }
    followers = next;
    replicaCount = replicas.size();
    inSyncCount = inSyncReplicas.size();
    boolean moved = advance();
    for (Follower follower : followers) {
      report(follower);
    }
    return moved;
  }

  /** The leader's own log; returns true when the high watermark moved. */
  public boolean onLocalEnd(long newLogEndOffset, long newKeptEndOffset) {
    logEndOffset = newLogEndOffset;
    keptEndOffset = newKeptEndOffset;
    return advance();
  }

  /** A follower has fetched; returns true when the high watermark moved. */
  public boolean onFollower(FollowerPosition position) {
    Follower follower = find(position.nodeId());
    if (follower == null || position.nodeEpoch() < follower.nodeEpoch) {
      return false;
    }
    if (position.nodeEpoch() > follower.nodeEpoch) {
      follower.restart(position.nodeEpoch());
    }
    follower.moveTo(position, logEndOffset);
    boolean moved = follower.counts() && advance();
    report(follower);
    return moved;
  }

  /**
   * A follower shall be in sync: from now on the high watermark waits for it. {@link
   * InSyncReports#onJoined} follows once it has what is below.
   *
   * @param nodeEpoch the life of its node that is meant; ignored when another one fetches by now
   */
  public void join(int node, long nodeEpoch) {
    Follower follower = find(node);
    if (follower != null && follower.nodeEpoch == nodeEpoch && !follower.inSync) {
      follower.joining = true;
      follower.reported = false;
      report(follower);
    }
  }

  /**
   * A follower shall not be in sync after all, and the metadata group will not say that it is;
   * returns true when the high watermark moved.
   */
  public boolean withdraw(int node) {
    Follower follower = find(node);
    if (follower == null || !follower.joining) {
      return false;
    }
    follower.joining = false;
    follower.reported = false;
    boolean moved = advance();
    report(follower);
    return moved;
  }

  /**
   * Reports the in-sync replicas that have been behind for longer than a limit, and once more those
   * out of the ISR that have caught up or joined. A follower that has kept all there is need not
   * say so again: it is in sync while it is silent, for as long as its node is.
   */
  public void review(long nowNanos, long lagMaxNanos) {
    for (Follower follower : followers) {
      if (follower.keptEndOffset >= logEndOffset) {
        follower.caughtUpNanos = nowNanos;
      } else if (follower.inSync && nowNanos - follower.caughtUpNanos > lagMaxNanos) {
        reports.onLagging(leaderEpoch, follower.nodeId);
      }
      follower.reported = false;
      report(follower);
    }
  }

  /**
   * The smallest log start offset among the in-sync replicas: the low watermark of DeleteRecords.
   *
   * @param ownLogStartOffset the leader's
   */
  public long lowWatermark(long ownLogStartOffset) {
    long smallest = ownLogStartOffset;
    for (Follower follower : followers) {
      if (follower.inSync) {
        smallest = Math.min(smallest, follower.logStartOffset);
      }
    }
    return smallest;
  }

  private void report(Follower follower) {
    if (follower.inSync
        || follower.reported
        || follower.keptEndOffset < Math.max(highWatermark, epochStartOffset)) {
      return;
    }
    follower.reported = true;
    if (follower.joining) {
      reports.onJoined(leaderEpoch, follower.nodeId, follower.nodeEpoch);
    } else {
      reports.onCaughtUp(leaderEpoch, follower.nodeId, follower.nodeEpoch);
    }
  }

  private @Nullable Follower find(int node) {
    for (Follower follower : followers) {
      if (follower.nodeId == node) {
        return follower;
      }
    }
    return null;
  }

  private boolean advance() {
    long smallest = keptEndOffset;
    for (Follower follower : followers) {
      if (follower.counts()) {
        smallest = Math.min(smallest, follower.keptEndOffset);
      }
    }
    if (smallest <= highWatermark || isUnderMinIsr()) {
      return false;
    }
    highWatermark = smallest;
    return true;
  }
}
