package io.milena.replication;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/** The in-sync replicas of one set in one leader epoch; {@link InSyncKeeper} owns it. */
final class SetInSync {

  static final long NEVER_NANOS = TimeUnit.DAYS.toNanos(36_525);

  private static final long NO_PROPOSAL = -1;

  private final Map<Integer, JoiningReplica> outside = new LinkedHashMap<>();
  private final Set<Integer> lagging = new HashSet<>();
  private LedSet set;
  private long inFlight = NO_PROPOSAL;
  private boolean paused;
  private long pausedUntilNanos;

  SetInSync(LedSet set) {
    this.set = set;
  }

  LedSet set() {
    return set;
  }

  /** Another image of the set, in the same leader epoch. */
  void update(LedSet next, InSyncKeeper.Effects effects) {
    boolean decided = next.partitionEpoch() != set.partitionEpoch();
    set = next;
    if (decided) {
      // Nothing that was proposed before can be accepted any more.
      inFlight = NO_PROPOSAL;
      paused = false;
      outside.values().forEach(replica -> replica.proposed = false);
    }
    lagging.retainAll(next.isr());
    outside.keySet().removeAll(next.isr());
    outside.keySet().retainAll(next.replicas());
    for (JoiningReplica replica : outside.values()) {
      replica.caughtUp.retainAll(next.partitions());
      replica.joined.retainAll(next.partitions());
      if (replica.joining && !next.isLive(replica.nodeId, replica.nodeEpoch)) {
        // That life of its node is over, and will not be accepted again.
        withdraw(replica, effects);
      }
    }
  }

  void onCaughtUp(
      TopicIdPartition partition, int node, long nodeEpoch, InSyncKeeper.Effects effects) {
    JoiningReplica replica = outside(partition, node, nodeEpoch, effects);
    if (replica != null) {
      replica.caughtUp.add(partition);
      replica.joined.remove(partition);
      if (replica.joining) {
        effects.join(partition, set.leaderEpoch(), node, nodeEpoch);
      }
    }
  }

  void onJoined(TopicIdPartition partition, int node, long nodeEpoch) {
    JoiningReplica replica = outside.get(node);
    if (replica != null
        && replica.nodeEpoch == nodeEpoch
        && replica.joining
        && set.partitions().contains(partition)) {
      replica.joined.add(partition);
    }
  }

  void onLagging(int node) {
    if (set.isr().contains(node)) {
      lagging.add(node);
    }
  }

  void forgetLagging() {
    lagging.clear();
  }

  void onAnswer(long number, long pauseUntilNanos) {
    if (number == inFlight) {
      inFlight = NO_PROPOSAL;
      paused = true;
      pausedUntilNanos = pauseUntilNanos;
    }
  }

  /** What is known of a replica out of the ISR; a newer life of its node replaces an older one. */
  private @Nullable JoiningReplica outside(
      TopicIdPartition partition, int node, long nodeEpoch, InSyncKeeper.Effects effects) {
    if (set.isr().contains(node)
        || !set.replicas().contains(node)
        || !set.partitions().contains(partition)) {
      return null;
    }
    JoiningReplica known = outside.get(node);
    if (known != null && known.nodeEpoch > nodeEpoch) {
      return null;
    }
    if (known == null || known.nodeEpoch < nodeEpoch) {
      if (known != null && known.joining) {
        withdraw(known, effects);
      }
      known = new JoiningReplica(node, nodeEpoch);
      outside.put(node, known);
    }
    return known;
  }

  /** Ends the joining of replicas for which the partitions have waited long enough. */
  void giveUpJoining(
      long nowNanos, long joiningMaxNanos, long pauseNanos, InSyncKeeper.Effects effects) {
    for (JoiningReplica replica : outside.values()) {
      if (replica.joining
          && !replica.proposed
          && nowNanos - replica.joiningSinceNanos > joiningMaxNanos) {
        withdraw(replica, effects);
        replica.delayed = true;
        replica.notBeforeNanos = nowNanos + pauseNanos;
      }
    }
  }

  private void withdraw(JoiningReplica replica, InSyncKeeper.Effects effects) {
    replica.joining = false;
    replica.proposed = false;
    replica.joined.clear();
    // Those that have it say so again.
    replica.caughtUp.clear();
    for (TopicIdPartition partition : set.partitions()) {
      effects.withdraw(partition, set.leaderEpoch(), replica.nodeId);
    }
  }

  /** The first step: replicas that have caught up everywhere are waited for everywhere. */
  void join(long nowNanos, InSyncKeeper.Effects effects) {
    if (set.partitions().isEmpty()) {
      joinEmptySet();
    }
    for (JoiningReplica replica : outside.values()) {
      if (replica.delayed && nowNanos - replica.notBeforeNanos >= 0) {
        replica.delayed = false;
      }
      if (!replica.joining
          && !replica.delayed
          && set.isLive(replica.nodeId, replica.nodeEpoch)
          && replica.caughtUp.size() == set.partitions().size()) {
        replica.joining = true;
        replica.joiningSinceNanos = nowNanos;
        for (TopicIdPartition partition : set.partitions()) {
          effects.join(partition, set.leaderEpoch(), replica.nodeId, replica.nodeEpoch);
        }
      }
    }
  }

  /** Where there is nothing to catch up with nobody reports that it has. */
  private void joinEmptySet() {
    for (int node : set.replicas()) {
      Long epoch = set.liveEpochs().get(node);
      JoiningReplica known = outside.get(node);
      if (epoch != null
          && !set.isr().contains(node)
          && (known == null || known.nodeEpoch < epoch)) {
        outside.put(node, new JoiningReplica(node, epoch));
      }
    }
  }

  /** The second step, and who has to leave; null when there is nothing to propose now. */
  @Nullable InSyncProposal nextProposal(long number, long nowNanos) {
    if (paused && nowNanos - pausedUntilNanos >= 0) {
      paused = false;
    }
    if (paused || inFlight != NO_PROPOSAL) {
      return null;
    }
    List<Integer> isr = new ArrayList<>(set.isr());
    isr.removeAll(lagging);
    for (JoiningReplica replica : outside.values()) {
      if (hasJoined(replica)) {
        replica.proposed = true;
        isr.add(replica.nodeId);
      }
    }
    if (isr.equals(set.isr())) {
      return null;
    }
    List<Long> nodeEpochs = nodeEpochs(isr);
    if (nodeEpochs.size() < isr.size()) {
      return null; // An image is on its way in which a member has left.
    }
    inFlight = number;
    return new InSyncProposal(
        number, set.id(), set.leaderEpoch(), set.partitionEpoch(), isr, nodeEpochs);
  }

  private boolean hasJoined(JoiningReplica replica) {
    return replica.joining
        && set.isLive(replica.nodeId, replica.nodeEpoch)
        && replica.joined.size() == set.partitions().size();
  }

  private List<Long> nodeEpochs(Collection<Integer> nodes) {
    List<Long> epochs = new ArrayList<>(nodes.size());
    for (int node : nodes) {
      Long epoch = set.liveEpochs().get(node);
      if (epoch != null) {
        epochs.add(epoch);
      }
    }
    return epochs;
  }

  long nanosToNext(long nowNanos, long joiningMaxNanos) {
    long shortest = paused ? Math.max(0, pausedUntilNanos - nowNanos) : NEVER_NANOS;
    for (JoiningReplica replica : outside.values()) {
      if (replica.delayed) {
        shortest = Math.min(shortest, Math.max(0, replica.notBeforeNanos - nowNanos));
      }
      if (replica.joining && !replica.proposed) {
        long left = joiningMaxNanos - (nowNanos - replica.joiningSinceNanos);
        shortest = Math.min(shortest, Math.max(0, left + 1));
      }
    }
    return shortest;
  }
}
