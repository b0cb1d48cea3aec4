package io.milena.http.rest;

import akka.actor.typed.Scheduler;
import akka.http.javadsl.model.ContentTypes;
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
import io.milena.http.group.GroupMember;
import io.milena.http.group.GroupMembers;
import io.milena.http.group.Groups;
import io.milena.http.group.Groups.Committed;
import io.milena.http.stream.Feed;
import io.milena.http.stream.Feeds;
import io.milena.metadata.TopicImage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;
import scala.concurrent.ExecutionContextExecutor;

/**
 * Version 2: consumer instances, and what version 1 had otherwise: reading from a topic subscribes
 * to it. An instance lives on the node that made it, at the URL that the client was given; one that
 * is not used for five minutes is gone.
 */
public final class ConsumersV2 implements ConsumerInstance.Surroundings {

  private static final String INSTANCES = "/consumers/{group}/instances/{instance}";
  private static final int INSTANCES_MAX = 1_000;
  private static final Duration UNUSED_MAX = Duration.ofMinutes(5);
  private static final Duration LOOK_INTERVAL = Duration.ofSeconds(30);
  private static final long TIMEOUT_MS = 1_000;
  private static final long TIMEOUT_MS_MAX = 60_000;
  private static final int RECORDS_BYTES = 1024 * 1024;
  private static final int RECORDS_BYTES_MAX = 16 * 1024 * 1024;

  private final HttpNode node;
  private final GroupMembers members;
  private final Groups groups;
  private final Bodies bodies;
  private final Feeds feeds;
  private final PartitionOffsets offsets;
  private final Scheduler scheduler;
  private final ExecutionContextExecutor executor;
  private final Map<String, ConsumerInstance> instances = new ConcurrentHashMap<>();

  public ConsumersV2(
      HttpNode node,
      GroupMembers members,
      Bodies bodies,
      Feeds feeds,
      PartitionOffsets offsets,
      Scheduler scheduler,
      ExecutionContextExecutor executor) {
    this.node = node;
    this.members = members;
    this.groups = members.groups();
    this.bodies = bodies;
    this.feeds = feeds;
    this.offsets = offsets;
    this.scheduler = scheduler;
    this.executor = executor;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint("POST", "/consumers/{group}", this::create),
        new Endpoint("DELETE", INSTANCES, this::delete),
        new Endpoint("POST", INSTANCES + "/subscription", this::subscribe),
        new Endpoint("GET", INSTANCES + "/subscription", this::subscription),
        new Endpoint("DELETE", INSTANCES + "/subscription", this::unsubscribe),
        new Endpoint("POST", INSTANCES + "/assignments", this::assign),
        new Endpoint("GET", INSTANCES + "/assignments", this::assignments),
        new Endpoint("POST", INSTANCES + "/positions", this::seek),
        new Endpoint(
            "POST", INSTANCES + "/positions/beginning", exchange -> seekToEdge(exchange, true)),
        new Endpoint("POST", INSTANCES + "/positions/end", exchange -> seekToEdge(exchange, false)),
        new Endpoint("POST", INSTANCES + "/offsets", this::commit),
        new Endpoint("GET", INSTANCES + "/offsets", this::committed),
        new Endpoint("GET", INSTANCES + "/records", this::records),
        new Endpoint("GET", INSTANCES + "/topics/{topic}", this::recordsOfTopic));
  }

  /** Instances that there are. */
  public int size() {
    return instances.size();
  }

  // ---- the instances' surroundings

  @Override
  public @Nullable Feed feed(TopicPartition partition) {
    return feeds.find(partition);
  }

  @Override
  public CompletionStage<Map<TopicPartition, Long>> edges(
      Collection<TopicPartition> partitions, boolean first) {
    return offsets.at(
        partitions, first ? PartitionOffsets.EARLIEST : PartitionOffsets.LATEST, true);
  }

  @Override
  public GroupMember member(ConsumerInstance instance, List<String> topics) {
    return members.member(instance.group, () -> topics, instance);
  }

  @Override
  public Groups groups() {
    return groups;
  }

  // ---- requests

  private static HttpResponse done() {
    return HttpResponse.create().withStatus(204);
  }

  private static String key(String group, String name) {
    return group + "/" + name;
  }

  private ConsumerInstance instance(Exchange exchange) {
    ConsumerInstance instance =
        instances.get(key(exchange.path("group"), exchange.path("instance")));
    if (instance == null) {
      throw new HttpFailure(404, 40403, "Consumer instance not found.");
    }
    instance.used(node.clock().monotonicNanos());
    return instance;
  }

  private CompletionStage<HttpResponse> create(Exchange exchange) {
    return bodies.json(exchange).thenApply(body -> create(exchange, body));
  }

  private HttpResponse create(Exchange exchange, JsonNode body) {
    String group = exchange.path("group");
    String asked = body.path("name").asText(body.path("id").asText(""));
    String name = asked.isEmpty() ? "milena-" + UUID.randomUUID() : asked;
    boolean fromEarliest =
        switch (body.path("auto.offset.reset").asText("latest")) {
          case "earliest", "smallest" -> true;
          case "latest", "largest" -> false;
          default ->
              throw new HttpFailure(
                  422,
                  42204,
                  "Invalid consumer configuration: auto.offset.reset is earliest or latest");
        };
    ConsumerInstance instance =
        new ConsumerInstance(
            group,
            name,
            EmbeddedFormat.named(body.path("format").asText("binary")),
            fromEarliest,
            !body.path("auto.commit.enable").asText("true").equals("false"),
            node.clock().monotonicNanos(),
            this);
    if (instances.size() >= INSTANCES_MAX) {
      throw new HttpFailure(
          503, 50303, INSTANCES_MAX + " consumer instances are in use: delete some");
    }
    if (instances.putIfAbsent(key(group, name), instance) != null) {
      throw new HttpFailure(
          409, 40902, "Consumer with specified consumer ID already exists in the group: " + name);
    }
    lookLater();
    // Behind a balancer its address would lead to another node, which does not have the instance.
    String host =
        node.advertised()
            .or(() -> exchange.header("Host"))
            .orElseGet(() -> exchange.request().getUri().host().toString());
    return Answers.json(
        200,
        TopicsV2.TYPE,
        Answers.object()
            .put("instance_id", name)
            .put("base_uri", "http://" + host + "/consumers/" + group + "/instances/" + name));
  }

  /** Looks for instances that nobody uses, for as long as there are any. */
  private void lookLater() {
    scheduler.scheduleOnce(LOOK_INTERVAL, this::look, executor);
  }

  private void look() {
    long now = node.clock().monotonicNanos();
    instances
        .values()
        .removeIf(instance -> {
          boolean unused = instance.isUnusedFor(UNUSED_MAX.toNanos(), now);
          if (unused) {
            var _ = instance.close();
          }
          return unused;
        });
    if (!instances.isEmpty()) {
      lookLater();
    }
  }

  private CompletionStage<HttpResponse> delete(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    instances.remove(key(instance.group, instance.name), instance);
    return instance.close().handle((_, _) -> done());
  }

  private CompletionStage<HttpResponse> subscribe(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    return bodies
        .json(exchange)
        .thenApply(body -> {
          List<String> topics = new ArrayList<>();
          body.path("topics").forEach(topic -> topics.add(topic.asText()));
          if (body.hasNonNull("topic_pattern")) {
            topics.addAll(matching(body.path("topic_pattern").asText()));
          }
          if (topics.isEmpty()) {
            throw new HttpFailure(422, 422, "topics is empty");
          }
          instance.subscribe(List.copyOf(topics));
          return done();
        });
  }

  private List<String> matching(String text) {
    Pattern pattern;
    try {
      pattern = Pattern.compile(text);
    } catch (PatternSyntaxException wrong) {
      throw new HttpFailure(422, 422, "topic_pattern: " + wrong.getDescription());
    }
    return node.metadata().image().topicsByName().values().stream()
        .filter(topic -> !topic.internal() && pattern.matcher(topic.name()).matches())
        .map(TopicImage::name)
        .toList();
  }

  private CompletionStage<HttpResponse> subscription(Exchange exchange) {
    ObjectNode answer = Answers.object();
    ArrayNode topics = answer.putArray("topics");
    instance(exchange).subscription().forEach(topics::add);
    return Answers.now(Answers.json(200, TopicsV2.TYPE, answer));
  }

  private CompletionStage<HttpResponse> unsubscribe(Exchange exchange) {
    instance(exchange).unsubscribe();
    return Answers.now(done());
  }

  private CompletionStage<HttpResponse> assign(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    return bodies
        .json(exchange)
        .thenCompose(body -> instance.assign(partitions(body)))
        .thenApply(_ -> done());
  }

  private List<TopicPartition> partitions(JsonNode body) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (JsonNode each : body.path("partitions")) {
      partitions.add(partition(each));
    }
    return partitions;
  }

  private TopicPartition partition(JsonNode each) {
    TopicPartition partition =
        new TopicPartition(each.path("topic").asText(), each.path("partition").asInt(-1));
    TopicImage topic = node.metadata().image().topic(partition.topic());
    if (topic == null) {
      throw new HttpFailure(404, 40401, "Topic not found: " + partition.topic());
    }
    if (partition.partition() < 0 || partition.partition() >= topic.partitions().size()) {
      throw new HttpFailure(404, 40402, "Partition not found: " + partition);
    }
    return partition;
  }

  private CompletionStage<HttpResponse> assignments(Exchange exchange) {
    ObjectNode answer = Answers.object();
    ArrayNode partitions = answer.putArray("partitions");
    for (TopicPartition each : instance(exchange).assignment()) {
      partitions.addObject().put("topic", each.topic()).put("partition", each.partition());
    }
    return Answers.now(Answers.json(200, TopicsV2.TYPE, answer));
  }

  private CompletionStage<HttpResponse> seek(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    return bodies
        .json(exchange)
        .thenApply(body -> {
          Map<TopicPartition, Long> offsets = new LinkedHashMap<>();
          for (JsonNode each : body.path("offsets")) {
            offsets.put(partition(each), offset(each));
          }
          instance.seek(offsets);
          return done();
        });
  }

  private static long offset(JsonNode each) {
    JsonNode offset = each.path("offset");
    if (!offset.isIntegralNumber() || offset.longValue() < 0) {
      throw new HttpFailure(422, 422, "offset is " + offset + ": it must be a number from 0 on");
    }
    return offset.longValue();
  }

  private CompletionStage<HttpResponse> seekToEdge(Exchange exchange, boolean first) {
    ConsumerInstance instance = instance(exchange);
    return bodies
        .json(exchange)
        .thenCompose(body -> instance.seekToEdge(partitions(body), first))
        .thenApply(_ -> done());
  }

  private CompletionStage<HttpResponse> commit(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    return bodies
        .json(exchange)
        .thenCompose(body -> {
          if (!body.path("offsets").isArray()) {
            return instance.commitPositions();
          }
          Map<TopicPartition, Committed> offsets = new LinkedHashMap<>();
          for (JsonNode each : body.path("offsets")) {
            // The API names the last record that was read; Kafka the next to be read.
            offsets.put(
                partition(each), new Committed(offset(each) + 1, each.path("metadata").asText("")));
          }
          return instance.commit(offsets);
        })
        .thenApply(_ -> HttpResponse.create().withStatus(200));
  }

  private CompletionStage<HttpResponse> committed(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    return bodies
        .json(exchange)
        .thenCompose(body -> groups.committed(instance.group, partitions(body)))
        .thenApply(committed -> {
          ObjectNode answer = Answers.object();
          ArrayNode offsets = answer.putArray("offsets");
          committed.forEach((partition, offset) ->
              offsets
                  .addObject()
                  .put("topic", partition.topic())
                  .put("partition", partition.partition())
                  .put("offset", offset.offset())
                  .put("metadata", offset.metadata()));
          return Answers.json(200, TopicsV2.TYPE, answer);
        });
  }

  private CompletionStage<HttpResponse> recordsOfTopic(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    String topic = exchange.path("topic");
    if (node.metadata().image().topic(topic) == null) {
      throw new HttpFailure(404, 40401, "Topic not found: " + topic);
    }
    List<String> subscription = instance.subscription();
    if (subscription.isEmpty()) {
      instance.subscribe(List.of(topic));
    } else if (!subscription.contains(topic)) {
      throw new HttpFailure(
          409,
          40901,
          "Consumer cannot subscribe the specified target because it has already subscribed to"
              + " other topics: "
              + subscription);
    }
    return records(exchange, instance, instance.format.firstMediaType());
  }

  private CompletionStage<HttpResponse> records(Exchange exchange) {
    ConsumerInstance instance = instance(exchange);
    return records(exchange, instance, instance.format.mediaType());
  }

  private CompletionStage<HttpResponse> records(
      Exchange exchange, ConsumerInstance instance, String type) {
    EmbeddedFormat format = instance.format;
    String accept = exchange.header("Accept").orElse("*/*");
    if (accept.startsWith("application/vnd.kafka.")
        && !accept.contains(type)
        && !accept.contains("application/vnd.kafka.v")) {
      throw new HttpFailure(
          406,
          40601,
          "The requested embedded data format does not match the deserializer for this consumer"
              + " instance, which is "
              + type);
    }
    long timeout = exchange.queryLong("timeout", TIMEOUT_MS, 0, TIMEOUT_MS_MAX);
    int bytes = (int) exchange.queryLong("max_bytes", RECORDS_BYTES, 1, RECORDS_BYTES_MAX);
    return instance
        .poll(
            timeout,
            bytes,
            node.clock().monotonicNanos(),
            (partition, record) -> element(format, partition, record))
        .thenApply(records -> {
          ArrayNode all = Answers.JSON.createArrayNode();
          all.addAll(records);
          return Answers.json(200, ContentTypes.parse(type), all);
        });
  }

  private static ObjectNode element(
      EmbeddedFormat format, TopicPartition partition, Record record) {
    ObjectNode element = Answers.object().put("topic", partition.topic());
    element.set("key", format.encode(array(record.key())));
    element.set("value", format.encode(array(record.value())));
    return element.put("partition", partition.partition()).put("offset", record.offset());
  }

  private static byte @Nullable [] array(@Nullable ByteBuffer bytes) {
    if (bytes == null) {
      return null;
    }
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return copy;
  }
}
