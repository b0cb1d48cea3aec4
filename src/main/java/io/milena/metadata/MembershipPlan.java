package io.milena.metadata;

import io.milena.raft.Membership;
import io.milena.raft.MembershipChange;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Who belongs to the metadata group, given who is registered: every registered node follows the
 * log, and of these a few vote. One change at a time, as Raft wants it.
 *
 * <p>The group is led from one voter to an odd number of them only: two voters bear no failure, and
 * one of them failing is likelier than one alone.
 */
public final class MembershipPlan {

  private MembershipPlan() {}

  /**
   * The next change, if one is due: a registered node becomes a learner; a member that is not
   * registered any more goes; learners that are live and have caught up become voters.
   *
   * @param self the leader, which never removes itself
   * @param caughtUp members that have the leader's log but for its very end
   * @param votersTarget how many shall vote, where there are so many nodes
   */
  public static Optional<MembershipChange> next(
      MetadataImage image, Membership now, int self, Set<Integer> caughtUp, int votersTarget) {
    for (int nodeId : sorted(image.nodes().keySet())) {
      if (!now.contains(nodeId)) {
        return Optional.of(new MembershipChange.AddLearner(nodeId));
      }
    }
    for (int member : now.members()) {
      if (member != self && !image.nodes().containsKey(member)) {
        return Optional.of(new MembershipChange.Remove(member));
      }
    }
    return promotion(image, now, caughtUp, votersTarget);
  }

  private static Optional<MembershipChange> promotion(
      MetadataImage image, Membership now, Set<Integer> caughtUp, int votersTarget) {
    int missing = votersTarget - now.voters().size();
    if (missing <= 0) {
      return Optional.empty();
    }
    List<Integer> candidates =
        sorted(now.learners()).stream()
            .filter(caughtUp::contains)
            .filter(node -> ReplicaSets.canLead(image, node))
            .toList();
    boolean isOdd = now.voters().size() % 2 == 1;
    int needed = isOdd ? Math.min(2, missing) : 1;
    return candidates.size() < needed
        ? Optional.empty()
        : Optional.of(new MembershipChange.AddVoter(candidates.getFirst()));
  }

  private static List<Integer> sorted(Set<Integer> nodes) {
    return nodes.stream().sorted().toList();
  }
}
