package io.milena.metadata;

import io.milena.metadata.ClusterFeatures.Feature;
import io.milena.metadata.MetadataCommand.FeatureUpdate;
import io.milena.metadata.MetadataCommand.UpdateFeatures;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataReply.ItemResults;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.Errors;

/** The rules of the cluster's features (KIP-584), with Kafka's error codes. */
final class FeatureRules {

  private FeatureRules() {}

  static Decision<ItemResults<String>> update(
      MetadataImage image, UpdateFeatures command, DecisionContext context) {
    Draft draft = new Draft(image);
    List<ItemResult<String>> results = new ArrayList<>();
    boolean refused = false;
    for (FeatureUpdate update : command.updates()) {
      try {
        if (isChange(image, update)) {
          draft.add(new MetadataRecord.FeatureChanged(update.name(), update.level()));
        }
        results.add(new ItemResult<>(update.name(), Errors.NONE, ""));
      } catch (Refusal refusal) {
        refused = true;
        results.add(new ItemResult<>(update.name(), refusal.error(), refusal.reason()));
      }
    }
    ReplicaSets.reviewEligibility(draft, context.nodeConfig());
    Draft outcome = refused || command.validateOnly() ? new Draft(image) : draft;
    return outcome.decided(new ItemResults<>(results));
  }

  private static boolean isChange(MetadataImage image, FeatureUpdate update) {
    Feature feature = ClusterFeatures.find(update.name());
    String wanted = "Invalid update version " + update.level() + " for feature " + update.name();
    if (feature == null) {
      throw new Refusal(
          Errors.INVALID_UPDATE_VERSION, wanted + ". This cluster does not support this feature.");
    }
    if (update.level() < feature.minLevel() || update.level() > feature.maxLevel()) {
      throw new Refusal(
          Errors.INVALID_UPDATE_VERSION,
          wanted
              + ". This cluster only supports versions "
              + feature.minLevel()
              + "-"
              + feature.maxLevel());
    }
    short present = ClusterFeatures.level(image, feature);
    if (update.level() < present && !update.mayDowngrade()) {
      throw new Refusal(
          Errors.INVALID_UPDATE_VERSION,
          wanted
              + ". Can't downgrade the version of this feature without setting the upgrade type to"
              + " either safe or unsafe downgrade.");
    }
    if (update.level() > present && update.mayDowngrade()) {
      throw new Refusal(
          Errors.INVALID_UPDATE_VERSION, wanted + ". Can't downgrade to a newer version.");
    }
    return update.level() != present;
  }
}
