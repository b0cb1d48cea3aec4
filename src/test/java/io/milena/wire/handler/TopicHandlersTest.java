package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.TopicImage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsAssignment;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CreateTopics, DeleteTopics and CreatePartitions. */
class TopicHandlersTest {

  private static final int TIMEOUT_MS = 5_000;

  private final DirectMetadata metadata = DirectMetadata.withNodes(2);
  private final NodeIdentity node = new NodeIdentity(1, Map.of("node.id", "1"));
  private final TestConnection connection = TestConnection.onInsideListener();
  private final CreateTopicsHandler create = new CreateTopicsHandler(metadata, node);
  private final DeleteTopicsHandler delete = new DeleteTopicsHandler(metadata);
  private final CreatePartitionsHandler morePartitions = new CreatePartitionsHandler(metadata);

  // ---- creating

  private static CreatableTopic topic(String name, int partitions, int replicationFactor) {
    return new CreatableTopic()
        .setName(name)
        .setNumPartitions(partitions)
        .setReplicationFactor((short) replicationFactor);
  }

  private static CreatableTopic withConfig(CreatableTopic topic, String name, String value) {
    topic.configs().add(new CreatableTopicConfig().setName(name).setValue(value));
    return topic;
  }

  private static CreatableTopic withAssignment(
      CreatableTopic topic, int partition, Integer... nodes) {
    topic
        .assignments()
        .add(
            new CreatableReplicaAssignment()
                .setPartitionIndex(partition)
                .setBrokerIds(List.of(nodes)));
    return topic;
  }

  private static CreateTopicsRequestData creating(CreatableTopic... topics) {
    CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(TIMEOUT_MS);
    for (CreatableTopic topic : topics) {
      request.topics().add(topic);
    }
    return request;
  }

  private CreateTopicsResponseData create(int version, CreateTopicsRequestData request) {
    return connection.ask(create, version, request);
  }

  private void isRefused(CreatableTopic topic, Errors error, String message) {
    CreateTopicsResponseData response = create(7, creating(topic));
    assertThat(response.topics()).hasSize(1);
    CreatableTopicResult result = response.topics().find(topic.name());
    assertThat(Errors.forCode(result.errorCode())).isEqualTo(error);
    assertThat(result.errorMessage()).contains(message);
    assertThat(metadata.image().topic(topic.name())).isNull();
  }

  @Test
  void everyVersionCreatesTopics() {
    for (int version = create.minVersion(); version <= create.maxVersion(); version++) {
      String name = "topic" + version;
      CreateTopicsResponseData response =
          create(version, creating(withConfig(topic(name, 3, 2), "retention.ms", "100")));

      CreatableTopicResult result = response.topics().find(name);
      assertThat(result.errorCode()).as("version %s", version).isZero();
      assertThat(result.errorMessage()).isNull();
      TopicImage image = metadata.image().topic(name);
      assertThat(image).isNotNull();
      assertThat(image.partitions()).hasSize(3);
      assertThat(result.topicId()).isEqualTo(version >= 7 ? image.id() : Uuid.ZERO_UUID);
      if (version >= 5) {
        assertThat(result.numPartitions()).isEqualTo(3);
        assertThat(result.replicationFactor()).isEqualTo((short) 2);
        assertThat(config(result, "retention.ms").value()).isEqualTo("100");
        assertThat(config(result, "retention.ms").configSource())
            .isEqualTo(ConfigSource.TOPIC_CONFIG.id());
        assertThat(config(result, "cleanup.policy").value()).isEqualTo("delete");
        assertThat(config(result, "cleanup.policy").configSource())
            .isEqualTo(ConfigSource.DEFAULT_CONFIG.id());
      }
    }
  }

  private static CreatableTopicConfigs config(CreatableTopicResult result, String name) {
    return result.configs().stream()
        .filter(config -> config.name().equals(name))
        .findAny()
        .orElseThrow();
  }

  @Test
  void defaultsStandInForMinusOne() {
    CreatableTopicResult result = create(7, creating(topic("t", -1, -1))).topics().find("t");

    assertThat(result.numPartitions()).isEqualTo(1);
    assertThat(result.replicationFactor()).isEqualTo((short) 1);
  }

  @Test
  void validateOnlyAnswersAsIfAndCreatesNothing() {
    CreatableTopicResult result =
        create(
                7,
                creating(withConfig(topic("t", 4, 1), "retention.ms", "100")).setValidateOnly(true))
            .topics()
            .find("t");

    assertThat(result.errorCode()).isZero();
    assertThat(result.numPartitions()).isEqualTo(4);
    assertThat(config(result, "retention.ms").value()).isEqualTo("100");
    assertThat(metadata.image().topic("t")).isNull();
  }

  @Test
  void assignmentsByHandAreKept() {
    CreatableTopic asked = topic("t", -1, -1);
    withAssignment(withAssignment(asked, 1, 1, 2), 0, 2, 1);
    CreatableTopicResult result = create(7, creating(asked)).topics().find("t");

    assertThat(result.errorCode()).isZero();
    assertThat(result.numPartitions()).isEqualTo(2);
    TopicImage image = metadata.image().topic("t");
    assertThat(image).isNotNull();
    assertThat(metadata.image().replicaSetOf(image.partitions().get(0)).replicas())
        .containsExactly(2, 1);
    assertThat(metadata.image().replicaSetOf(image.partitions().get(1)).replicas())
        .containsExactly(1, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "bad name,           1, 1, INVALID_TOPIC_EXCEPTION,    'bad name'",
    "__cluster_metadata, 1, 1, INVALID_TOPIC_EXCEPTION,    __cluster_metadata",
    "t,                  0, 1, INVALID_PARTITIONS,         partitions",
    "t,                 -2, 1, INVALID_PARTITIONS,         -2",
    "t,                  1, 0, INVALID_REPLICATION_FACTOR, factor",
    "t,                  1, 3, INVALID_REPLICATION_FACTOR, only 2",
    "t,            1000000, 1, POLICY_VIOLATION,           partitions",
  })
  void whatCannotBeCreatedIsRefusedByName(
      String name, int partitions, int replicationFactor, Errors error, String message) {
    isRefused(topic(name, partitions, replicationFactor), error, message);
  }

  @Test
  void badAssignmentsAndConfigsAreRefusedByName() {
    isRefused(
        withAssignment(topic("t", -1, 1), 0, 1), Errors.INVALID_REQUEST, "replication factor");
    isRefused(withAssignment(topic("t", 1, -1), 0, 1), Errors.INVALID_REQUEST, "numPartitions");
    isRefused(
        withAssignment(topic("t", -1, -1), 1, 1), Errors.INVALID_REPLICA_ASSIGNMENT, "0-based");
    isRefused(
        withAssignment(topic("t", -1, -1), 0, 1, 1), Errors.INVALID_REPLICA_ASSIGNMENT, "broker 1");
    isRefused(
        withAssignment(topic("t", -1, -1), 0, 9), Errors.INVALID_REPLICA_ASSIGNMENT, "broker 9");
    isRefused(withConfig(topic("t", 1, 1), "nope", "1"), Errors.INVALID_CONFIG, "nope");
    isRefused(
        withConfig(topic("t", 1, 1), "retention.ms", "x"), Errors.INVALID_CONFIG, "retention.ms");
    isRefused(
        withConfig(topic("t", 1, 1), "retention.ms", null),
        Errors.INVALID_CONFIG,
        "Null value not supported for topic configs: retention.ms");
  }

  @Test
  void oneFailureDoesNotKeepTheOthersFromBeingCreated() {
    metadata.topic("old", 1, 1);
    CreateTopicsResponseData response =
        create(
            7,
            creating(
                topic("old", 1, 1),
                topic("twice", 1, 1),
                topic("twice", 2, 1),
                topic("new", 1, 1)));

    assertThat(response.topics()).hasSize(3);
    assertThat(response.topics().find("old").errorCode())
        .isEqualTo(Errors.TOPIC_ALREADY_EXISTS.code());
    assertThat(response.topics().find("old").errorMessage()).contains("'old' already exists");
    assertThat(response.topics().find("twice").errorCode())
        .isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(response.topics().find("twice").errorMessage()).isEqualTo("Duplicate topic name.");
    assertThat(response.topics().find("new").errorCode()).isZero();
    assertThat(metadata.image().topicsByName()).containsOnlyKeys("old", "new");
  }

  @Test
  void aCreationNotDecidedInTimeTimesOut() {
    metadata.hold();
    CompletableFuture<CreateTopicsResponseData> answer =
        connection
            .<CreateTopicsResponseData>askLater(create, 7, creating(topic("t", 1, 1)))
            .toCompletableFuture();
    connection.advance(TIMEOUT_MS - 1);
    assertThat(answer).isNotDone();
    connection.advance(1);

    CreatableTopicResult result = answer.join().topics().find("t");
    assertThat(result.errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    assertThat(result.errorMessage()).contains("may still be made");
    metadata.release();
    assertThat(connection.pendingTimers()).isZero();
  }

  /** As Kafka 4.4, and unlike its older versions, which went on in the background. */
  @Test
  void withoutAnyTimeNothingIsDone() {
    CreateTopicsResponseData response = create(7, creating(topic("t", 1, 1)).setTimeoutMs(0));
    assertThat(response.topics().find("t").errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());

    DeleteTopicsResponseData deleted =
        connection.ask(delete, 5, deletingByName("t").setTimeoutMs(0));
    assertThat(deleted.responses().find("t").errorCode())
        .isEqualTo(Errors.REQUEST_TIMED_OUT.code());

    CreatePartitionsResponseData added =
        connection.ask(morePartitions, 3, adding(more("t", 2)).setTimeoutMs(-1));
    assertThat(added.results().getFirst().errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
    assertThat(metadata.commands()).isEmpty();
  }

  @Test
  void withoutMetadataLeaderEveryTopicTimesOut() {
    CreateTopicsResponseData response =
        connection.ask(
            new CreateTopicsHandler(metadata.withoutLeader(), node), 7, creating(topic("t", 1, 1)));

    assertThat(response.topics().find("t").errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
  }

  // ---- deleting

  private static DeleteTopicsRequestData deletingByName(String... names) {
    return new DeleteTopicsRequestData().setTopicNames(List.of(names)).setTimeoutMs(TIMEOUT_MS);
  }

  private static DeleteTopicsRequestData deleting(DeleteTopicState... topics) {
    return new DeleteTopicsRequestData().setTopics(List.of(topics)).setTimeoutMs(TIMEOUT_MS);
  }

  private static DeleteTopicState state(String name, Uuid id) {
    return new DeleteTopicState().setName(name).setTopicId(id);
  }

  @Test
  void everyVersionDeletesTopicsByName() {
    for (int version = delete.minVersion(); version <= delete.maxVersion(); version++) {
      Uuid id = metadata.topic("t", 1, 1);
      DeleteTopicsResponseData response =
          connection.ask(
              delete,
              version,
              version >= 6
                  ? deleting(state("t", Uuid.ZERO_UUID), state("no", Uuid.ZERO_UUID))
                  : deletingByName("t", "no"));

      assertThat(response.responses()).hasSize(2);
      DeletableTopicResult deleted = response.responses().find("t");
      assertThat(deleted.errorCode()).as("version %s", version).isZero();
      assertThat(deleted.topicId()).isEqualTo(version >= 6 ? id : Uuid.ZERO_UUID);
      assertThat(response.responses().find("no").errorCode())
          .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
      assertThat(metadata.image().topic("t")).isNull();
    }
  }

  @Test
  void topicsAreDeletedById() {
    Uuid id = metadata.topic("t", 1, 1);
    DeleteTopicsResponseData response =
        connection.ask(delete, 6, deleting(state(null, id), state(null, new Uuid(9, 9))));

    assertThat(response.responses().find("t").errorCode()).isZero();
    assertThat(metadata.image().topic(id)).isNull();
    DeletableTopicResult unknown =
        response.responses().stream()
            .filter(result -> result.name() == null)
            .findAny()
            .orElseThrow();
    assertThat(unknown.errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
    assertThat(unknown.topicId()).isEqualTo(new Uuid(9, 9));
  }

  @Test
  void referencesThatAreNotOneTopicAreRefused() {
    metadata.topic("t", 1, 1);
    metadata.topic("both", 1, 1);
    DeleteTopicsResponseData response =
        connection.ask(
            delete,
            6,
            deleting(
                state("t", Uuid.ZERO_UUID),
                state("t", Uuid.ZERO_UUID),
                state("both", new Uuid(9, 9)),
                state(null, Uuid.ZERO_UUID)));

    assertThat(response.responses()).hasSize(3);
    assertThat(response.responses())
        .allMatch(result -> result.errorCode() == Errors.INVALID_REQUEST.code());
    assertThat(response.responses().find("t").errorMessage()).isEqualTo("Duplicate topic name.");
    assertThat(metadata.image().topicsByName()).containsOnlyKeys("t", "both");
  }

  @Test
  void deletionCanBeForbidden() {
    DirectMetadata forbidding = new DirectMetadata(Map.of("delete.topic.enable", "false"));
    forbidding.startNode(1);
    forbidding.topic("t", 1, 1);
    DeleteTopicsHandler handler = new DeleteTopicsHandler(forbidding);
    DeleteTopicsResponseData response = connection.ask(handler, 5, deletingByName("t"));
    assertThat(response.responses().find("t").errorCode())
        .isEqualTo(Errors.TOPIC_DELETION_DISABLED.code());
    assertThat(response.responses().find("t").errorMessage()).contains("delete.topic.enable");

    DeleteTopicsResponseData old = connection.ask(handler, 2, deletingByName("t"));
    assertThat(old.responses().find("t").errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
    assertThat(forbidding.image().topic("t")).isNotNull();
  }

  // ---- adding partitions

  private static CreatePartitionsTopic more(String name, int count) {
    return new CreatePartitionsTopic().setName(name).setCount(count).setAssignments(null);
  }

  private static CreatePartitionsTopic byHand(CreatePartitionsTopic topic, Integer... nodes) {
    return topic.setAssignments(
        Arrays.stream(nodes)
            .map(id -> new CreatePartitionsAssignment().setBrokerIds(List.of(id)))
            .toList());
  }

  private static CreatePartitionsRequestData adding(CreatePartitionsTopic... topics) {
    CreatePartitionsRequestData request =
        new CreatePartitionsRequestData().setTimeoutMs(TIMEOUT_MS);
    for (CreatePartitionsTopic topic : topics) {
      request.topics().add(topic);
    }
    return request;
  }

  private int partitionsOf(String name) {
    TopicImage topic = metadata.image().topic(name);
    return topic == null ? 0 : topic.partitions().size();
  }

  @Test
  void everyVersionAddsPartitions() {
    metadata.topic("t", 1, 1);
    int count = 1;
    for (int v = morePartitions.minVersion(); v <= morePartitions.maxVersion(); v++) {
      count++;
      CreatePartitionsResponseData validated =
          connection.ask(morePartitions, v, adding(more("t", count)).setValidateOnly(true));
      assertThat(validated.results().getFirst().errorCode()).isZero();
      assertThat(partitionsOf("t")).isEqualTo(count - 1);

      CreatePartitionsResponseData response =
          connection.ask(morePartitions, v, adding(more("t", count)));
      assertThat(response.results())
          .containsExactly(new CreatePartitionsTopicResult().setName("t").setErrorMessage(null));
      assertThat(partitionsOf("t")).isEqualTo(count);
    }
  }

  @Test
  void newPartitionsGoWhereTheyAreAssigned() {
    metadata.topic("t", 1, 1);
    CreatePartitionsResponseData response =
        connection.ask(morePartitions, 3, adding(byHand(more("t", 3), 2, 1)));

    assertThat(response.results().getFirst().errorCode()).isZero();
    TopicImage topic = metadata.image().topic("t");
    assertThat(topic).isNotNull();
    assertThat(metadata.image().replicaSetOf(topic.partitions().get(1)).replicas())
        .containsExactly(2);
    assertThat(metadata.image().replicaSetOf(topic.partitions().get(2)).replicas())
        .containsExactly(1);
  }

  @Test
  void whatIsNoIncreaseOrCannotBePlacedIsRefusedByName() {
    metadata.topic("two", 2, 1);
    metadata.topic("twice", 1, 1);
    record Case(CreatePartitionsTopic asked, Errors error, String message) {}
    for (Case each :
        List.of(
            new Case(more("two", 2), Errors.INVALID_PARTITIONS, "already has 2"),
            new Case(more("two", 1), Errors.INVALID_PARTITIONS, "two currently has 2"),
            new Case(more("no", 2), Errors.UNKNOWN_TOPIC_OR_PARTITION, "'no'"),
            new Case(byHand(more("two", 3), 9), Errors.INVALID_REPLICA_ASSIGNMENT, "broker 9"),
            new Case(byHand(more("two", 4), 1), Errors.INVALID_REPLICA_ASSIGNMENT, "add 2"),
            new Case(byHand(more("two", 3)), Errors.INVALID_REPLICA_ASSIGNMENT, "topic two"))) {
      CreatePartitionsResponseData response =
          connection.ask(morePartitions, 3, adding(each.asked()));
      CreatePartitionsTopicResult result = response.results().getFirst();
      assertThat(Errors.forCode(result.errorCode())).as("%s", each).isEqualTo(each.error());
      assertThat(result.errorMessage()).contains(each.message());
    }
    CreatePartitionsResponseData twice =
        connection.ask(morePartitions, 3, adding(more("twice", 2), more("twice", 3)));
    assertThat(twice.results()).hasSize(1);
    assertThat(twice.results().getFirst().errorMessage()).isEqualTo("Duplicate topic name.");
    assertThat(partitionsOf("two")).isEqualTo(2);
    assertThat(partitionsOf("twice")).isEqualTo(1);
  }
}
