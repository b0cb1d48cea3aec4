package io.milena.metadata;

import io.milena.metadata.MetadataCommand.ClaimLeadership;
import io.milena.metadata.MetadataCommand.ResignLeadership;
import io.milena.metadata.MetadataReply.LeadershipDecided;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import org.apache.kafka.common.protocol.Errors;

/**
 * The rules of planned leadership: a replica set's entity claims it where it starts and resigns
 * where it ends. Emergencies are {@link NodeRules}' business.
 */
final class LeadershipRules {

  private LeadershipRules() {}

  /**
   * Grants the set to a live in-sync (or eligible) replica; changes nothing if it leads already.
   */
  static Decision<LeadershipDecided> claim(
      MetadataImage image, ClaimLeadership command, DecisionContext context) {
    Draft draft = new Draft(image);
    try {
      NodeImage node = NodeRules.registered(image, command.nodeId(), command.nodeEpoch());
      ReplicaSetImage set = existing(image, command.setId());
      checkCanLead(image, node);
      if (set.leader() == node.id()) {
        return draft.decided(granted(set));
      }
      checkLeaderEpoch(set, command.leaderEpoch());
      checkHasCommittedRecords(image, set, node.id());
      // Only a grant to an eligible replica asks for the minimum, which takes a look at every
      // topic.
      int minIsr =
          set.isr().contains(node.id())
              ? 1
              : ReplicaSets.minIsrBySet(image, context.nodeConfig()).getOrDefault(set.id(), 1);
      ReplicaSetImage claimed = Leadership.grant(set, node.id(), minIsr);
      draft.add(new MetadataRecord.ReplicaSetChanged(claimed));
      return draft.decided(granted(claimed));
    } catch (Refusal refusal) {
      return refused(image, command.setId(), refusal);
    }
  }

  /**
   * Grants the set to the in-sync replica that {@link LeaderPlacement} names in the leader's place;
   * refused where there is none, and the leader stays.
   */
  static Decision<LeadershipDecided> resign(MetadataImage image, ResignLeadership command) {
    Draft draft = new Draft(image);
    try {
      NodeImage node = NodeRules.registered(image, command.nodeId(), command.nodeEpoch());
      ReplicaSetImage set = existing(image, command.setId());
      if (set.leader() != node.id()) {
        return draft.decided(granted(set));
      }
      checkLeaderEpoch(set, command.leaderEpoch());
      OptionalInt successor = LeaderPlacement.successor(set, node.id(), canLead(image));
      if (successor.isEmpty()) {
        throw new Refusal(
            Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE,
            "No other in-sync replica of set "
                + set.id()
                + " can lead: node "
                + node.id()
                + " remains its leader (in sync: "
                + set.isr()
                + ")");
      }
      ReplicaSetImage handedOver = Leadership.grant(set, successor.getAsInt(), 1);
      draft.add(new MetadataRecord.ReplicaSetChanged(handedOver));
      return draft.decided(granted(handedOver));
    } catch (Refusal refusal) {
      return refused(image, command.setId(), refusal);
    }
  }

  /**
   * The set that a command is about.
   *
   * @throws Refusal if there is none
   */
  static ReplicaSetImage existing(MetadataImage image, int setId) {
    ReplicaSetImage set = image.replicaSets().get(setId);
    if (set == null) {
      throw new Refusal(Errors.RESOURCE_NOT_FOUND, "There is no replica set " + setId);
    }
    return set;
  }

  private static void checkCanLead(MetadataImage image, NodeImage node) {
    if (!ReplicaSets.canLead(image, node.id())) {
      throw new Refusal(
          Errors.BROKER_NOT_AVAILABLE,
          "Node "
              + node.id()
              + (node.fenced() ? " is fenced" : " is shutting down")
              + ": it can lead nothing");
    }
  }

  /** Who decided to ask before the last grant must look again: its request is out of date. */
  static void checkLeaderEpoch(ReplicaSetImage set, int leaderEpoch) {
    if (leaderEpoch < set.leaderEpoch()) {
      throw new Refusal(
          Errors.FENCED_LEADER_EPOCH,
          "Set "
              + set.id()
              + " is in leader epoch "
              + set.leaderEpoch()
              + ", the command has "
              + leaderEpoch);
    }
    if (leaderEpoch > set.leaderEpoch()) {
      throw new Refusal(
          Errors.UNKNOWN_LEADER_EPOCH,
          "Set "
              + set.id()
              + " is in leader epoch "
              + set.leaderEpoch()
              + ", the command already has "
              + leaderEpoch);
    }
  }

  private static void checkHasCommittedRecords(
      MetadataImage image, ReplicaSetImage set, int nodeId) {
    boolean inSync = set.isr().contains(nodeId);
    List<Integer> eligibleOnes =
        set.isr().isEmpty() && set.elr().isEmpty() ? set.lastKnownElr() : set.elr();
    boolean eligible =
        set.replicas().contains(nodeId)
            && !set.offline().contains(nodeId)
            && eligibleOnes.contains(nodeId)
            && set.isr().stream().noneMatch(canLead(image)::test);
    if (!inSync && !eligible) {
      throw new Refusal(
          Errors.INELIGIBLE_REPLICA,
          "Node "
              + nodeId
              + " may not lead set "
              + set.id()
              + ": in sync are "
              + set.isr()
              + ", eligible if none of those is live "
              + set.elr());
    }
  }

  private static IntPredicate canLead(MetadataImage image) {
    return node -> ReplicaSets.canLead(image, node);
  }

  private static LeadershipDecided granted(ReplicaSetImage set) {
    return new LeadershipDecided(Errors.NONE, "", set.leader(), set.leaderEpoch());
  }

  private static Decision<LeadershipDecided> refused(
      MetadataImage image, int setId, Refusal refusal) {
    ReplicaSetImage set = image.replicaSets().get(setId);
    return new Draft(image)
        .decided(
            new LeadershipDecided(
                refusal.error(),
                refusal.reason(),
                set == null ? ReplicaSetImage.NO_LEADER : set.leader(),
                set == null ? -1 : set.leaderEpoch()));
  }
}
