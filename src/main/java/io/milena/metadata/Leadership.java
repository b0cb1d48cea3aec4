package io.milena.metadata;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/**
 * The rules of a replica set's leader, ISR and ELR (KIP-966), as functions from one state of the
 * set to the next. A replica in the ELR has every committed record, because the ISR has been below
 * {@code min.insync.replicas} since it left.
 */
final class Leadership {

  private Leadership() {}

  /**
   * A new set.
   *
   * @param canLead which nodes are live
   */
  static ReplicaSetImage create(int id, List<Integer> replicas, IntPredicate canLead) {
    List<Integer> live = replicas.stream().filter(canLead::test).toList();
    if (live.isEmpty()) {
      throw new IllegalArgumentException("no live node among " + replicas);
    }
    return new ReplicaSetImage(
        id,
        replicas,
        List.of(),
        List.of(),
        live.getFirst(),
        0,
        live,
        List.of(),
        List.of(),
        0,
        false);
  }

  /**
   * The set after a node left: out of the ISR, in the ELR if what remains is below the minimum, and
   * not the leader.
   *
   * @param minIsr smallest {@code min.insync.replicas} of the topics in the set
   * @param canLead which nodes are live, the one that left not among them
   */
  static ReplicaSetImage withoutNode(
      ReplicaSetImage set, int node, int minIsr, IntPredicate canLead) {
    if (!set.isr().contains(node)) {
      return set.leader() == node ? elect(set, minIsr, canLead) : set;
    }
    List<Integer> isr = without(set.isr(), node);
    List<Integer> elr = isr.size() < minIsr(set, minIsr) ? with(set.elr(), node) : List.of();
    ReplicaSetImage shrunk =
        next(
            set,
            set.leader() == node ? ReplicaSetImage.NO_LEADER : set.leader(),
            set.leaderEpoch(),
            isr,
            elr);
    return shrunk.leader() == ReplicaSetImage.NO_LEADER
        ? samePartitionEpoch(elect(shrunk, minIsr, canLead), shrunk.partitionEpoch())
        : shrunk;
  }

  /**
   * The set with a leader, if it lacks one that can lead and a live in-sync or eligible replica
   * exists: the one that {@link LeaderPlacement} names. A leader that is stopping remains where
   * there is no other.
   */
  static ReplicaSetImage elect(ReplicaSetImage set, int minIsr, IntPredicate canLead) {
    if (set.leader() != ReplicaSetImage.NO_LEADER
        && canLead.test(set.leader())
        && !set.offline().contains(set.leader())) {
      return set;
    }
    OptionalInt chosen = LeaderPlacement.choose(set, canLead);
    return chosen.isPresent() ? grant(set, chosen.getAsInt(), minIsr) : set;
  }

  /**
   * The set led by a replica, in a new leader epoch. An eligible one is in sync from then on: it
   * has what is committed, and it leads.
   *
   * @param replica in the ISR or the ELR
   */
  static ReplicaSetImage grant(ReplicaSetImage set, int replica, int minIsr) {
    if (set.isr().contains(replica)) {
      return next(set, replica, set.leaderEpoch() + 1, set.isr(), set.elr());
    }
    List<Integer> isr = with(set.isr(), replica);
    List<Integer> elr = isr.size() < minIsr(set, minIsr) ? without(set.elr(), replica) : List.of();
    return next(set, replica, set.leaderEpoch() + 1, isr, elr);
  }

  /**
   * The set led by a live replica though it may lack committed records: the first that is assigned;
   * those that a reassignment adds come last, as they have least. Empty if no replica is live.
   */
  static Optional<ReplicaSetImage> electUnclean(ReplicaSetImage set, IntPredicate canLead) {
    return Stream.of(
            set.replicas().stream().filter(node -> !set.addingReplicas().contains(node)).toList(),
            set.replicas())
        .flatMap(List::stream)
        .filter(canLead::test)
        .filter(node -> !set.offline().contains(node))
        .findFirst()
        .map(node -> next(set, node, set.leaderEpoch() + 1, List.of(node), List.of()));
  }

  /**
   * A new set that partitions of another one move to, in a leader epoch of its own. It is led as
   * that one is, if it may; else as {@link LeaderPlacement} says.
   *
   * @param replicas target and, behind it, what is to leave
   * @param adding those of {@code replicas} that the other set does not have
   * @param removing those of {@code replicas} that are not in the target
   */
  static ReplicaSetImage detached(
      int id,
      ReplicaSetImage from,
      List<Integer> replicas,
      List<Integer> adding,
      List<Integer> removing,
      IntPredicate canLead) {
    ReplicaSetImage moved =
        new ReplicaSetImage(
            id,
            replicas,
            adding,
            removing,
            replicas.contains(from.leader()) ? from.leader() : ReplicaSetImage.NO_LEADER,
            from.leaderEpoch() + 1,
            among(from.isr(), replicas),
            among(from.elr(), replicas),
            among(from.lastKnownElr(), replicas),
            0,
            true,
            among(from.offline(), replicas));
    return samePartitionEpoch(elect(moved, 1, canLead), 0);
  }

  /**
   * The set once the replicas that leave are gone; empty as long as one that is added is not in
   * sync, or nobody in sync could lead (KIP-455).
   */
  static Optional<ReplicaSetImage> completed(ReplicaSetImage set, IntPredicate canLead) {
    List<Integer> target = set.targetReplicas();
    List<Integer> isr = among(set.isr(), target);
    if (!isr.containsAll(set.addingReplicas()) || isr.stream().noneMatch(canLead::test)) {
      return Optional.empty();
    }
    ReplicaSetImage done =
        new ReplicaSetImage(
            set.id(),
            target,
            List.of(),
            List.of(),
            target.contains(set.leader()) ? set.leader() : ReplicaSetImage.NO_LEADER,
            set.removingReplicas().isEmpty() ? set.leaderEpoch() : set.leaderEpoch() + 1,
            isr,
            among(set.elr(), target),
            List.of(),
            set.partitionEpoch() + 1,
            true,
            among(set.offline(), target));
    return Optional.of(samePartitionEpoch(elect(done, 1, canLead), done.partitionEpoch()));
  }

  /** A detached set as the one where its partitions belong. */
  static ReplicaSetImage attached(ReplicaSetImage set) {
    return new ReplicaSetImage(
        set.id(),
        set.replicas(),
        List.of(),
        List.of(),
        set.leader(),
        set.leaderEpoch(),
        set.isr(),
        set.elr(),
        set.lastKnownElr(),
        set.partitionEpoch() + 1,
        false,
        set.offline());
  }

  /**
   * The set once the partitions of a detached one are in it: in a leader epoch above both, and in a
   * partition epoch in which nothing that was proposed for fewer partitions is accepted. Empty
   * while the two do not agree: they must have one leader, and every replica in sync.
   */
  static Optional<ReplicaSetImage> merged(ReplicaSetImage set, ReplicaSetImage detached) {
    boolean agree =
        set.leader() == detached.leader()
            && set.leader() != ReplicaSetImage.NO_LEADER
            && set.isr().containsAll(set.replicas())
            && detached.isr().containsAll(detached.replicas());
    return agree
        ? Optional.of(
            next(
                set,
                set.leader(),
                set.leaderEpoch() > detached.leaderEpoch()
                    ? set.leaderEpoch()
                    : detached.leaderEpoch() + 1,
                set.isr(),
                set.elr()))
        : Optional.empty();
  }

  /**
   * The set once a node cannot use its logs of it any more, though it runs: as if it had left, and
   * it is nobody's choice until {@link #withUsable}.
   *
   * @param minIsr smallest {@code min.insync.replicas} of the topics in the set
   * @param canLead which nodes are live
   */
  static ReplicaSetImage withOffline(
      ReplicaSetImage set, int node, int minIsr, IntPredicate canLead) {
    ReplicaSetImage marked = withOffline(set, with(set.offline(), node));
    return samePartitionEpoch(
        withoutNode(marked, node, minIsr, each -> each != node && canLead.test(each)),
        marked.partitionEpoch());
  }

  /** The set once a node has begun anew, and looks at its logs again. */
  static ReplicaSetImage withUsable(ReplicaSetImage set, int node) {
    return set.offline().contains(node) ? withOffline(set, without(set.offline(), node)) : set;
  }

  private static ReplicaSetImage withOffline(ReplicaSetImage set, List<Integer> offline) {
    return changed(set, set.partitionEpoch() + 1, offline);
  }

  /**
   * The set once its smallest minimum may have fallen: where the ISR reaches it, records may be
   * committed without the ELR, so nobody in it is eligible any more.
   */
  static ReplicaSetImage withMinIsr(ReplicaSetImage set, int minIsr) {
    return set.elr().isEmpty() || set.isr().size() < minIsr(set, minIsr)
        ? set
        : next(set, set.leader(), set.leaderEpoch(), set.isr(), List.of());
  }

  /**
   * The set after a replica that is out of the ISR may have lost records: it is not eligible any
   * more (KIP-966). The last that could be elected remains known: nobody has more than it has.
   *
   * @param remainsKnown false if it begins with nothing
   */
  static ReplicaSetImage withoutRecords(ReplicaSetImage set, int node, boolean remainsKnown) {
    if (!set.elr().contains(node) && !set.lastKnownElr().contains(node)) {
      return set;
    }
    List<Integer> elr = without(set.elr(), node);
    boolean isLast = set.isr().isEmpty() && elr.isEmpty();
    List<Integer> lastKnown =
        isLast && remainsKnown ? List.of(node) : without(set.lastKnownElr(), node);
    return new ReplicaSetImage(
        set.id(),
        set.replicas(),
        set.addingReplicas(),
        set.removingReplicas(),
        set.leader(),
        set.leaderEpoch(),
        set.isr(),
        elr,
        lastKnown,
        set.partitionEpoch() + 1,
        set.detached(),
        set.offline());
  }

  /**
   * The set with other replicas in sync, as its leader found them. Those that left remain eligible
   * while too few are in sync to commit anything (KIP-966).
   *
   * @param isr among the replicas, the leader in it
   */
  static ReplicaSetImage withIsr(ReplicaSetImage set, List<Integer> isr, int minIsr) {
    List<Integer> elr = List.of();
    if (isr.size() < minIsr(set, minIsr)) {
      elr =
          set.replicas().stream()
              .filter(node -> !isr.contains(node))
              .filter(node -> set.isr().contains(node) || set.elr().contains(node))
              .toList();
    }
    return next(set, set.leader(), set.leaderEpoch(), isr, elr);
  }

  /**
   * The set once more partitions are in it: where a replica is out of the ISR, in a partition epoch
   * in which nothing that was proposed for fewer of them is accepted.
   */
  static ReplicaSetImage withMorePartitions(ReplicaSetImage set) {
    return set.isr().containsAll(set.replicas())
        ? set
        : next(set, set.leader(), set.leaderEpoch(), set.isr(), set.elr());
  }

  /** A minimum above the number of replicas means all of them; an empty ISR commits nothing. */
  private static int minIsr(ReplicaSetImage set, int minIsr) {
    return Math.clamp(minIsr, 1, set.replicas().size());
  }

  private static ReplicaSetImage next(
      ReplicaSetImage set, int leader, int leaderEpoch, List<Integer> isr, List<Integer> elr) {
    return new ReplicaSetImage(
        set.id(),
        set.replicas(),
        set.addingReplicas(),
        set.removingReplicas(),
        leader,
        leaderEpoch,
        isr,
        elr,
        isr.isEmpty() && elr.isEmpty() ? set.lastKnownElr() : List.of(),
        set.partitionEpoch() + 1,
        set.detached(),
        set.offline());
  }

  /** The set as it is, in a partition epoch in which nothing that was proposed is accepted. */
  static ReplicaSetImage withNothingProposed(ReplicaSetImage set) {
    return changed(set, set.partitionEpoch() + 1, set.offline());
  }

  /** Two steps of one decision are one change. */
  private static ReplicaSetImage samePartitionEpoch(ReplicaSetImage set, int partitionEpoch) {
    return changed(set, partitionEpoch, set.offline());
  }

  private static ReplicaSetImage changed(
      ReplicaSetImage set, int partitionEpoch, List<Integer> offline) {
    return new ReplicaSetImage(
        set.id(),
        set.replicas(),
        set.addingReplicas(),
        set.removingReplicas(),
        set.leader(),
        set.leaderEpoch(),
        set.isr(),
        set.elr(),
        set.lastKnownElr(),
        partitionEpoch,
        set.detached(),
        offline);
  }

  private static List<Integer> among(List<Integer> nodes, List<Integer> allowed) {
    return nodes.stream().filter(allowed::contains).toList();
  }

  private static List<Integer> without(List<Integer> nodes, int node) {
    return nodes.stream().filter(each -> each != node).toList();
  }

  private static List<Integer> with(List<Integer> nodes, int node) {
    if (nodes.contains(node)) {
      return nodes;
    }
    List<Integer> more = new ArrayList<>(nodes);
    more.add(node);
    return more;
  }
}
