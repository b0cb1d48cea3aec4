package io.milena.http.rest;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Bodies;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.KafkaApis;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Version 3: clusters, brokers, topics and partitions. */
public final class ClusterV3 {

  static final String CLUSTER = "/v3/clusters/{cluster_id}";
  private static final String TOPIC = CLUSTER + "/topics/{topic_name}";
  private static final int TIMEOUT_MS = 30_000;

  private final HttpNode node;
  private final KafkaApis apis;
  private final Bodies bodies;

  public ClusterV3(HttpNode node, KafkaApis apis, Bodies bodies) {
    this.node = node;
    this.apis = apis;
    this.bodies = bodies;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint("GET", "/v3/clusters", exchange -> Answers.now(clusters(exchange))),
        new Endpoint(
            "GET", CLUSTER, exchange -> Answers.now(Answers.json(200, cluster(in(exchange))))),
        new Endpoint("GET", CLUSTER + "/brokers", exchange -> Answers.now(brokers(exchange))),
        new Endpoint(
            "GET", CLUSTER + "/brokers/{broker_id}", exchange -> Answers.now(broker(exchange))),
        new Endpoint("GET", CLUSTER + "/topics", exchange -> Answers.now(topics(exchange))),
        new Endpoint("POST", CLUSTER + "/topics", this::create),
        new Endpoint(
            "GET",
            TOPIC,
            exchange -> Answers.now(Answers.json(200, topic(in(exchange), named(exchange))))),
        new Endpoint("PATCH", TOPIC, this::grow),
        new Endpoint("DELETE", TOPIC, this::delete),
        new Endpoint("GET", TOPIC + "/partitions", exchange -> Answers.now(partitions(exchange))),
        new Endpoint(
            "GET",
            TOPIC + "/partitions/{partition_id}",
            exchange ->
                Answers.now(
                    Answers.json(
                        200, partition(in(exchange), named(exchange), partitionOf(exchange))))),
        new Endpoint(
            "GET",
            TOPIC + "/partitions/{partition_id}/replicas",
            exchange -> Answers.now(replicas(exchange))),
        new Endpoint(
            "GET",
            TOPIC + "/partitions/{partition_id}/replicas/{broker_id}",
            exchange -> Answers.now(replica(exchange))));
  }

  private ResourcesV3 in(Exchange exchange) {
    return ResourcesV3.inCluster(exchange, node.clusterId());
  }

  private MetadataImage image() {
    return node.metadata().image();
  }

  private TopicImage named(Exchange exchange) {
    return topicNamed(exchange.path("topic_name"));
  }

  private TopicImage topicNamed(String name) {
    TopicImage topic = image().topic(name);
    if (topic == null) {
      throw HttpFailure.of(
          Errors.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition.");
    }
    return topic;
  }

  private PartitionImage partitionOf(Exchange exchange) {
    TopicImage topic = named(exchange);
    int partition = exchange.pathInt("partition_id");
    if (partition < 0 || partition >= topic.partitions().size()) {
      throw HttpFailure.of(
          Errors.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition.");
    }
    return topic.partitions().get(partition);
  }

  private HttpResponse clusters(Exchange exchange) {
    ResourcesV3 resources = ResourcesV3.of(exchange, node.clusterId());
    ObjectNode list = Answers.object().put("kind", "KafkaClusterList");
    list.putObject("metadata")
        .put("self", resources.base().substring(0, resources.base().lastIndexOf('/')))
        .putNull("next");
    list.putArray("data").add(cluster(resources));
    return Answers.json(200, list);
  }

  private ObjectNode cluster(ResourcesV3 resources) {
    ObjectNode cluster = resources.resource("KafkaCluster", "", "");
    resources.related(cluster, "controller", "/brokers/" + node.identity().nodeId());
    resources.related(cluster, "acls", "/acls");
    resources.related(cluster, "brokers", "/brokers");
    resources.related(cluster, "broker_configs", "/broker-configs");
    resources.related(cluster, "consumer_groups", "/consumer-groups");
    resources.related(cluster, "topics", "/topics");
    resources.related(cluster, "partition_reassignments", "/topics/-/partitions/-/reassignment");
    return cluster;
  }

  private HttpResponse brokers(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    List<ObjectNode> all =
        image().nodes().values().stream()
            .sorted(Comparator.comparingInt(NodeImage::id))
            .map(broker -> broker(resources, broker))
            .toList();
    return resources.list("KafkaBrokerList", "/brokers", all);
  }

  private HttpResponse broker(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    NodeImage broker = image().nodes().get(exchange.pathInt("broker_id"));
    if (broker == null) {
      throw new HttpFailure(404, 404, "there is no broker " + exchange.path("broker_id"));
    }
    return Answers.json(200, broker(resources, broker));
  }

  private static ObjectNode broker(ResourcesV3 resources, NodeImage broker) {
    String path = "/brokers/" + broker.id();
    ObjectNode answer =
        resources
            .resource("KafkaBroker", path, "broker=" + broker.id())
            .put("broker_id", broker.id());
    NodeImage.Endpoint endpoint =
        broker.endpoints().isEmpty() ? null : broker.endpoints().getFirst();
    answer.put("host", endpoint == null ? null : endpoint.host());
    answer.put("port", endpoint == null ? null : Integer.valueOf(endpoint.port()));
    answer.put("rack", broker.rack().orElse(null));
    resources.related(answer, "configs", path + "/configs");
    resources.related(answer, "partition_replicas", path + "/partition-replicas");
    return answer;
  }

  private HttpResponse topics(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    List<ObjectNode> all =
        image().topicsByName().values().stream()
            .sorted(Comparator.comparing(TopicImage::name))
            .map(topic -> topic(resources, topic))
            .toList();
    return resources.list("KafkaTopicList", "/topics", all);
  }

  private ObjectNode topic(ResourcesV3 resources, TopicImage topic) {
    String path = "/topics/" + topic.name();
    ObjectNode answer =
        resources
            .resource("KafkaTopic", path, "topic=" + topic.name())
            .put("topic_name", topic.name())
            .put("is_internal", topic.internal())
            .put(
                "replication_factor",
                image().replicaSetOf(topic.partitions().getFirst()).targetReplicas().size())
            .put("partitions_count", topic.partitions().size());
    resources.related(answer, "partitions", path + "/partitions");
    resources.related(answer, "configs", path + "/configs");
    resources.related(answer, "partition_reassignments", path + "/partitions/-/reassignment");
    answer.putArray("authorized_operations");
    return answer;
  }

  private HttpResponse partitions(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    TopicImage topic = named(exchange);
    List<ObjectNode> all =
        topic.partitions().stream().map(each -> partition(resources, topic, each)).toList();
    return resources.list("KafkaPartitionList", "/topics/" + topic.name() + "/partitions", all);
  }

  private ObjectNode partition(ResourcesV3 resources, TopicImage topic, PartitionImage partition) {
    String path = "/topics/" + topic.name() + "/partitions/" + partition.partition();
    ReplicaSetImage set = image().replicaSetOf(partition);
    ObjectNode answer =
        resources
            .resource(
                "KafkaPartition",
                path,
                "topic=" + topic.name() + "/partition=" + partition.partition())
            .put("topic_name", topic.name())
            .put("partition_id", partition.partition());
    if (set.leader() == ReplicaSetImage.NO_LEADER) {
      answer.putNull("leader");
    } else {
      resources.related(answer, "leader", path + "/replicas/" + set.leader());
    }
    resources.related(answer, "replicas", path + "/replicas");
    resources.related(answer, "reassignment", path + "/reassignment");
    return answer;
  }

  private HttpResponse replicas(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    TopicImage topic = named(exchange);
    PartitionImage partition = partitionOf(exchange);
    List<ObjectNode> all =
        image().replicaSetOf(partition).replicas().stream()
            .map(broker -> replica(resources, topic, partition, broker))
            .toList();
    return resources.list(
        "KafkaReplicaList",
        "/topics/" + topic.name() + "/partitions/" + partition.partition() + "/replicas",
        all);
  }

  private HttpResponse replica(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    PartitionImage partition = partitionOf(exchange);
    int broker = exchange.pathInt("broker_id");
    if (!image().replicaSetOf(partition).replicas().contains(broker)) {
      throw new HttpFailure(404, 404, "broker " + broker + " has no replica of this partition");
    }
    return Answers.json(200, replica(resources, named(exchange), partition, broker));
  }

  private ObjectNode replica(
      ResourcesV3 resources, TopicImage topic, PartitionImage partition, int broker) {
    ReplicaSetImage set = image().replicaSetOf(partition);
    String path =
        "/topics/%s/partitions/%d/replicas/%d"
            .formatted(topic.name(), partition.partition(), broker);
    ObjectNode answer =
        resources
            .resource(
                "KafkaReplica",
                path,
                "topic=%s/partition=%d/replica=%d"
                    .formatted(topic.name(), partition.partition(), broker))
            .put("topic_name", topic.name())
            .put("partition_id", partition.partition())
            .put("broker_id", broker)
            .put("is_leader", set.leader() == broker)
            .put("is_in_sync", set.isr().contains(broker));
    resources.related(answer, "broker", "/brokers/" + broker);
    return answer;
  }

  private CompletionStage<HttpResponse> create(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    return bodies.json(exchange).thenCompose(body -> create(resources, body));
  }

  private CompletionStage<HttpResponse> create(ResourcesV3 resources, JsonNode body) {
    String name = body.path("topic_name").asText();
    if (name.isEmpty()) {
      throw new HttpFailure(400, 40002, "topic_name is missing");
    }
    CreateTopicsRequestData.CreatableTopic topic =
        new CreateTopicsRequestData.CreatableTopic()
            .setName(name)
            .setNumPartitions(body.path("partitions_count").asInt(-1))
            .setReplicationFactor((short) body.path("replication_factor").asInt(-1));
    if (body.path("replicas_assignments").isArray()) {
      for (JsonNode each : body.path("replicas_assignments")) {
        List<Integer> brokers = new ArrayList<>();
        each.path("broker_ids").forEach(id -> brokers.add(id.asInt()));
        topic
            .assignments()
            .add(
                new CreateTopicsRequestData.CreatableReplicaAssignment()
                    .setPartitionIndex(each.path("partition_id").asInt())
                    .setBrokerIds(brokers));
      }
    }
    for (JsonNode config : body.path("configs")) {
      topic
          .configs()
          .add(
              new CreateTopicsRequestData.CreatableTopicConfig()
                  .setName(config.path("name").asText())
                  .setValue(config.path("value").isNull() ? null : config.path("value").asText()));
    }
    boolean validateOnly = body.path("validate_only").asBoolean();
    CreateTopicsRequestData request =
        new CreateTopicsRequestData().setTimeoutMs(TIMEOUT_MS).setValidateOnly(validateOnly);
    request.topics().add(topic);
    return apis.call(ApiKeys.CREATE_TOPICS, request, CreateTopicsResponseData.class)
        .thenApply(response -> {
          CreateTopicsResponseData.CreatableTopicResult result = response.topics().find(name);
          check(result.errorCode(), result.errorMessage());
          return validateOnly
              ? HttpResponse.create().withStatus(200)
              : Answers.json(201, topic(resources, topicNamed(name)));
        });
  }

  static void check(short code, @org.jspecify.annotations.Nullable String message) {
    Errors error = Errors.forCode(code);
    if (error != Errors.NONE) {
      throw message == null || message.isEmpty()
          ? HttpFailure.of(error)
          : HttpFailure.of(error, message);
    }
  }

  private CompletionStage<HttpResponse> grow(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String name = named(exchange).name();
    return bodies
        .json(exchange)
        .thenCompose(body -> {
          CreatePartitionsRequestData request =
              new CreatePartitionsRequestData().setTimeoutMs(TIMEOUT_MS);
          request
              .topics()
              .add(
                  new CreatePartitionsRequestData.CreatePartitionsTopic()
                      .setName(name)
                      .setCount(body.path("partitions_count").asInt())
                      .setAssignments(null));
          return apis.call(ApiKeys.CREATE_PARTITIONS, request, CreatePartitionsResponseData.class);
        })
        .thenApply(response -> {
          var result = response.results().getFirst();
          check(result.errorCode(), result.errorMessage());
          return Answers.json(200, topic(resources, topicNamed(name)));
        });
  }

  private CompletionStage<HttpResponse> delete(Exchange exchange) {
    var _ = in(exchange);
    String name = named(exchange).name();
    DeleteTopicsRequestData request =
        new DeleteTopicsRequestData()
            .setTimeoutMs(TIMEOUT_MS)
            .setTopics(List.of(new DeleteTopicsRequestData.DeleteTopicState().setName(name)));
    return apis.call(ApiKeys.DELETE_TOPICS, request, DeleteTopicsResponseData.class)
        .thenApply(response -> {
          for (DeleteTopicsResponseData.DeletableTopicResult each : response.responses()) {
            check(each.errorCode(), each.errorMessage());
          }
          return HttpResponse.create().withStatus(204);
        });
  }
}
