package io.milena.wire.handler;

import static io.milena.wire.handler.DirectMetadata.LISTENER;
import static io.milena.wire.handler.DirectMetadata.OTHER_LISTENER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.metadata.NodeImage.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class MetadataHandlerTest {

  private static final Map<String, String> NODE_1 = Map.of("node.id", "1");

  private final DirectMetadata metadata = DirectMetadata.withNodes(3);
  private final TestConnection connection = TestConnection.onInsideListener();
  private final MetadataHandler handler = handler(NODE_1);

  private MetadataHandler handler(Map<String, String> config) {
    NodeIdentity node = new NodeIdentity(1, config);
    return new MetadataHandler(metadata, node, new TopicAutoCreation(metadata, node));
  }

  private static MetadataRequestData byName(String... names) {
    List<MetadataRequestTopic> topics = new ArrayList<>();
    for (String name : names) {
      topics.add(new MetadataRequestTopic().setName(name));
    }
    return new MetadataRequestData().setTopics(topics);
  }

  private static MetadataRequestData byId(Uuid... ids) {
    List<MetadataRequestTopic> topics = new ArrayList<>();
    for (Uuid id : ids) {
      topics.add(new MetadataRequestTopic().setTopicId(id).setName(null));
    }
    return new MetadataRequestData().setTopics(topics);
  }

  private MetadataResponseData ask(int version, MetadataRequestData request) {
    return connection.ask(handler, version, request);
  }

  private static Errors error(MetadataResponseData response, String topic) {
    return Errors.forCode(response.topics().find(topic).errorCode());
  }

  @Test
  void everyVersionDescribesTopicsAndNodes() {
    Uuid id = metadata.topic("orders", 2, 3);
    for (int version = handler.minVersion(); version <= handler.maxVersion(); version++) {
      MetadataResponseData response = ask(version, byName("orders"));

      assertThat(response.brokers()).as("version %s", version).hasSize(3);
      MetadataResponseBroker first = response.brokers().find(1);
      assertThat(first.host()).isEqualTo("inside1");
      assertThat(first.port()).isEqualTo(9001);
      assertThat(first.rack()).isEqualTo(version >= 1 ? "r1" : null);
      assertThat(response.clusterId())
          .isEqualTo(version >= 2 ? DirectMetadata.CLUSTER.toString() : null);
      assertThat(response.controllerId()).isEqualTo(version >= 1 ? 1 : -1);
      assertThat(response.errorCode()).isZero();
      MetadataResponseTopic topic = response.topics().find("orders");
      assertThat(topic.errorCode()).isZero();
      assertThat(topic.topicId()).isEqualTo(version >= 10 ? id : Uuid.ZERO_UUID);
      assertThat(topic.partitions()).hasSize(2);
      for (MetadataResponsePartition partition : topic.partitions()) {
        assertThat(partition.errorCode()).isZero();
        assertThat(partition.replicaNodes()).containsExactlyInAnyOrder(1, 2, 3);
        assertThat(partition.leaderId()).isEqualTo(partition.replicaNodes().getFirst());
        assertThat(partition.offlineReplicas()).isEmpty();
      }
    }
  }

  @Test
  void clientsSeeTheEndpointsOfTheListenerTheyCameInBy() {
    MetadataResponseData response = new TestConnection(OTHER_LISTENER).ask(handler, 13, byName());

    assertThat(response.brokers().find(2).host()).isEqualTo("outside2");
    assertThat(response.brokers().find(2).port()).isEqualTo(9102);
  }

  @Test
  void emptyListMeansEveryTopicInVersionZeroAndNoneLater() {
    metadata.topic("a", 1, 1);
    metadata.topic("b", 1, 1);

    assertThat(ask(0, byName()).topics()).hasSize(2);
    assertThat(ask(1, byName()).topics()).isEmpty();
    assertThat(ask(13, byName()).topics()).isEmpty();
    assertThat(ask(13, new MetadataRequestData().setTopics(null)).topics()).hasSize(2);
  }

  @Test
  void aTopicIsCreatedWhenAskedForAndAnsweredInTheSameResponse() {
    for (int version = handler.minVersion(); version <= handler.maxVersion(); version++) {
      String name = "auto" + version;
      MetadataResponseTopic topic = ask(version, byName(name)).topics().find(name);

      assertThat(topic.errorCode()).as("version %s", version).isZero();
      assertThat(topic.partitions()).hasSize(1);
      assertThat(metadata.image().topic(name)).isNotNull();
    }
  }

  @Test
  void nothingIsCreatedWhenTheClientOrTheNodeForbidsIt() {
    assertThat(error(ask(13, byName("no").setAllowAutoTopicCreation(false)), "no"))
        .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);

    MetadataHandler forbidding =
        handler(Map.of("node.id", "1", "auto.create.topics.enable", "false"));
    MetadataResponseData response = connection.ask(forbidding, 13, byName("no"));
    assertThat(error(response, "no")).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    assertThat(metadata.image().topic("no")).isNull();
    assertThat(metadata.commands()).isEmpty();
  }

  @Test
  void invalidNamesAreRefusedAndNeverCreated() {
    MetadataResponseData response = ask(13, byName("bad name", "", "good"));

    assertThat(error(response, "bad name")).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
    assertThat(error(response, "")).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
    assertThat(error(response, "good")).isEqualTo(Errors.NONE);
    assertThat(metadata.image().topicsByName()).containsOnlyKeys("good");
  }

  @Test
  void aNameThatCollidesWithAnotherIsRefused() {
    metadata.topic("a.b", 1, 1);

    assertThat(error(ask(13, byName("a_b")), "a_b")).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
  }

  @Test
  void aTopicInCreationIsNotAvailableYetAndAskedForOnce() {
    metadata.hold();
    CompletableFuture<MetadataResponseData> first =
        connection
            .<MetadataResponseData>askLater(handler, 13, byName("slow"))
            .toCompletableFuture();
    CompletableFuture<MetadataResponseData> second =
        connection
            .<MetadataResponseData>askLater(handler, 13, byName("slow"))
            .toCompletableFuture();
    assertThat(first).isNotDone();

    connection.advance(MetadataHandler.AUTO_CREATION_WAIT_MS);
    assertThat(error(first.join(), "slow")).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
    assertThat(error(second.join(), "slow")).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
    assertThat(metadata.commands()).hasSize(1);

    metadata.release();
    assertThat(error(ask(13, byName("slow")), "slow")).isEqualTo(Errors.NONE);
    assertThat(metadata.commands()).hasSize(1);
    assertThat(connection.pendingTimers()).isZero();
  }

  @Test
  void withoutMetadataLeaderClientsAreToldToAskAgain() {
    NodeIdentity node = new NodeIdentity(1, NODE_1);
    TopicAutoCreation leaderless = new TopicAutoCreation(metadata.withoutLeader(), node);
    MetadataResponseData response =
        connection.ask(new MetadataHandler(metadata, node, leaderless), 13, byName("later"));

    assertThat(error(response, "later")).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
  }

  @Test
  void theClustersOwnTopicsAreCreatedAsTheyNeedToBe() {
    MetadataResponseTopic topic =
        ask(13, byName(Topic.GROUP_METADATA_TOPIC_NAME))
            .topics()
            .find(Topic.GROUP_METADATA_TOPIC_NAME);

    assertThat(topic.isInternal()).isTrue();
    assertThat(topic.partitions()).hasSize(50);
    assertThat(topic.partitions().getFirst().replicaNodes()).hasSize(3);
    assertThat(
            metadata
                .image()
                .overrides(
                    new org.apache.kafka.common.config.ConfigResource(
                        org.apache.kafka.common.config.ConfigResource.Type.TOPIC,
                        Topic.GROUP_METADATA_TOPIC_NAME)))
        .containsEntry("cleanup.policy", "compact");
  }

  @Test
  void topicsAreFoundByIdAndUnknownIdsAreNamed() {
    Uuid id = metadata.topic("orders", 1, 1);
    Uuid unknown = new Uuid(9, 9);
    MetadataResponseData response = ask(12, byId(id, unknown, id));

    assertThat(response.topics()).hasSize(2);
    assertThat(error(response, "orders")).isEqualTo(Errors.NONE);
    MetadataResponseTopic missing =
        response.topics().stream()
            .filter(topic -> topic.topicId().equals(unknown))
            .findAny()
            .orElseThrow();
    assertThat(missing.errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
    assertThat(missing.name()).isNull();
  }

  @Test
  void idsBeforeVersionTwelveAndTopicsWithNeitherAreInvalid() {
    assertThatThrownBy(() -> ask(11, byId(new Uuid(9, 9))))
        .hasCauseInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("version 11");
    assertThatThrownBy(() -> ask(12, byId(Uuid.ZERO_UUID)))
        .hasCauseInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("neither name nor id");
  }

  @Test
  void fencedNodesAreHiddenAndTheirReplicasOffline() {
    metadata.topic("orders", 1, 3);
    metadata.fenceNode(1);
    MetadataResponseData response = ask(13, byName("orders"));

    assertThat(response.brokers().find(1)).isNull();
    assertThat(response.controllerId()).isNotEqualTo(1).isPositive();
    MetadataResponsePartition partition = response.topics().find("orders").partitions().getFirst();
    assertThat(partition.offlineReplicas()).containsExactly(1);
    assertThat(partition.replicaNodes()).contains(1);
    assertThat(partition.leaderId()).isIn(2, 3);

    MetadataResponsePartition old =
        ask(0, byName("orders")).topics().find("orders").partitions().getFirst();
    assertThat(old.replicaNodes()).containsExactlyInAnyOrder(2, 3);
    assertThat(old.errorCode()).isEqualTo(Errors.REPLICA_NOT_AVAILABLE.code());
  }

  @Test
  void aPartitionWithoutLeaderIsNotAvailable() {
    metadata.topic("orders", 1, 3);
    for (int id = 1; id <= 3; id++) {
      metadata.fenceNode(id);
    }
    MetadataResponsePartition partition =
        ask(13, byName("orders")).topics().find("orders").partitions().getFirst();

    assertThat(partition.errorCode()).isEqualTo(Errors.LEADER_NOT_AVAILABLE.code());
    assertThat(partition.leaderId()).isEqualTo(-1);
  }

  @Test
  void aLeaderWithoutTheClientsListenerIsNamedSo() {
    DirectMetadata one = new DirectMetadata(Map.of());
    one.startNode(1, List.of(new Endpoint(LISTENER, "inside", 1, LISTENER)));
    one.topic("orders", 1, 1);
    NodeIdentity node = new NodeIdentity(1, NODE_1);
    MetadataHandler handler = new MetadataHandler(one, node, new TopicAutoCreation(one, node));
    TestConnection outside = new TestConnection(OTHER_LISTENER);

    MetadataResponseData now = outside.ask(handler, 13, byName("orders"));
    assertThat(now.topics().find("orders").partitions().getFirst().errorCode())
        .isEqualTo(Errors.LISTENER_NOT_FOUND.code());
    MetadataResponseData before = outside.ask(handler, 5, byName("orders"));
    assertThat(before.topics().find("orders").partitions().getFirst().errorCode())
        .isEqualTo(Errors.LEADER_NOT_AVAILABLE.code());
  }

  /** The numbers are what Apache Kafka 4.4 answers without an authorizer. */
  @Test
  void everythingIsAuthorizedAndSaidOnlyWhenAsked() {
    metadata.topic("orders", 1, 1);
    MetadataResponseData asked =
        ask(
            8,
            byName("orders")
                .setIncludeTopicAuthorizedOperations(true)
                .setIncludeClusterAuthorizedOperations(true));
    assertThat(asked.clusterAuthorizedOperations()).isEqualTo(8096);
    assertThat(asked.topics().find("orders").topicAuthorizedOperations()).isEqualTo(3576);

    MetadataResponseData notAsked = ask(8, byName("orders"));
    assertThat(notAsked.clusterAuthorizedOperations()).isEqualTo(Integer.MIN_VALUE);
    assertThat(notAsked.topics().find("orders").topicAuthorizedOperations())
        .isEqualTo(Integer.MIN_VALUE);
  }
}
