package io.milena.metadata;

/**
 * Decides commands: a pure function of the image, the command and the context. Only replayed
 * records change an image, see {@link MetadataReplay}.
 */
public final class MetadataCore {

  private MetadataCore() {}

  /**
   * What the metadata leader does about a command.
   *
   * @param image with every record the leader has appended, committed or not, so that decisions are
   *     serial
   */
  public static Decision<? extends MetadataReply> decide(
      MetadataImage image, MetadataCommand<?> command, DecisionContext context) {
    return SetReview.of(decideAlone(image, command, context), context);
  }

  private static Decision<? extends MetadataReply> decideAlone(
      MetadataImage image, MetadataCommand<?> command, DecisionContext context) {
    return switch (command) {
      case MetadataCommand.RegisterNode register -> NodeRules.register(image, register, context);
      case MetadataCommand.UnfenceNode unfence -> NodeRules.unfence(image, unfence, context);
      case MetadataCommand.BeginShutdown begin -> NodeRules.beginShutdown(image, begin, context);
      case MetadataCommand.FenceNode fence -> NodeRules.fence(image, fence, context);
      case MetadataCommand.UnregisterNode unregister -> NodeRules.unregister(image, unregister);
      case MetadataCommand.ChangeVoter change -> NodeRules.checkVoter(image, change);
      case MetadataCommand.UpdateFeatures update -> FeatureRules.update(image, update, context);
      case MetadataCommand.ClaimLeadership claim -> LeadershipRules.claim(image, claim, context);
      case MetadataCommand.ResignLeadership resign -> LeadershipRules.resign(image, resign);
      case MetadataCommand.ChangeInSyncReplicas change ->
          InSyncRules.change(image, change, context);
      case MetadataCommand.LeaveInSync leave -> NodeRules.leaveInSync(image, leave, context);
      case MetadataCommand.ReportOffline report -> OfflineRules.report(image, report, context);
      case MetadataCommand.ElectLeaders elect -> ElectionRules.elect(image, elect);
      case MetadataCommand.AlterReassignments alter -> ReassignmentRules.alter(image, alter);
      case MetadataCommand.AllocateProducerIds allocate ->
          NodeRules.allocateProducerIds(image, allocate);
      case MetadataCommand.CreateTopics create -> TopicRules.create(image, create, context);
      case MetadataCommand.CreatePartitions more ->
          TopicRules.createPartitions(image, more, context);
      case MetadataCommand.DeleteTopics delete -> TopicRules.delete(image, delete, context);
      case MetadataCommand.AlterConfigs alter -> ConfigRules.alter(image, alter, context);
    };
  }
}
