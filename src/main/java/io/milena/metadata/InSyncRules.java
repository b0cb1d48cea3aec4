package io.milena.metadata;

import io.milena.metadata.MetadataCommand.ChangeInSyncReplicas;
import io.milena.metadata.MetadataCommand.InSyncReplica;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.protocol.Errors;

/**
 * Which proposals of a set's leader become its ISR (KIP-497, KIP-841, KIP-966). That fencing takes
 * nodes out is {@link NodeRules}' business.
 */
final class InSyncRules {

  private InSyncRules() {}

  static Decision<MetadataReply.Done> change(
      MetadataImage image, ChangeInSyncReplicas command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage leader = NodeRules.registered(image, command.nodeId(), command.nodeEpoch());
      ReplicaSetImage set = LeadershipRules.existing(image, command.setId());
      checkIsOfThisMoment(set, leader, command);
      List<Integer> isr = command.isr().stream().map(InSyncReplica::nodeId).toList();
      checkIsr(set, isr);
      for (InSyncReplica replica : command.isr()) {
        checkIsEligible(image, set, replica);
      }
      if (!Set.copyOf(isr).equals(Set.copyOf(set.isr()))) {
        draft.add(
            new MetadataRecord.ReplicaSetChanged(
                Leadership.withIsr(set, isr, minIsr(image, set, isr, context))));
      }
      return draft.decided(new MetadataReply.Done(Errors.NONE, ""));
    } catch (Refusal refusal) {
      return draft.decided(new MetadataReply.Done(refusal.error(), refusal.reason()));
    }
  }

  /** The minimum takes a look at every topic: only where it can matter. */
  private static int minIsr(
      MetadataImage image, ReplicaSetImage set, List<Integer> isr, DecisionContext context) {
    return isr.size() == set.replicas().size()
        ? 1
        : ReplicaSets.minIsrBySet(image, context.nodeConfig()).getOrDefault(set.id(), 1);
  }

  private static void checkIsOfThisMoment(
      ReplicaSetImage set, NodeImage leader, ChangeInSyncReplicas command) {
    LeadershipRules.checkLeaderEpoch(set, command.leaderEpoch());
    if (set.leader() != leader.id()) {
      throw new Refusal(
          Errors.NOT_LEADER_OR_FOLLOWER,
          "Node " + leader.id() + " does not lead set " + set.id() + ", node " + set.leader());
    }
    if (command.partitionEpoch() != set.partitionEpoch()) {
      throw new Refusal(
          Errors.INVALID_UPDATE_VERSION,
          "Set "
              + set.id()
              + " is in partition epoch "
              + set.partitionEpoch()
              + ", the command has "
              + command.partitionEpoch());
    }
  }

  private static void checkIsr(ReplicaSetImage set, List<Integer> isr) {
    if (!isr.contains(set.leader())
        || !set.replicas().containsAll(isr)
        || new HashSet<>(isr).size() != isr.size()) {
      throw new Refusal(
          Errors.INVALID_REQUEST,
          "In sync in set "
              + set.id()
              + " cannot be "
              + isr
              + ": its replicas are "
              + set.replicas()
              + " and its leader is "
              + set.leader());
    }
  }

  private static void checkIsEligible(
      MetadataImage image, ReplicaSetImage set, InSyncReplica replica) {
    NodeImage node = image.nodes().get(replica.nodeId());
    if (node == null || node.nodeEpoch() != replica.nodeEpoch()) {
      throw new Refusal(
          Errors.INELIGIBLE_REPLICA,
          "Node "
              + replica.nodeId()
              + " is not registered with epoch "
              + replica.nodeEpoch()
              + " any more");
    }
    if (set.offline().contains(node.id())) {
      throw new Refusal(
          Errors.INELIGIBLE_REPLICA,
          "Node "
              + node.id()
              + " cannot use its logs of set "
              + set.id()
              + ": it cannot be in sync there");
    }
    if (!set.isr().contains(node.id()) && !ReplicaSets.canLead(image, node.id())) {
      throw new Refusal(
          Errors.INELIGIBLE_REPLICA,
          "Node "
              + node.id()
              + (node.fenced() ? " is fenced" : " is shutting down")
              + ": it cannot be in sync in set "
              + set.id());
    }
  }
}
