package io.milena.http.rest;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.PartitionOffsets;
import io.milena.http.group.Groups;
import io.milena.metadata.TopicImage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.jspecify.annotations.Nullable;

/** Version 3: consumer groups, their members, and how far they are behind. */
public final class GroupsV3 {

  private static final String GROUPS = ClusterV3.CLUSTER + "/consumer-groups";
  private static final String GROUP = GROUPS + "/{consumer_group_id}";

  private final HttpNode node;
  private final Groups groups;
  private final PartitionOffsets offsets;

  public GroupsV3(HttpNode node, Groups groups, PartitionOffsets offsets) {
    this.node = node;
    this.groups = groups;
    this.offsets = offsets;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint("GET", GROUPS, this::list),
        new Endpoint("GET", GROUP, this::describe),
        new Endpoint("GET", GROUP + "/consumers", this::consumers),
        new Endpoint("GET", GROUP + "/consumers/{consumer_id}", this::consumer),
        new Endpoint("GET", GROUP + "/consumers/{consumer_id}/assignments", this::assignments),
        new Endpoint("GET", GROUP + "/lag-summary", this::summary),
        new Endpoint("GET", GROUP + "/lags", this::lags),
        new Endpoint(
            "GET", GROUP + "/lags/{topic_name}/partitions/{partition_id}", this::partitionLag));
  }

  private ResourcesV3 in(Exchange exchange) {
    return ResourcesV3.inCluster(exchange, node.clusterId());
  }

  private static String groupOf(Exchange exchange) {
    return exchange.path("consumer_group_id");
  }

  private static String path(String group) {
    return "/consumer-groups/" + group;
  }

  private CompletionStage<HttpResponse> list(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    return groups
        .list()
        .thenApply(all ->
            resources.list(
                "KafkaConsumerGroupList",
                "/consumer-groups",
                all.stream()
                    .sorted(Comparator.comparing(each -> each.groupId()))
                    .map(each ->
                        group(
                            resources,
                            each.groupId(),
                            each.protocolType().isEmpty(),
                            "",
                            each.groupState()))
                    .toList()));
  }

  private CompletionStage<HttpResponse> describe(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    return groups
        .describe(groupOf(exchange))
        .thenApply(group ->
            Answers.json(
                200,
                group(
                    resources,
                    group.groupId(),
                    group.protocolType().isEmpty(),
                    group.protocolData(),
                    group.groupState())));
  }

  private ObjectNode group(
      ResourcesV3 resources, String id, boolean simple, String assignor, String state) {
    ObjectNode answer =
        resources
            .resource("KafkaConsumerGroup", path(id), "consumer-group=" + id)
            .put("consumer_group_id", id)
            .put("is_simple", simple)
            .put("partition_assignor", assignor)
            .put("state", state.toUpperCase(Locale.ROOT));
    resources.related(answer, "coordinator", "/brokers/" + node.identity().nodeId());
    resources.related(answer, "consumers", path(id) + "/consumers");
    resources.related(answer, "lag_summary", path(id) + "/lag-summary");
    return answer;
  }

  private CompletionStage<HttpResponse> consumers(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String group = groupOf(exchange);
    return groups
        .describe(group)
        .thenApply(described ->
            resources.list(
                "KafkaConsumerList",
                path(group) + "/consumers",
                described.members().stream()
                    .map(member -> consumer(resources, group, member))
                    .toList()));
  }

  private CompletionStage<HttpResponse> consumer(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String group = groupOf(exchange);
    return groups
        .describe(group)
        .thenApply(described ->
            Answers.json(200, consumer(resources, group, member(exchange, described))));
  }

  private static DescribedGroupMember member(Exchange exchange, DescribedGroup group) {
    String id = exchange.path("consumer_id");
    return group.members().stream()
        .filter(each -> each.memberId().equals(id))
        .findFirst()
        .orElseThrow(
            () -> new HttpFailure(404, 404, "group " + group.groupId() + " has no member " + id));
  }

  private static ObjectNode consumer(
      ResourcesV3 resources, String group, DescribedGroupMember member) {
    String path = path(group) + "/consumers/" + member.memberId();
    ObjectNode answer =
        resources
            .resource(
                "KafkaConsumer", path, "consumer-group=" + group + "/consumer=" + member.memberId())
            .put("consumer_group_id", group)
            .put("consumer_id", member.memberId())
            .put("instance_id", member.groupInstanceId())
            .put("client_id", member.clientId());
    resources.related(answer, "assignments", path + "/assignments");
    return answer;
  }

  private CompletionStage<HttpResponse> assignments(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String group = groupOf(exchange);
    return groups
        .describe(group)
        .thenApply(described -> {
          DescribedGroupMember member = member(exchange, described);
          String path = path(group) + "/consumers/" + member.memberId() + "/assignments";
          List<ObjectNode> all = new ArrayList<>();
          for (TopicPartition partition : assigned(member)) {
            ObjectNode each =
                resources
                    .resource(
                        "KafkaConsumerAssignment",
                        "%s/%s/%d".formatted(path, partition.topic(), partition.partition()),
                        "consumer-group=" + group + "/consumer=" + member.memberId())
                    .put("consumer_group_id", group)
                    .put("consumer_id", member.memberId())
                    .put("topic_name", partition.topic())
                    .put("partition_id", partition.partition());
            resources.related(
                each,
                "partition",
                "/topics/%s/partitions/%d".formatted(partition.topic(), partition.partition()));
            all.add(each);
          }
          return resources.list("KafkaConsumerAssignmentList", path, all);
        });
  }

  private static List<TopicPartition> assigned(DescribedGroupMember member) {
    return member.memberAssignment().length == 0
        ? List.of()
        : ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(member.memberAssignment()))
            .partitions();
  }

  /**
   * How far a group is behind in a partition.
   *
   * @param member that reads it; null when nobody does
   */
  private record Lag(
      TopicPartition partition, @Nullable DescribedGroupMember member, long committed, long end) {

    long lag() {
      return Math.max(0, end - committed);
    }
  }

  private CompletionStage<List<Lag>> lagsOf(String group) {
    return groups
        .describe(group)
        .thenCombine(groups.committed(group, null), Map::entry)
        .thenCompose(known -> {
          List<TopicPartition> there =
              known.getValue().keySet().stream().filter(this::isThere).toList();
          return offsets
              .at(there, PartitionOffsets.LATEST, false)
              .thenApply(ends -> {
                Map<TopicPartition, DescribedGroupMember> readers = new HashMap<>();
                known
                    .getKey()
                    .members()
                    .forEach(member -> assigned(member).forEach(each -> readers.put(each, member)));
                List<Lag> lags = new ArrayList<>();
                for (TopicPartition each : there) {
                  Groups.Committed committed = known.getValue().get(each);
                  Long end = ends.get(each);
                  if (committed != null && end != null) {
                    lags.add(new Lag(each, readers.get(each), committed.offset(), end));
                  }
                }
                return lags;
              });
        });
  }

  private boolean isThere(TopicPartition partition) {
    TopicImage topic = node.metadata().image().topic(partition.topic());
    return topic != null && partition.partition() < topic.partitions().size();
  }

  private CompletionStage<HttpResponse> lags(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String group = groupOf(exchange);
    return lagsOf(group)
        .thenApply(lags ->
            resources.list(
                "KafkaConsumerLagList",
                path(group) + "/lags",
                lags.stream().map(each -> lag(resources, group, each)).toList()));
  }

  private CompletionStage<HttpResponse> partitionLag(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String group = groupOf(exchange);
    TopicPartition wanted =
        new TopicPartition(exchange.path("topic_name"), exchange.pathInt("partition_id"));
    return lagsOf(group)
        .thenApply(lags ->
            lags.stream()
                .filter(each -> each.partition().equals(wanted))
                .findFirst()
                .map(each -> Answers.json(200, lag(resources, group, each)))
                .orElseThrow(() ->
                    new HttpFailure(
                        404, 404, "group " + group + " has committed nothing for " + wanted)));
  }

  private static ObjectNode lag(ResourcesV3 resources, String group, Lag lag) {
    DescribedGroupMember member = lag.member();
    return resources
        .resource(
            "KafkaConsumerLag",
            "%s/lags/%s/partitions/%d"
                .formatted(path(group), lag.partition().topic(), lag.partition().partition()),
            "consumer-group=%s/lag=%s".formatted(group, lag.partition()))
        .put("consumer_group_id", group)
        .put("topic_name", lag.partition().topic())
        .put("partition_id", lag.partition().partition())
        .put("consumer_id", member == null ? "" : member.memberId())
        .put("instance_id", member == null ? null : member.groupInstanceId())
        .put("client_id", member == null ? "" : member.clientId())
        .put("current_offset", lag.committed())
        .put("log_end_offset", lag.end())
        .put("lag", lag.lag());
  }

  private CompletionStage<HttpResponse> summary(Exchange exchange) {
    ResourcesV3 resources = in(exchange);
    String group = groupOf(exchange);
    return lagsOf(group)
        .thenApply(lags -> {
          ObjectNode answer =
              resources
                  .resource(
                      "KafkaConsumerGroupLagSummary",
                      path(group) + "/lag-summary",
                      "consumer-group=" + group + "/lag-summary")
                  .put("consumer_group_id", group);
          Lag most =
              lags.stream()
                  .max(Comparator.comparingLong(Lag::lag))
                  .orElseThrow(() ->
                      new HttpFailure(404, 404, "group " + group + " has committed nothing yet"));
          DescribedGroupMember member = most.member();
          answer
              .put("max_lag_consumer_id", member == null ? "" : member.memberId())
              .put("max_lag_instance_id", member == null ? null : member.groupInstanceId())
              .put("max_lag_client_id", member == null ? "" : member.clientId())
              .put("max_lag_topic_name", most.partition().topic())
              .put("max_lag_partition_id", most.partition().partition())
              .put("max_lag", most.lag())
              .put("total_lag", lags.stream().mapToLong(Lag::lag).sum());
          return Answers.json(200, answer);
        });
  }
}
