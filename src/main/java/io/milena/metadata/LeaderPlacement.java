package io.milena.metadata;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Where the leader of a replica set should live: the one rule behind what Raft grants in an
 * emergency, what it grants when a leader resigns, and where cluster sharding puts the set's
 * entity. That all three agree is why an entity that follows an emergency finds its claim granted.
 *
 * <p>The rule sees assignment and liveness only; the load of nodes will be one more argument of it.
 */
public final class LeaderPlacement {

  private LeaderPlacement() {}

  /**
   * The first assigned replica that is in sync and can lead; without one, the first that is
   * eligible and can lead (KIP-966); empty when nobody may lead without losing committed records.
   * Where every machine that had them has crashed, the last one that had, as nobody has more.
   *
   * @param canLead which nodes are live
   */
  public static OptionalInt choose(ReplicaSetImage set, IntPredicate canLead) {
    OptionalInt inSync =
        set.replicas().stream()
            .filter(set.isr()::contains)
            .filter(node -> !set.offline().contains(node))
            .mapToInt(Integer::intValue)
            .filter(canLead)
            .findFirst();
    if (inSync.isPresent()) {
      return inSync;
    }
    List<Integer> eligible =
        set.isr().isEmpty() && set.elr().isEmpty() ? set.lastKnownElr() : set.elr();
    return set.replicas().stream()
        .filter(eligible::contains)
        .filter(node -> !set.offline().contains(node))
        .mapToInt(Integer::intValue)
        .filter(canLead)
        .findFirst();
  }

  /** The same for a set of an image; empty also when there is no such set. */
  public static OptionalInt choose(MetadataImage image, int setId) {
    ReplicaSetImage set = image.replicaSets().get(setId);
    return set == null
        ? OptionalInt.empty()
        : choose(set, node -> ReplicaSets.canLead(image, node));
  }

  /**
   * The choice once a node that leads has resigned: an in-sync one only, as nothing forces an
   * election of less.
   *
   * @param leaving who resigns
   * @param canLead which nodes are live
   */
  public static OptionalInt successor(ReplicaSetImage set, int leaving, IntPredicate canLead) {
    OptionalInt choice = choose(set, node -> node != leaving && canLead.test(node));
    return choice.isPresent() && set.isr().contains(choice.getAsInt())
        ? choice
        : OptionalInt.empty();
  }

  /** The same for a set of an image; empty also when there is no such set. */
  public static OptionalInt successor(MetadataImage image, int setId, int leaving) {
    ReplicaSetImage set = image.replicaSets().get(setId);
    return set == null
        ? OptionalInt.empty()
        : successor(set, leaving, node -> ReplicaSets.canLead(image, node));
  }

  /**
   * Which of the nodes that can take it a set's entity goes to: the choice; without that one the
   * leader there is, so that nothing moves which works; empty while neither can take it.
   *
   * @param nodes those that can take an entity
   */
  public static OptionalInt place(MetadataImage image, int setId, Set<Integer> nodes) {
    OptionalInt chosen = choose(image, setId);
    ReplicaSetImage set = image.replicaSets().get(setId);
    if (set == null || chosen.isEmpty() || nodes.contains(chosen.getAsInt())) {
      return chosen;
    }
    return nodes.contains(set.leader()) && ReplicaSets.canLead(image, set.leader())
        ? OptionalInt.of(set.leader())
        : OptionalInt.empty();
  }

  /**
   * The sets whose entity is in the wrong place: those that the rule puts on another node which can
   * take them, and those that are gone. One that nobody may lead stays where it is.
   *
   * @param placed sets whose entity is on a node, by node id; the nodes are those that can take one
   * @param moving sets that are being moved already
   * @param movesMax how many may move at a time, {@code moving} included
   * @param mayReturn which sets may leave a leader that works for a better one, see {@link
   *     LeaderBalance}
   */
  public static Set<Integer> misplaced(
      MetadataImage image,
      Map<Integer, Set<Integer>> placed,
      Set<Integer> moving,
      int movesMax,
      IntPredicate mayReturn) {
    Set<Integer> misplaced = new HashSet<>();
    placed.forEach((node, sets) ->
        sets.stream()
            .sorted()
            .filter(set -> !moving.contains(set))
            .filter(set -> isMisplaced(image, set, node, placed.keySet(), mayReturn))
            .limit(Math.max(0, movesMax - moving.size() - misplaced.size()))
            .forEach(misplaced::add));
    return misplaced;
  }

  private static boolean isMisplaced(
      MetadataImage image,
      int setId,
      int node,
      Set<Integer> nodesWithEntities,
      IntPredicate mayReturn) {
    ReplicaSetImage set = image.replicaSets().get(setId);
    if (set == null) {
      return true;
    }
    boolean works = set.leader() == node && ReplicaSets.canLead(image, node);
    if (works && !mayReturn.test(setId)) {
      return false;
    }
    OptionalInt chosen = choose(image, setId);
    return chosen.isPresent()
        && chosen.getAsInt() != node
        && nodesWithEntities.contains(chosen.getAsInt());
  }
}
