package io.milena.metadata;

import io.milena.raft.Membership;
import io.milena.raft.MembershipChange;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.protocol.Errors;

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

  /** What is to be done about a {@link MetadataCommand.ChangeVoter}. */
  public sealed interface Requested {
    /** The group shall change so. */
    record Due(MembershipChange change) implements Requested {}

    /** It shall not. */
    record Refused(MetadataReply.Done reply) implements Requested {}
  }

  /**
   * The change that somebody asks for. A node that does not vote any more goes on following. One
   * that would be made a voter again by {@link #next} is refused, as the asker would be misled.
   */
  public static Requested requested(
      MetadataImage image, Membership now, MetadataCommand.ChangeVoter command, int votersTarget) {
    int node = command.nodeId();
    boolean isVoter = now.voters().contains(node);
    if (command.votes()) {
      return isVoter
          ? refused(Errors.DUPLICATE_VOTER, "Node " + node + " is a voter already")
          : new Requested.Due(new MembershipChange.AddVoter(node));
    }
    if (!isVoter) {
      return refused(Errors.VOTER_NOT_FOUND, "Node " + node + " is not a voter");
    }
    if (now.voters().size() == 1) {
      return refused(
          Errors.INVALID_REQUEST, "Node " + node + " is the only voter: add another one first");
    }
    MembershipChange change = new MembershipChange.AddLearner(node);
    Optional<MembershipChange> next =
        promotion(image, now.with(change), now.members(), votersTarget);
    if (next.isPresent() && next.get().nodeId() == node) {
      return refused(
          Errors.INVALID_REQUEST,
          "Node "
              + node
              + " would be made a voter again at once, as the group is to have "
              + votersTarget
              + " (milena.metadata.voters): add another voter first, or stop the node");
    }
    return new Requested.Due(change);
  }

  private static Requested refused(Errors error, String reason) {
    return new Requested.Refused(new MetadataReply.Done(error, reason));
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
