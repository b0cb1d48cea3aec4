package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.ApiVersionsHandler;
import io.milena.wire.handler.ApiVersionsHandler.Feature;
import io.milena.wire.handler.ApiVersionsHandler.Features;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBrokerCollection;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBrokerCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ApiVersions over a real socket. */
class ApiVersionsTest {
  private static final String CLUSTER_ID = "milena-test";
  private static final int NODE_ID = 7;
  private static final Features FEATURES =
      new Features(
          3,
          List.of(
              new Feature("group.version", (short) 0, (short) 1, (short) 1),
              new Feature("other.version", (short) 1, (short) 2, (short) 0)));

  private final List<ApiHandler> handlers = new ArrayList<>();
  private KafkaServer server;
  private int port;

  @BeforeEach
  void start() throws Exception {
    handlers.add(
        new ScriptedHandler(
            ApiKeys.PRODUCE,
            (short) 3,
            (short) 13,
            (_, _) ->
                java.util.concurrent.CompletableFuture.completedFuture(new ProduceResponseData())));
    handlers.add(ScriptedHandler.answering(ApiKeys.DESCRIBE_CLUSTER, (_, _) -> describeCluster()));
    handlers.add(ScriptedHandler.answering(ApiKeys.METADATA, (_, _) -> metadata()));
    handlers.add(new ApiVersionsHandler(handlers, () -> FEATURES, CLUSTER_ID, NODE_ID));
    server =
        KafkaServer.bind(
            List.of(new ListenAddress("PLAINTEXT", "127.0.0.1", 0)),
            handlers,
            List.of(),
            WireConfig.defaults(),
            Clock.system());
    server.start();
    port = server.ports().get("PLAINTEXT");
  }

  @AfterEach
  void stop() {
    server.stop(1_000).join();
    assertThat(server.metrics().bufferBytesUsed()).isZero();
  }

  @Test
  void aStockAdminClientIsServed() throws Exception {
    Map<String, Object> config =
        Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + port);
    try (Admin admin = Admin.create(config)) {
      assertThat(admin.describeCluster().clusterId().get(20, TimeUnit.SECONDS))
          .isEqualTo(CLUSTER_ID);
    }
    assertThat(server.metrics().requests())
        .containsKeys(ApiKeys.API_VERSIONS, ApiKeys.DESCRIBE_CLUSTER);
    assertThat(server.metrics().malformed()).isZero();
  }

  @Test
  void onlyWhatIsServedIsAdvertisedAndNothingAboveTheStableVersions() throws Exception {
    ApiVersionsResponseData answer = ask(4, request());
    assertThat(answer.errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(answer.apiKeys()).hasSize(handlers.size());
    for (ApiHandler handler : handlers) {
      ApiVersion advertised = answer.apiKeys().find(handler.api().id);
      assertThat(advertised.maxVersion()).isEqualTo(handler.maxVersion());
      assertThat(advertised.maxVersion()).isLessThanOrEqualTo(handler.api().latestVersion(false));
      // KAFKA-18659: Produce is advertised from 0.
      assertThat(advertised.minVersion())
          .isEqualTo(handler.api() == ApiKeys.PRODUCE ? 0 : handler.minVersion());
    }
  }

  @Test
  void everyVersionIsAnswered() throws Exception {
    for (int version = 0; version <= 5; version++) {
      assertThat(ask(version, request()).apiKeys()).hasSize(handlers.size());
    }
  }

  @Test
  void featuresFromZeroAreLeftOutForClientsThatCannotReadThem() throws Exception {
    assertThat(ask(3, request()).supportedFeatures())
        .extracting(feature -> feature.name())
        .containsExactly("other.version");
    ApiVersionsResponseData answer = ask(4, request());
    assertThat(answer.supportedFeatures())
        .extracting(feature -> feature.name())
        .containsExactly("group.version", "other.version");
    assertThat(answer.finalizedFeatures())
        .extracting(feature -> feature.name())
        .containsExactly("group.version");
    assertThat(answer.finalizedFeaturesEpoch()).isEqualTo(3);
  }

  @Test
  void anUnknownVersionIsAnsweredInVersionZero() throws Exception {
    try (WireClient client = new WireClient(port)) {
      byte[] frame = WireClient.frame(ApiKeys.API_VERSIONS, 5, 1, request());
      frame[7] = 99;
      client.send(frame);
      ApiVersionsResponseData answer =
          client.receive(ApiKeys.API_VERSIONS, 0, 1, new ApiVersionsResponseData());
      assertThat(answer.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
      assertThat(answer.apiKeys())
          .containsExactly(
              new ApiVersion()
                  .setApiKey(ApiKeys.API_VERSIONS.id)
                  .setMinVersion((short) 0)
                  .setMaxVersion((short) 5));
      client.send(WireClient.frame(ApiKeys.API_VERSIONS, 0, 2, request()));
      assertThat(
              client.receive(ApiKeys.API_VERSIONS, 0, 2, new ApiVersionsResponseData()).errorCode())
          .isEqualTo(Errors.NONE.code());
    }
  }

  @Test
  void aClientWithoutAProperNameIsRefused() throws Exception {
    assertThat(ask(3, request().setClientSoftwareName("has space")).errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(ask(3, request().setClientSoftwareVersion("-1")).errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
  }

  @Test
  void aClientThatMeansAnotherNodeMustBootstrapAgain() throws Exception {
    assertThat(ask(5, request().setClusterId(CLUSTER_ID).setNodeId(NODE_ID)).errorCode())
        .isEqualTo(Errors.NONE.code());
    assertThat(ask(5, request().setClusterId("other").setNodeId(NODE_ID)).errorCode())
        .isEqualTo(Errors.REBOOTSTRAP_REQUIRED.code());
    assertThat(ask(5, request().setClusterId(CLUSTER_ID).setNodeId(8)).errorCode())
        .isEqualTo(Errors.REBOOTSTRAP_REQUIRED.code());
    assertThat(ask(5, request().setClusterId(CLUSTER_ID)).errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
  }

  private ApiVersionsResponseData ask(int version, ApiVersionsRequestData request)
      throws Exception {
    try (WireClient client = new WireClient(port)) {
      client.send(WireClient.frame(ApiKeys.API_VERSIONS, version, 11, request));
      return client.receive(ApiKeys.API_VERSIONS, version, 11, new ApiVersionsResponseData());
    }
  }

  private static ApiVersionsRequestData request() {
    return new ApiVersionsRequestData()
        .setClientSoftwareName("wire-client")
        .setClientSoftwareVersion("1.0");
  }

  private MetadataResponseData metadata() {
    MetadataResponseBrokerCollection brokers = new MetadataResponseBrokerCollection();
    brokers.add(new MetadataResponseBroker().setNodeId(NODE_ID).setHost("127.0.0.1").setPort(port));
    return new MetadataResponseData()
        .setClusterId(CLUSTER_ID)
        .setControllerId(NODE_ID)
        .setBrokers(brokers);
  }

  private DescribeClusterResponseData describeCluster() {
    DescribeClusterBrokerCollection brokers = new DescribeClusterBrokerCollection();
    brokers.add(
        new DescribeClusterBroker().setBrokerId(NODE_ID).setHost("127.0.0.1").setPort(port));
    return new DescribeClusterResponseData()
        .setClusterId(CLUSTER_ID)
        .setControllerId(NODE_ID)
        .setBrokers(brokers);
  }
}
