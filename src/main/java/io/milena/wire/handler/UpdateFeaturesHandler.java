package io.milena.wire.handler;

import io.milena.metadata.ClusterFeatures;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.FeatureUpdate;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply.ItemResult;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData.UpdatableFeatureResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * UpdateFeatures: changes the levels at which the cluster works, all that are asked for or none
 * (KIP-584, KIP-778).
 */
public final class UpdateFeaturesHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_UPGRADE_TYPE = 1;

  private final MetadataService metadata;

  public UpdateFeaturesHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  /** The features that an image speaks of, as ApiVersions tells them. */
  public static ApiVersionsHandler.Features featuresOf(MetadataImage image) {
    return new ApiVersionsHandler.Features(
        image.appliedIndex(),
        ClusterFeatures.supported().stream()
            .map(feature ->
                new ApiVersionsHandler.Feature(
                    feature.name(),
                    feature.minLevel(),
                    feature.maxLevel(),
                    ClusterFeatures.level(image, feature)))
            .toList());
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.UPDATE_FEATURES;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 2;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    UpdateFeaturesRequestData request = (UpdateFeaturesRequestData) message;
    List<FeatureUpdate> updates = new ArrayList<>();
    for (FeatureUpdateKey update : request.featureUpdates()) {
      Optional<Boolean> mayDowngrade = mayDowngrade(context.apiVersion(), update);
      if (mayDowngrade.isEmpty()) {
        return CompletableFuture.completedStage(
            refusal(
                Errors.INVALID_UPDATE_VERSION,
                "Upgrade type "
                    + update.upgradeType()
                    + " of feature "
                    + update.feature()
                    + " is not known: 1 upgrades, 2 and 3 downgrade."));
      }
      updates.add(
          new FeatureUpdate(update.feature(), update.maxVersionLevel(), mayDowngrade.get()));
    }
    CompletionStage<UpdateFeaturesResponseData> decided =
        metadata
            .submit(new MetadataCommand.UpdateFeatures(updates, request.validateOnly()))
            .handle((reply, failure) ->
                failure == null
                    ? response(context, reply.results())
                    : refusal(Stages.errorOf(failure), Stages.reasonOf(failure)));
    return Stages.within(
        context,
        Math.max(0, request.timeoutMs()),
        decided,
        () -> refusal(Errors.REQUEST_TIMED_OUT, Stages.TIMED_OUT));
  }

  /** Empty for a type that does not exist. */
  private static Optional<Boolean> mayDowngrade(short version, FeatureUpdateKey update) {
    if (version < FIRST_VERSION_WITH_UPGRADE_TYPE) {
      return Optional.of(update.allowDowngrade());
    }
    return switch (UpgradeType.fromCode(update.upgradeType())) {
      case UPGRADE -> Optional.of(false);
      case SAFE_DOWNGRADE, UNSAFE_DOWNGRADE -> Optional.of(true);
      case UNKNOWN -> Optional.empty();
    };
  }

  private static UpdateFeaturesResponseData refusal(Errors error, String reason) {
    return new UpdateFeaturesResponseData().setErrorCode(error.code()).setErrorMessage(reason);
  }

  private static UpdateFeaturesResponseData response(
      RequestContext context, List<ItemResult<String>> results) {
    UpdateFeaturesResponseData response = new UpdateFeaturesResponseData();
    for (ItemResult<String> result : results) {
      if (result.error() != Errors.NONE) {
        response
            .setErrorCode(result.error().code())
            .setErrorMessage(
                "Nothing was changed, as feature "
                    + result.key()
                    + " was refused: "
                    + result.message());
      }
      if (context.apiVersion() < 2) {
        response
            .results()
            .add(
                new UpdatableFeatureResult()
                    .setFeature(result.key())
                    .setErrorCode(result.error().code())
                    .setErrorMessage(Stages.messageOf(result.error(), result.message())));
      }
    }
    return response;
  }
}
