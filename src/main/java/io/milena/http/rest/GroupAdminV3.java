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
import io.milena.http.PartitionOffsets;
import io.milena.http.group.Groups;
import io.milena.http.group.Groups.Committed;
import io.milena.http.stream.StartAt;
import io.milena.metadata.TopicImage;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/**
 * Beside version 3, which only shows consumer groups: deleting one, and moving its committed
 * offsets, as {@code milena groups delete} and {@code reset-offsets} do.
 */
public final class GroupAdminV3 {

  private static final String GROUP = ClusterV3.CLUSTER + "/consumer-groups/{consumer_group_id}";

  private final HttpNode node;
  private final Groups groups;
  private final PartitionOffsets offsets;
  private final Bodies bodies;

  public GroupAdminV3(HttpNode node, Groups groups, PartitionOffsets offsets, Bodies bodies) {
    this.node = node;
    this.groups = groups;
    this.offsets = offsets;
    this.bodies = bodies;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint("DELETE", GROUP, this::delete),
        new Endpoint("POST", GROUP + "/offsets:reset", this::reset));
  }

  private CompletionStage<HttpResponse> delete(Exchange exchange) {
    var _ = ResourcesV3.inCluster(exchange, node.clusterId());
    return groups
        .delete(exchange.path("consumer_group_id"))
        .thenApply(_ -> HttpResponse.create().withStatus(204));
  }

  private CompletionStage<HttpResponse> reset(Exchange exchange) {
    var _ = ResourcesV3.inCluster(exchange, node.clusterId());
    String group = exchange.path("consumer_group_id");
    return bodies
        .json(exchange)
        .thenCompose(body -> {
          StartAt to = StartAt.parse(body.path("to").asText());
          boolean dryRun = body.path("dry_run").asBoolean();
          return groups
              .describe(group)
              .thenCompose(described -> {
                if (!described.members().isEmpty()) {
                  throw HttpFailure.of(
                      Errors.NON_EMPTY_GROUP,
                      "group %s has %d members: stop them first, their positions would win"
                          .formatted(group, described.members().size()));
                }
                return groups.committed(group, null);
              })
              .thenCompose(before ->
                  to.in(offsets, partitions(body, before.keySet()), false)
                      .thenCompose(found -> {
                        Map<TopicPartition, Committed> after = new TreeMap<>(Groups.ORDER);
                        found.forEach(
                            (partition, offset) -> after.put(partition, new Committed(offset, "")));
                        return (dryRun || after.isEmpty()
                                ? CompletableFuture.<Void>completedFuture(null)
                                : groups.commit(group, after))
                            .thenApply(_ -> answer(group, before, after));
                      }));
        });
  }

  /** All of the topics that are named, else all that the group has committed for. */
  private Collection<TopicPartition> partitions(
      JsonNode body, Collection<TopicPartition> committed) {
    TreeSet<TopicPartition> chosen = new TreeSet<>(Groups.ORDER);
    if (!body.has("topics")) {
      committed.stream()
          .filter(each -> node.metadata().image().topic(each.topic()) != null)
          .forEach(chosen::add);
      return chosen;
    }
    for (JsonNode name : body.path("topics")) {
      TopicImage topic = node.metadata().image().topic(name.asText());
      if (topic == null) {
        throw HttpFailure.of(
            Errors.UNKNOWN_TOPIC_OR_PARTITION, "there is no topic " + name.asText());
      }
      IntStream.range(0, topic.partitions().size())
          .forEach(i -> chosen.add(new TopicPartition(topic.name(), i)));
    }
    return chosen;
  }

  private static HttpResponse answer(
      String group, Map<TopicPartition, Committed> before, Map<TopicPartition, Committed> after) {
    ObjectNode answer = Answers.object().put("consumer_group_id", group);
    ArrayNode moved = answer.putArray("offsets");
    after.forEach((partition, committed) -> {
      Committed former = before.get(partition);
      moved
          .addObject()
          .put("topic_name", partition.topic())
          .put("partition_id", partition.partition())
          .put("offset_before", former == null ? null : former.offset())
          .put("offset", committed.offset());
    });
    return Answers.json(200, answer);
  }
}
