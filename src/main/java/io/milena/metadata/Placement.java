package io.milena.metadata;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where automatic assignment puts partitions: preferred leaders rotate over the live nodes, which
 * alternate between racks; followers come from the racks a set has fewest of. Few distinct lists
 * arise, so that partitions share sets: at most {@link #SETS_PER_LEADER_MAX} for each leader and
 * replication factor. That there are several spreads the load of a dead leader over several nodes.
 */
final class Placement {

  /** Distinct lists of followers for each preferred leader. */
  static final int SETS_PER_LEADER_MAX = 3;

  private final List<NodeImage> live;
  private final List<NodeImage> fenced;

  Placement(Collection<NodeImage> nodes) {
    this.live =
        alternatingRacks(
            nodes.stream().filter(node -> !node.fenced() && !node.controlledShutdown()).toList());
    this.fenced =
        alternatingRacks(
            nodes.stream().filter(node -> node.fenced() || node.controlledShutdown()).toList());
  }

  /** How many nodes can lead. */
  int liveCount() {
    return live.size();
  }

  /** How many nodes can hold a replica: those fenced may come back, and are taken last. */
  int nodeCount() {
    return live.size() + fenced.size();
  }

  /** The place in the rotation that follows a preferred leader. */
  int after(int preferredLeader) {
    for (int i = 0; i < live.size(); i++) {
      if (live.get(i).id() == preferredLeader) {
        return i + 1;
      }
    }
    return 0;
  }

  /**
   * The replicas of the partition at a place in the rotation.
   *
   * @param place 0 or more; consecutive partitions have consecutive ones
   * @param replicationFactor from 1 to {@link #nodeCount()}, with a live node
   */
  List<Integer> replicas(int place, int replicationFactor) {
    int leader = Math.floorMod(place, live.size());
    int lists = Math.clamp(live.size() - 1, 1, SETS_PER_LEADER_MAX);
    int shift = Math.floorMod(Math.floorDiv(place, live.size()), lists);
    List<NodeImage> candidates = new ArrayList<>();
    for (int i = 0; i < live.size() - 1; i++) {
      candidates.add(
          live.get((leader + 1 + Math.floorMod(shift + i, live.size() - 1)) % live.size()));
    }
    candidates.addAll(fenced);

    List<Integer> replicas = new ArrayList<>(replicationFactor);
    Map<String, Integer> replicasByRack = new HashMap<>();
    NodeImage chosen = live.get(leader);
    int liveLeft = live.size() - 1;
    while (true) {
      replicas.add(chosen.id());
      replicasByRack.merge(rack(chosen), 1, Integer::sum);
      if (replicas.size() == replicationFactor) {
        return replicas;
      }
      List<NodeImage> eligible = liveLeft > 0 ? candidates.subList(0, liveLeft) : candidates;
      chosen = fromLeastUsedRack(eligible, replicasByRack);
      candidates.remove(chosen);
      liveLeft = Math.max(0, liveLeft - 1);
    }
  }

  /** The first of those whose rack has fewest replicas. */
  private static NodeImage fromLeastUsedRack(
      List<NodeImage> candidates, Map<String, Integer> replicasByRack) {
    NodeImage best = candidates.getFirst();
    for (NodeImage candidate : candidates) {
      if (replicasByRack.getOrDefault(rack(candidate), 0)
          < replicasByRack.getOrDefault(rack(best), 0)) {
        best = candidate;
      }
    }
    return best;
  }

  /** Nodes by id, taking one of each rack in turn. */
  private static List<NodeImage> alternatingRacks(List<NodeImage> nodes) {
    Map<String, List<NodeImage>> byRack = new TreeMap<>();
    nodes.stream()
        .sorted(Comparator.comparingInt(NodeImage::id))
        .forEach(node -> byRack.computeIfAbsent(rack(node), _ -> new ArrayList<>()).add(node));
    List<NodeImage> alternating = new ArrayList<>(nodes.size());
    for (int round = 0; alternating.size() < nodes.size(); round++) {
      for (List<NodeImage> rack : byRack.values()) {
        if (round < rack.size()) {
          alternating.add(rack.get(round));
        }
      }
    }
    return alternating;
  }

  /** Nodes that name no rack stand in one together. */
  private static String rack(NodeImage node) {
    return node.rack().orElse("");
  }
}
