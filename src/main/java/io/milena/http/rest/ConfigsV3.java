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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DescribeConfigsResponse;
import org.jspecify.annotations.Nullable;

/** Version 3: the configurations of topics, of brokers, and the brokers' common one. */
public final class ConfigsV3 {

  private final HttpNode node;
  private final KafkaApis apis;
  private final Bodies bodies;

  public ConfigsV3(HttpNode node, KafkaApis apis, Bodies bodies) {
    this.node = node;
    this.apis = apis;
    this.bodies = bodies;
  }

  /**
   * What has configurations.
   *
   * @param name as the Kafka protocol has it
   * @param path of its configurations, below the cluster
   * @param kind of one of them
   * @param owner field that names it; null for the common configuration
   */
  private record Owner(
      ConfigResource.Type type, String name, String path, String kind, @Nullable String owner) {}

  /** What it serves. */
  public List<Endpoint> endpoints() {
    List<Endpoint> all = new ArrayList<>();
    add(
        all,
        "/topics/{topic_name}/configs",
        exchange -> {
          String topic = exchange.path("topic_name");
          return new Owner(
              ConfigResource.Type.TOPIC,
              topic,
              "/topics/" + topic + "/configs",
              "KafkaTopicConfig",
              "topic_name");
        });
    add(
        all,
        "/brokers/{broker_id}/configs",
        exchange -> {
          String broker = Integer.toString(exchange.pathInt("broker_id"));
          return new Owner(
              ConfigResource.Type.BROKER,
              broker,
              "/brokers/" + broker + "/configs",
              "KafkaBrokerConfig",
              "broker_id");
        });
    add(
        all,
        "/broker-configs",
        _ ->
            new Owner(
                ConfigResource.Type.BROKER, "", "/broker-configs", "KafkaClusterConfig", null));
    return all;
  }

  private interface OwnerOf {
    Owner in(Exchange exchange);
  }

  private void add(List<Endpoint> all, String path, OwnerOf owner) {
    String pattern = ClusterV3.CLUSTER + path;
    all.add(new Endpoint("GET", pattern, exchange -> list(exchange, owner.in(exchange))));
    all.add(
        new Endpoint("GET", pattern + "/{name}", exchange -> one(exchange, owner.in(exchange))));
    all.add(
        new Endpoint(
            "PUT",
            pattern + "/{name}",
            exchange ->
                bodies
                    .json(exchange)
                    .thenCompose(body ->
                        alter(
                            exchange,
                            owner.in(exchange),
                            List.of(set(exchange.path("name"), body.path("value")))))));
    all.add(
        new Endpoint(
            "DELETE",
            pattern + "/{name}",
            exchange ->
                alter(
                    exchange,
                    owner.in(exchange),
                    List.of(change(exchange.path("name"), null, AlterConfigOp.OpType.DELETE)))));
    all.add(
        new Endpoint(
            "POST",
            pattern + ":alter",
            exchange ->
                bodies
                    .json(exchange)
                    .thenCompose(body -> alter(exchange, owner.in(exchange), changes(body)))));
  }

  /** What a broker's own file says, only that broker knows. */
  private int at(Owner owner) {
    if (owner.type() == ConfigResource.Type.BROKER && !owner.name().isEmpty()) {
      int broker = Integer.parseInt(owner.name());
      if (apis.liveNodes().contains(broker)) {
        return broker;
      }
    }
    return apis.nodeId();
  }

  private CompletionStage<DescribeConfigsResult> describe(Owner owner) {
    DescribeConfigsRequestData request =
        new DescribeConfigsRequestData()
            .setIncludeSynonyms(true)
            .setResources(
                List.of(
                    new DescribeConfigsRequestData.DescribeConfigsResource()
                        .setResourceType(owner.type().id())
                        .setResourceName(owner.name())
                        .setConfigurationKeys(null)));
    return apis.callAt(
            at(owner), ApiKeys.DESCRIBE_CONFIGS, request, DescribeConfigsResponseData.class)
        .thenApply(response -> {
          DescribeConfigsResult result = response.results().getFirst();
          ClusterV3.check(result.errorCode(), result.errorMessage());
          return result;
        });
  }

  private CompletionStage<HttpResponse> list(Exchange exchange, Owner owner) {
    ResourcesV3 resources = ResourcesV3.inCluster(exchange, node.clusterId());
    return describe(owner)
        .thenApply(result ->
            resources.list(
                owner.kind() + "List",
                owner.path(),
                result.configs().stream().map(each -> config(resources, owner, each)).toList()));
  }

  private CompletionStage<HttpResponse> one(Exchange exchange, Owner owner) {
    ResourcesV3 resources = ResourcesV3.inCluster(exchange, node.clusterId());
    String name = exchange.path("name");
    return describe(owner)
        .thenApply(result ->
            result.configs().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .map(each -> Answers.json(200, config(resources, owner, each)))
                .orElseThrow(() -> new HttpFailure(404, 404, "there is no config " + name)));
  }

  private static ObjectNode config(
      ResourcesV3 resources, Owner owner, DescribeConfigsResourceResult config) {
    ObjectNode answer =
        resources
            .resource(
                owner.kind(),
                owner.path() + "/" + config.name(),
                owner.path().substring(1) + "=" + config.name())
            .put("name", config.name())
            .put("value", config.value())
            .put("is_default", isDefault(config))
            .put("is_read_only", config.readOnly())
            .put("is_sensitive", config.isSensitive())
            .put("source", source(config.configSource()));
    if (owner.owner() != null) {
      answer.put(owner.owner(), owner.name());
    }
    ArrayNode synonyms = answer.putArray("synonyms");
    for (var synonym : config.synonyms()) {
      synonyms
          .addObject()
          .put("name", synonym.name())
          .put("value", synonym.value())
          .put("source", source(synonym.source()));
    }
    return answer;
  }

  private static boolean isDefault(DescribeConfigsResourceResult config) {
    return source(config.configSource()).equals(ConfigEntry.ConfigSource.DEFAULT_CONFIG.name());
  }

  private static String source(byte id) {
    return DescribeConfigsResponse.ConfigSource.forId(id).source().name();
  }

  private static AlterableConfig set(String name, JsonNode value) {
    if (value.isMissingNode()) {
      throw HttpFailure.badRequest("value is missing");
    }
    return value.isNull()
        ? change(name, null, AlterConfigOp.OpType.DELETE)
        : change(name, value.asText(), AlterConfigOp.OpType.SET);
  }

  private static List<AlterableConfig> changes(JsonNode body) {
    List<AlterableConfig> changes = new ArrayList<>();
    for (JsonNode each : body.path("data")) {
      String name = each.path("name").asText();
      String operation = each.path("operation").asText("SET");
      changes.add(
          switch (operation) {
            case "SET" -> set(name, each.path("value"));
            case "DELETE" -> change(name, null, AlterConfigOp.OpType.DELETE);
            default ->
                throw HttpFailure.badRequest("operation is " + operation + ": say SET or DELETE");
          });
    }
    if (changes.isEmpty()) {
      throw HttpFailure.badRequest("data has no changes");
    }
    return changes;
  }

  private static AlterableConfig change(
      String name, @Nullable String value, AlterConfigOp.OpType operation) {
    return new AlterableConfig().setName(name).setValue(value).setConfigOperation(operation.id());
  }

  private CompletionStage<HttpResponse> alter(
      Exchange exchange, Owner owner, List<AlterableConfig> changes) {
    var _ = ResourcesV3.inCluster(exchange, node.clusterId());
    IncrementalAlterConfigsRequestData.AlterConfigsResource resource =
        new IncrementalAlterConfigsRequestData.AlterConfigsResource()
            .setResourceType(owner.type().id())
            .setResourceName(owner.name());
    changes.forEach(resource.configs()::add);
    IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
    request.resources().add(resource);
    return apis.callAt(
            at(owner),
            ApiKeys.INCREMENTAL_ALTER_CONFIGS,
            request,
            IncrementalAlterConfigsResponseData.class)
        .thenApply(response -> {
          var result = response.responses().getFirst();
          ClusterV3.check(result.errorCode(), result.errorMessage());
          return HttpResponse.create().withStatus(204);
        });
  }
}
