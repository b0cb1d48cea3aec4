package io.milena.http.rest;

import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Bodies;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.PartitionOffsets;
import io.milena.http.produce.Produced;
import io.milena.http.produce.RecordProducer;
import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/** Version 2: topics, partitions, brokers, and producing. */
public final class TopicsV2 {

  static final ContentType TYPE = ContentTypes.parse("application/vnd.kafka.v2+json");

  private static final int TOPIC_NOT_FOUND = 40401;
  private static final int PARTITION_NOT_FOUND = 40402;
  private static final int NOT_RETRIABLE = 1;
  private static final int RETRIABLE = 2;

  private final HttpNode node;
  private final Bodies bodies;
  private final RecordProducer producer;
  private final PartitionOffsets offsets;

  public TopicsV2(HttpNode node, Bodies bodies, RecordProducer producer, PartitionOffsets offsets) {
    this.node = node;
    this.bodies = bodies;
    this.producer = producer;
    this.offsets = offsets;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint("GET", "/topics", _ -> Answers.now(list())),
        new Endpoint("GET", "/topics/{topic}", exchange -> Answers.now(describe(exchange))),
        new Endpoint("POST", "/topics/{topic}", exchange -> produce(exchange, OptionalInt.empty())),
        new Endpoint(
            "GET", "/topics/{topic}/partitions", exchange -> Answers.now(partitions(exchange))),
        new Endpoint(
            "GET",
            "/topics/{topic}/partitions/{partition}",
            exchange -> Answers.now(partition(exchange))),
        new Endpoint(
            "POST",
            "/topics/{topic}/partitions/{partition}",
            exchange -> {
              int partition = partitionOf(exchange).partition();
              return produce(exchange, OptionalInt.of(partition));
            }),
        new Endpoint("GET", "/topics/{topic}/partitions/{partition}/offsets", this::offsets),
        new Endpoint("GET", "/brokers", _ -> Answers.now(brokers())));
  }

  private HttpResponse list() {
    ArrayNode names = Answers.JSON.createArrayNode();
    node.metadata().image().topicsByName().keySet().stream().sorted().forEach(names::add);
    return Answers.json(200, TYPE, names);
  }

  private HttpResponse brokers() {
    ObjectNode answer = Answers.object();
    ArrayNode ids = answer.putArray("brokers");
    node.metadata().image().nodes().values().stream()
        .filter(each -> !each.fenced())
        .map(NodeImage::id)
        .sorted()
        .forEach(ids::add);
    return Answers.json(200, TYPE, answer);
  }

  private HttpResponse describe(Exchange exchange) {
    MetadataImage image = node.metadata().image();
    TopicImage topic = producer.topic(exchange.path("topic"), TOPIC_NOT_FOUND);
    ObjectNode answer = Answers.object().put("name", topic.name());
    ObjectNode configs = answer.putObject("configs");
    EffectiveConfigs.effectiveTopicConfig(image, node.identity().staticConfig(), topic.name())
        .forEach(configs::put);
    answer.set("partitions", partitions(image, topic));
    return Answers.json(200, TYPE, answer);
  }

  private HttpResponse partitions(Exchange exchange) {
    TopicImage topic = producer.topic(exchange.path("topic"), TOPIC_NOT_FOUND);
    return Answers.json(200, TYPE, partitions(node.metadata().image(), topic));
  }

  private static ArrayNode partitions(MetadataImage image, TopicImage topic) {
    ArrayNode all = Answers.JSON.createArrayNode();
    topic.partitions().forEach(partition -> all.add(partition(image, partition)));
    return all;
  }

  private static ObjectNode partition(MetadataImage image, PartitionImage partition) {
    ReplicaSetImage set = image.replicaSetOf(partition);
    ObjectNode answer =
        Answers.object().put("partition", partition.partition()).put("leader", set.leader());
    ArrayNode replicas = answer.putArray("replicas");
    for (int replica : set.replicas()) {
      replicas
          .addObject()
          .put("broker", replica)
          .put("leader", replica == set.leader())
          .put("in_sync", set.isr().contains(replica));
    }
    return answer;
  }

  private PartitionImage partitionOf(Exchange exchange) {
    TopicImage topic = producer.topic(exchange.path("topic"), TOPIC_NOT_FOUND);
    int partition = exchange.pathInt("partition");
    if (partition < 0 || partition >= topic.partitions().size()) {
      throw new HttpFailure(404, PARTITION_NOT_FOUND, "Partition not found: " + partition);
    }
    return topic.partitions().get(partition);
  }

  private HttpResponse partition(Exchange exchange) {
    return Answers.json(200, TYPE, partition(node.metadata().image(), partitionOf(exchange)));
  }

  private CompletionStage<HttpResponse> offsets(Exchange exchange) {
    TopicPartition partition =
        new TopicPartition(exchange.path("topic"), partitionOf(exchange).partition());
    List<TopicPartition> one = List.of(partition);
    return offsets
        .at(one, PartitionOffsets.EARLIEST, false)
        .thenCombine(
            offsets.at(one, PartitionOffsets.LATEST, false),
            (first, end) ->
                Answers.json(
                    200,
                    TYPE,
                    Answers.object()
                        .put("beginning_offset", first.get(partition))
                        .put("end_offset", end.get(partition))));
  }

  private CompletionStage<HttpResponse> produce(Exchange exchange, OptionalInt partition) {
    TopicImage topic = producer.topic(exchange.path("topic"), TOPIC_NOT_FOUND);
    EmbeddedFormat format = EmbeddedFormat.ofBody(exchange);
    return bodies
        .bytes(exchange)
        .thenCompose(body ->
            producer.produce(topic, RecordsBody.parse(body.toArrayUnsafe(), format, partition)))
        .thenApply(TopicsV2::answer);
  }

  private static HttpResponse answer(List<Produced> outcomes) {
    ObjectNode answer = Answers.object();
    ArrayNode offsets = answer.putArray("offsets");
    for (Produced outcome : outcomes) {
      ObjectNode each = offsets.addObject().put("partition", outcome.partition());
      if (outcome.error() == Errors.NONE) {
        each.put("offset", outcome.offset()).putNull("error_code").putNull("error");
      } else {
        boolean retriable = outcome.error().exception() instanceof RetriableException;
        each.putNull("offset")
            .put("error_code", retriable ? RETRIABLE : NOT_RETRIABLE)
            .put("error", outcome.message());
      }
    }
    answer.putNull("key_schema_id").putNull("value_schema_id");
    return Answers.json(200, TYPE, answer);
  }
}
