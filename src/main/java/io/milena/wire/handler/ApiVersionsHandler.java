package io.milena.wire.handler;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKeyCollection;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKeyCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiVersionsRequest;

/**
 * ApiVersions (KIP-35, KIP-511, KIP-584, KIP-1242): which APIs, versions and features this node
 * serves, and whether it is the node that the client means.
 */
public final class ApiVersionsHandler implements ApiHandler {
  private final List<ApiVersion> served;
  private final Supplier<Features> features;
  private final String clusterId;
  private final int nodeId;

  /**
   * @param others the handlers of all other APIs: what is advertised
   * @param features asked for each answer; only what works
   * @param clusterId of this cluster
   * @param nodeId of this node
   */
  public ApiVersionsHandler(
      Collection<? extends ApiHandler> others,
      Supplier<Features> features,
      String clusterId,
      int nodeId) {
    this.served =
        Stream.concat(others.stream(), Stream.of(this))
            .map(ApiVersionsHandler::advertised)
            .sorted(Comparator.comparingInt(ApiVersion::apiKey))
            .toList();
    this.features = features;
    this.clusterId = clusterId;
    this.nodeId = nodeId;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.API_VERSIONS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 5;
  }

  @Override
  public CompletionStage<ApiMessage> handle(RequestContext context, ApiMessage request) {
    ApiVersionsRequestData data = (ApiVersionsRequestData) request;
    if (!new ApiVersionsRequest(data, context.apiVersion()).isValid()) {
      return CompletableFuture.completedFuture(failure(Errors.INVALID_REQUEST));
    }
    if (data.clusterId() != null && !isThisNode(data)) {
      return CompletableFuture.completedFuture(failure(Errors.REBOOTSTRAP_REQUIRED));
    }
    return CompletableFuture.completedFuture(answer(features.get(), context.apiVersion()));
  }

  /** As in Kafka, this names the versions of ApiVersions alone (KIP-511). */
  @Override
  public ApiMessage answerToUnsupportedVersion() {
    return failure(Errors.UNSUPPORTED_VERSION).setApiKeys(keys(List.of(advertised(this))));
  }

  private boolean isThisNode(ApiVersionsRequestData data) {
    return data.clusterId().equals(clusterId) && data.nodeId() == nodeId;
  }

  private ApiVersionsResponseData answer(Features current, short version) {
    ApiVersionsResponseData answer = new ApiVersionsResponseData().setApiKeys(keys(served));
    SupportedFeatureKeyCollection supported = new SupportedFeatureKeyCollection();
    FinalizedFeatureKeyCollection finalized = new FinalizedFeatureKeyCollection();
    for (Feature feature : current.features()) {
      // Clients before version 4 refuse an answer with a range from 0 (KAFKA-17011).
      if (feature.minVersion() > 0 || version >= 4) {
        supported.add(
            new SupportedFeatureKey()
                .setName(feature.name())
                .setMinVersion(feature.minVersion())
                .setMaxVersion(feature.maxVersion()));
      }
      if (feature.finalizedLevel() > 0) {
        finalized.add(
            new FinalizedFeatureKey()
                .setName(feature.name())
                .setMinVersionLevel(feature.finalizedLevel())
                .setMaxVersionLevel(feature.finalizedLevel()));
      }
    }
    return answer
        .setSupportedFeatures(supported)
        .setFinalizedFeatures(finalized)
        .setFinalizedFeaturesEpoch(current.epoch());
  }

  private static ApiVersionsResponseData failure(Errors error) {
    return new ApiVersionsResponseData().setErrorCode(error.code());
  }

  /** A collection links its elements, so each answer needs its own. */
  private static ApiVersionCollection keys(List<ApiVersion> versions) {
    ApiVersionCollection keys = new ApiVersionCollection(versions.size());
    versions.forEach(version -> keys.add(version.duplicate()));
    return keys;
  }

  /** Produce is advertised from 0 for librdkafka, which looks for old versions (KAFKA-18659). */
  private static ApiVersion advertised(ApiHandler handler) {
    short min =
        handler.api() == ApiKeys.PRODUCE
            ? ApiKeys.PRODUCE_API_VERSIONS_RESPONSE_MIN_VERSION
            : handler.minVersion();
    return new ApiVersion()
        .setApiKey(handler.api().id)
        .setMinVersion(min)
        .setMaxVersion(handler.maxVersion());
  }

  /**
   * The features of the cluster (KIP-584).
   *
   * @param epoch grows with each change; -1 when not known
   * @param features by name
   */
  public record Features(long epoch, List<Feature> features) {
    public static final Features NONE = new Features(-1, List.of());
  }

  /**
   * A feature.
   *
   * @param name such as {@code group.version}
   * @param minVersion lowest level this node can work at
   * @param maxVersion highest level this node can work at, inclusive
   * @param finalizedLevel level the cluster works at; 0 when the feature is off
   */
  public record Feature(String name, short minVersion, short maxVersion, short finalizedLevel) {}
}
