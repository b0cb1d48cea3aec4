package io.milena.replication;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the in-sync replicas of the sets that this node leads: which replica shall join, which has
 * to leave, and what to propose to the metadata group. A replica is in sync with a <em>set</em>
 * only while it is with every partition in it. One thread at a time.
 *
 * <p>Expanding takes two steps (the maximal ISR of KIP-497, for a set). Once a replica has caught
 * up in every partition, all of them are asked to let their high watermark wait for it; only when
 * each has it below its high watermark is the larger ISR proposed. From the proposal on they must
 * go on waiting until an image shows that it was decided otherwise: a newer version of the set, or
 * the end of that life of the replica's node. An answer alone does not tell, because an earlier
 * copy of the question may still be on its way, and because what refused it may not be committed.
 *
 * <p>Shrinking needs no care: high watermarks wait for a replica until the image shows that it
 * left.
 */
public final class InSyncKeeper {

  /** What the keeper has others do. Called in the midst of the keeper's own calls. */
  public interface Effects {
    /** A partition's leader here shall wait for a replica, see {@link ReplicaCore#join}. */
    void join(TopicIdPartition partition, int leaderEpoch, int node, long nodeEpoch);

    /** It shall not any more, see {@link ReplicaCore#withdraw}. */
    void withdraw(TopicIdPartition partition, int leaderEpoch, int node);

    /**
     * The metadata group shall decide; {@link #onAnswer} is called when it has, or when it will not
     * be known whether it did.
     */
    void propose(InSyncProposal proposal);
  }

  private final Effects effects;
  private final long pauseNanos;
  private final long joiningMaxNanos;
  private final Map<Integer, SetInSync> sets = new HashMap<>();
  private long nextNumber;

  /**
   * @param pauseNanos how long to wait for a newer image after an answer, before asking again
   * @param joiningMaxNanos how long partitions wait for a replica that does not come; the lag that
   *     ends being in sync
   */
  public InSyncKeeper(Effects effects, long pauseNanos, long joiningMaxNanos) {
    this.effects = effects;
    this.pauseNanos = pauseNanos;
    this.joiningMaxNanos = joiningMaxNanos;
  }

  /** This node leads a set: for the first time, on, in another epoch, or with something changed. */
  public void onLed(LedSet set, long nowNanos) {
    SetInSync known = sets.get(set.id());
    if (known == null || known.set().leaderEpoch() != set.leaderEpoch()) {
      // Replicas in a new epoch know of no joining in the last one.
      known = new SetInSync(set);
      sets.put(set.id(), known);
    } else {
      known.update(set, effects);
    }
    progress(known, nowNanos);
  }

  /** This node does not lead a set any more. */
  public void onLost(int setId) {
    sets.remove(setId);
  }

  /** See {@link InSyncReports#onCaughtUp}. */
  public void onCaughtUp(
      int setId,
      TopicIdPartition partition,
      int leaderEpoch,
      int node,
      long nodeEpoch,
      long nowNanos) {
    SetInSync set = led(setId, leaderEpoch);
    if (set != null) {
      set.onCaughtUp(partition, node, nodeEpoch, effects);
      progress(set, nowNanos);
    }
  }

  /** See {@link InSyncReports#onJoined}. */
  public void onJoined(
      int setId,
      TopicIdPartition partition,
      int leaderEpoch,
      int node,
      long nodeEpoch,
      long nowNanos) {
    SetInSync set = led(setId, leaderEpoch);
    if (set != null) {
      set.onJoined(partition, node, nodeEpoch);
      progress(set, nowNanos);
    }
  }

  /** See {@link InSyncReports#onLagging}. */
  public void onLagging(int setId, int leaderEpoch, int node, long nowNanos) {
    SetInSync set = led(setId, leaderEpoch);
    if (set != null) {
      set.onLagging(node);
      progress(set, nowNanos);
    }
  }

  /**
   * A proposal was accepted or refused, or its outcome is unknown. Whichever it is, the next image
   * of the set decides what follows; without one in time, the proposal is made again.
   */
  public void onAnswer(InSyncProposal proposal, long nowNanos) {
    SetInSync set = sets.get(proposal.setId());
    if (set != null) {
      set.onAnswer(proposal.number(), nowNanos + pauseNanos);
      progress(set, nowNanos);
    }
  }

  /**
   * To be called before the replicas are asked for a review: who lagged at the last one must be
   * said to lag again.
   */
  public void onReview(long nowNanos) {
    for (SetInSync set : sets.values()) {
      set.forgetLagging();
      progress(set, nowNanos);
    }
  }

  /** Goes on with what waited for its time. */
  public void onTime(long nowNanos) {
    List.copyOf(sets.values()).forEach(set -> progress(set, nowNanos));
  }

  /** How long until {@link #onTime} has something to do; a century when nothing waits. */
  public long nanosToNext(long nowNanos) {
    return sets.values().stream()
        .map(set -> set.nanosToNext(nowNanos, joiningMaxNanos))
        .min(Comparator.naturalOrder())
        .orElse(SetInSync.NEVER_NANOS);
  }

  private @Nullable SetInSync led(int setId, int leaderEpoch) {
    SetInSync set = sets.get(setId);
    return set != null && set.set().leaderEpoch() == leaderEpoch ? set : null;
  }

  private void progress(SetInSync set, long nowNanos) {
    set.giveUpJoining(nowNanos, joiningMaxNanos, pauseNanos, effects);
    set.join(nowNanos, effects);
    InSyncProposal proposal = set.nextProposal(nextNumber, nowNanos);
    if (proposal != null) {
      nextNumber++;
      effects.propose(proposal);
    }
  }
}
