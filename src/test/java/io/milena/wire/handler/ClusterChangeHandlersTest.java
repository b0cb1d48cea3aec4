package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKeyCollection;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** UnregisterBroker and UpdateFeatures. */
class ClusterChangeHandlersTest {

  private static final String ELR = "eligible.leader.replicas.version";

  private final DirectMetadata metadata = DirectMetadata.withNodes(2);
  private final TestConnection connection = TestConnection.onInsideListener();
  private final UnregisterBrokerHandler unregister = new UnregisterBrokerHandler(metadata);
  private final UpdateFeaturesHandler update = new UpdateFeaturesHandler(metadata);

  private static UpdateFeaturesRequestData request(String feature, int level, int upgradeType) {
    FeatureUpdateKeyCollection updates = new FeatureUpdateKeyCollection();
    updates.add(
        new FeatureUpdateKey()
            .setFeature(feature)
            .setMaxVersionLevel((short) level)
            .setUpgradeType((byte) upgradeType));
    return new UpdateFeaturesRequestData().setFeatureUpdates(updates);
  }

  private String features() {
    return UpdateFeaturesHandler.featuresOf(metadata.image()).features().stream()
        .map(feature ->
            feature.name()
                + " "
                + feature.minVersion()
                + "-"
                + feature.maxVersion()
                + " "
                + feature.finalizedLevel())
        .collect(Collectors.joining(", "));
  }

  @Test
  void unregisteringAStoppedNodeForgetsIt() {
    UnregisterBrokerResponseData running =
        connection.ask(unregister, 0, new UnregisterBrokerRequestData().setBrokerId(2));
    assertThat(running.errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(running.errorMessage()).contains("running");
    metadata.fenceNode(2);
    UnregisterBrokerResponseData done =
        connection.ask(unregister, 0, new UnregisterBrokerRequestData().setBrokerId(2));
    assertThat(done.errorCode()).isZero();
    assertThat(done.errorMessage()).isNull();
    assertThat(metadata.image().nodes()).containsOnlyKeys(1);
    UnregisterBrokerResponseData unknown =
        connection.ask(unregister, 0, new UnregisterBrokerRequestData().setBrokerId(2));
    assertThat(unknown.errorCode()).isEqualTo(Errors.BROKER_ID_NOT_REGISTERED.code());
  }

  @Test
  void withoutAMetadataLeaderNothingIsDecided() {
    UnregisterBrokerResponseData response =
        connection.ask(
            new UnregisterBrokerHandler(metadata.withoutLeader()),
            0,
            new UnregisterBrokerRequestData());
    assertThat(response.errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
  }

  @Test
  void onlyWhatWorksIsNamedAsAFeature() {
    assertThat(features()).isEqualTo("eligible.leader.replicas.version 0-1 1, kraft.version 1-1 1");
  }

  @Test
  void featureIsSwitchedOffAndOnAgain() {
    UpdateFeaturesResponseData off = connection.ask(update, 2, request(ELR, 0, 2));
    assertThat(off.errorCode()).isZero();
    assertThat(features()).contains("eligible.leader.replicas.version 0-1 0");
    UpdateFeaturesResponseData on = connection.ask(update, 1, request(ELR, 1, 1));
    assertThat(on.results().find(ELR).errorCode()).isZero();
    assertThat(features()).contains("eligible.leader.replicas.version 0-1 1");
  }

  @Test
  void refusalIsOneOfTheWholeRequest() {
    UpdateFeaturesResponseData refused = connection.ask(update, 2, request("group.version", 1, 1));
    assertThat(refused.errorCode()).isEqualTo(Errors.INVALID_UPDATE_VERSION.code());
    assertThat(refused.errorMessage()).contains("group.version");
    UpdateFeaturesResponseData before = connection.ask(update, 1, request("group.version", 1, 1));
    assertThat(before.results().find("group.version").errorCode())
        .isEqualTo(Errors.INVALID_UPDATE_VERSION.code());
    UpdateFeaturesResponseData unknownType = connection.ask(update, 2, request(ELR, 0, 9));
    assertThat(unknownType.errorCode()).isEqualTo(Errors.INVALID_UPDATE_VERSION.code());
    assertThat(unknownType.errorMessage()).contains("9");
  }
}
