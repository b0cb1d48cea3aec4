package io.milena.http.rest;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Bodies;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.KafkaApis;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Version 3: partitions that move to other nodes. Listing them is the REST Proxy's; beginning and
 * cancelling, which it does not have, are PUT and DELETE of the same resource.
 */
public final class ReassignmentsV3 {

  private static final int TIMEOUT_MS = 30_000;
  private static final String TOPIC = ClusterV3.CLUSTER + "/topics/{topic_name}/partitions";
  private static final String ONE = TOPIC + "/{partition_id}/reassignment";

  private final HttpNode node;
  private final KafkaApis apis;
  private final Bodies bodies;

  public ReassignmentsV3(HttpNode node, KafkaApis apis, Bodies bodies) {
    this.node = node;
    this.apis = apis;
    this.bodies = bodies;
  }

  /** What it serves; what names no topic or partition comes first. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint(
            "GET",
            ClusterV3.CLUSTER + "/topics/-/partitions/-/reassignment",
            exchange ->
                Answers.now(list(exchange, "-", node.metadata().image().topicsByName().values()))),
        new Endpoint(
            "GET",
            TOPIC + "/-/reassignment",
            exchange -> {
              TopicImage topic = topic(exchange);
              return Answers.now(list(exchange, topic.name(), List.of(topic)));
            }),
        new Endpoint("GET", ONE, exchange -> Answers.now(get(exchange))),
        new Endpoint("PUT", ONE, this::begin),
        new Endpoint("DELETE", ONE, exchange -> alter(exchange, null)));
  }

  private ResourcesV3 in(Exchange exchange) {
    return ResourcesV3.inCluster(exchange, node.clusterId());
  }

  private TopicImage topic(Exchange exchange) {
    String name = exchange.path("topic_name");
    TopicImage topic = node.metadata().image().topic(name);
    if (topic == null) {
      throw HttpFailure.of(Errors.UNKNOWN_TOPIC_OR_PARTITION, "there is no topic " + name);
    }
    return topic;
  }

  private HttpResponse list(Exchange exchange, String name, Collection<TopicImage> topics) {
    ResourcesV3 resources = in(exchange);
    MetadataImage image = node.metadata().image();
    List<ObjectNode> moving = new ArrayList<>();
    topics.stream()
        .sorted(Comparator.comparing(TopicImage::name))
        .forEach(topic -> {
          for (PartitionImage partition : topic.partitions()) {
            ReplicaSetImage set = image.replicaSetOf(partition);
            if (set.isReassigning()) {
              moving.add(reassignment(resources, topic.name(), partition.partition(), set));
            }
          }
        });
    return resources.list(
        "KafkaReassignmentList", "/topics/" + name + "/partitions/-/reassignment", moving);
  }

  private HttpResponse get(Exchange exchange) {
    TopicImage topic = topic(exchange);
    int partition = exchange.pathInt("partition_id");
    if (partition >= 0 && partition < topic.partitions().size()) {
      ReplicaSetImage set = node.metadata().image().replicaSetOf(topic.partitions().get(partition));
      if (set.isReassigning()) {
        return Answers.json(200, reassignment(in(exchange), topic.name(), partition, set));
      }
    }
    throw new HttpFailure(
        404, 404, "partition %s-%d is not being reassigned".formatted(topic.name(), partition));
  }

  private static ObjectNode reassignment(
      ResourcesV3 resources, String topic, int partition, ReplicaSetImage set) {
    String path = "/topics/%s/partitions/%d".formatted(topic, partition);
    ObjectNode answer =
        resources
            .resource(
                "KafkaReassignment",
                path + "/reassignment",
                "topic=%s/partition=%d/reassignment".formatted(topic, partition))
            .put("topic_name", topic)
            .put("partition_id", partition);
    put(answer.putArray("adding_replicas"), set.addingReplicas());
    put(answer.putArray("removing_replicas"), set.removingReplicas());
    resources.related(answer, "replicas", path + "/replicas");
    return answer;
  }

  private static void put(ArrayNode array, List<Integer> brokers) {
    brokers.forEach(array::add);
  }

  private CompletionStage<HttpResponse> begin(Exchange exchange) {
    return bodies
        .json(exchange)
        .thenCompose(body -> {
          List<Integer> replicas = new ArrayList<>();
          for (JsonNode broker : body.path("replicas")) {
            if (!broker.isInt()) {
              throw HttpFailure.badRequest("replicas are broker ids: " + broker + " is none");
            }
            replicas.add(broker.intValue());
          }
          if (replicas.isEmpty()) {
            throw HttpFailure.badRequest(
                "say where the partition is to be: {\"replicas\": [1, 2, 3]}, the leader first");
          }
          return alter(exchange, replicas);
        });
  }

  /**
   * @param replicas null to cancel
   */
  private CompletionStage<HttpResponse> alter(Exchange exchange, @Nullable List<Integer> replicas) {
    var _ = in(exchange);
    AlterPartitionReassignmentsRequestData request =
        new AlterPartitionReassignmentsRequestData()
            .setTimeoutMs(TIMEOUT_MS)
            .setTopics(
                List.of(
                    new ReassignableTopic()
                        .setName(topic(exchange).name())
                        .setPartitions(
                            List.of(
                                new ReassignablePartition()
                                    .setPartitionIndex(exchange.pathInt("partition_id"))
                                    .setReplicas(replicas)))));
    return apis.call(
            ApiKeys.ALTER_PARTITION_REASSIGNMENTS,
            request,
            AlterPartitionReassignmentsResponseData.class)
        .thenApply(response -> {
          ClusterV3.check(response.errorCode(), response.errorMessage());
          var result = response.responses().getFirst().partitions().getFirst();
          if (result.errorCode() == Errors.NO_REASSIGNMENT_IN_PROGRESS.code()) {
            throw new HttpFailure(404, 404, Errors.NO_REASSIGNMENT_IN_PROGRESS.message());
          }
          ClusterV3.check(result.errorCode(), result.errorMessage());
          return HttpResponse.create().withStatus(204);
        });
  }
}
