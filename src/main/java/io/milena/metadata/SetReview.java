package io.milena.metadata;

/**
 * What follows from a decision for the replica sets, whichever rule made it: as soon as the facts
 * allow it, partitions without a leader get one where their topic accepts the loss, reassignments
 * end, and detached partitions are brought back. All of it is part of the same decision.
 */
final class SetReview {

  private SetReview() {}

  static <R extends MetadataReply> Decision<R> of(Decision<R> decision, DecisionContext context) {
    if (decision.records().isEmpty() || !isNeeded(decision.image())) {
      return decision;
    }
    Draft draft = new Draft(decision);
    ElectionRules.electWhereLossIsAccepted(draft, context.nodeConfig());
    DetachedSets.review(draft, context.nodeConfig());
    return draft.decided(decision.reply());
  }

  private static boolean isNeeded(MetadataImage image) {
    for (ReplicaSetImage set : image.replicaSets().values()) {
      if (set.detached() || set.leader() == ReplicaSetImage.NO_LEADER) {
        return true;
      }
    }
    return false;
  }
}
