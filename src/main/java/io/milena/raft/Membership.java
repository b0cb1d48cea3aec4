package io.milena.raft;

import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who belongs to the group. Iteration is in order of node id.
 *
 * @param voters nodes whose majority elects and commits
 * @param learners nodes that get the log and count for nothing
 */
public record Membership(Set<Integer> voters, Set<Integer> learners) {
  /** Nobody: what a node starts with that is to be added to a running group. */
  public static final Membership EMPTY = new Membership(Set.of(), Set.of());

  public Membership {
    voters = java.util.Collections.unmodifiableSet(new TreeSet<>(voters));
    learners = java.util.Collections.unmodifiableSet(new TreeSet<>(learners));
    for (int voter : voters) {
      if (learners.contains(voter)) {
        throw new IllegalArgumentException("Node " + voter + " is both voter and learner");
      }
    }
  }

  /** A group of these voters and no learner. */
  public static Membership ofVoters(Integer... voters) {
    return new Membership(Set.of(voters), Set.of());
  }

  /** Everyone. */
  public Set<Integer> members() {
    var all = new TreeSet<>(voters);
    all.addAll(learners);
    return all;
  }

  /** Whether the node is a voter or a learner. */
  public boolean contains(int nodeId) {
    return voters.contains(nodeId) || learners.contains(nodeId);
  }

  /** Whether these nodes include more than half of the voters. */
  public boolean isQuorum(Collection<Integer> nodes) {
    return voters.stream().filter(nodes::contains).count() * 2 > voters.size();
  }

  /** Whether this node alone can elect and commit. */
  public boolean isSoleVoter(int nodeId) {
    return voters.size() == 1 && voters.contains(nodeId);
  }

  /** The membership after a change; the same where the change says what is already so. */
  public Membership with(MembershipChange change) {
    var newVoters = new TreeSet<>(voters);
    var newLearners = new TreeSet<>(learners);
    newLearners.remove(change.nodeId());
    newVoters.remove(change.nodeId());
    switch (change) {
      case MembershipChange.AddLearner(int nodeId) -> newLearners.add(nodeId);
      case MembershipChange.AddVoter(int nodeId) -> newVoters.add(nodeId);
      case MembershipChange.Remove _ -> {}
    }
    return new Membership(newVoters, newLearners);
  }
}
