package io.milena.http.rest;

import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.japi.pf.PFBuilder;
import akka.stream.javadsl.JsonFraming;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Bodies;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.produce.NewRecord;
import io.milena.http.produce.Produced;
import io.milena.http.produce.RecordProducer;
import io.milena.http.produce.Waiting;
import io.milena.http.transport.HttpSocket;
import io.milena.metadata.TopicImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Version 3: producing. The body is one record, or a stream of records one behind the other; the
 * answer is a stream of receipts in the same order, each sent as soon as its record is
 * acknowledged. What comes while a batch is under way becomes the next batch.
 */
public final class RecordsV3 {

  private static final String RECORDS = ClusterV3.CLUSTER + "/topics/{topic_name}/records";
  private static final int TOPIC_NOT_FOUND = 40403;

  private final HttpNode node;
  private final RecordProducer producer;

  public RecordsV3(HttpNode node, RecordProducer producer) {
    this.node = node;
    this.producer = producer;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(new Endpoint("POST", RECORDS, exchange -> Answers.now(produce(exchange))));
  }

  /** A record that was sent, or why it is none. */
  private record Sent(@Nullable Parsed parsed, @Nullable HttpFailure refused, long sizeBytes) {}

  private record Parsed(NewRecord record, @Nullable String keyType, @Nullable String valueType) {}

  private HttpResponse produce(Exchange exchange) {
    var _ = ResourcesV3.inCluster(exchange, node.clusterId());
    TopicImage topic = producer.topic(exchange.path("topic_name"), TOPIC_NOT_FOUND);
    HttpSocket socket = exchange.socket();
    // The answer begins while the body is still coming.
    socket.bodyOpen(true);
    Source<ByteString, Object> receipts =
        exchange
            .request()
            .entity()
            .getDataBytes()
            .via(JsonFraming.objectScanner(Bodies.BODY_BYTES_MAX))
            .map(RecordsV3::parse)
            .recover(
                new PFBuilder<Throwable, Sent>()
                    .matchAny(failure ->
                        new Sent(
                            null,
                            HttpFailure.badRequest(
                                "the body cannot be read on: " + failure.getMessage()),
                            0))
                    .build())
            .via(Waiting.together(Sent::sizeBytes))
            .mapAsync(1, batch -> write(topic, batch))
            .watchTermination((materialized, done) -> {
              done.whenComplete((_, _) -> socket.bodyOpen(false));
              return materialized;
            });
    return HttpResponse.create()
        .withEntity(HttpEntities.createChunked(ContentTypes.APPLICATION_JSON, receipts));
  }

  private static Sent parse(ByteString bytes) {
    try {
      JsonNode json = Answers.JSON.readTree(bytes.toArrayUnsafe());
      JsonNode partition = json.path("partition_id");
      if (!partition.isMissingNode() && !partition.isNull() && !partition.isInt()) {
        throw HttpFailure.badRequest("partition_id is no number");
      }
      List<Header> headers = new ArrayList<>(0);
      for (JsonNode header : json.path("headers")) {
        headers.add(
            new RecordHeader(
                header.path("name").asText(),
                header.path("value").isTextual()
                    ? Base64.getDecoder().decode(header.path("value").textValue())
                    : null));
      }
      NewRecord record =
          new NewRecord(
              partition.isInt() ? Integer.valueOf(partition.intValue()) : null,
              timestamp(json.path("timestamp")),
              data(json.path("key"), "key"),
              data(json.path("value"), "value"),
              headers);
      return new Sent(
          new Parsed(record, type(json.path("key")), type(json.path("value"))),
          null,
          record.sizeBytes());
    } catch (HttpFailure refused) {
      return new Sent(null, refused, 0);
    } catch (IOException | IllegalArgumentException wrong) {
      return new Sent(null, HttpFailure.badRequest("not a record: " + wrong.getMessage()), 0);
    }
  }

  private static @Nullable Long timestamp(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    if (value.isIntegralNumber()) {
      return value.longValue();
    }
    try {
      return Instant.parse(value.asText()).toEpochMilli();
    } catch (DateTimeParseException _) {
      throw HttpFailure.badRequest(
          "timestamp is '" + value.asText() + "': write it as 2026-01-31T12:00:00Z");
    }
  }

  private static @Nullable String type(JsonNode part) {
    return part.isObject() ? part.path("type").asText("JSON") : null;
  }

  private static byte @Nullable [] data(JsonNode part, String what) {
    if (part.isMissingNode() || part.isNull()) {
      return null;
    }
    JsonNode data = part.path("data");
    String type = part.path("type").asText("JSON");
    if (data.isMissingNode() || data.isNull()) {
      return null;
    }
    return switch (type) {
      case "BINARY" -> Base64.getDecoder().decode(data.asText());
      case "STRING" -> data.asText().getBytes(StandardCharsets.UTF_8);
      case "JSON" -> Answers.bytes(data);
      default ->
          throw new HttpFailure(
              422,
              42200,
              what + " is of type " + type + ": BINARY, STRING and JSON are known here");
    };
  }

  private CompletionStage<ByteString> write(TopicImage topic, List<Sent> batch) {
    List<NewRecord> records = new ArrayList<>(batch.size());
    for (Sent sent : batch) {
      if (sent.parsed() != null) {
        records.add(sent.parsed().record());
      }
    }
    return producer
        .produce(topic, records)
        .thenApply(outcomes -> {
          StringBuilder receipts = new StringBuilder();
          int next = 0;
          for (Sent sent : batch) {
            Parsed parsed = sent.parsed();
            ObjectNode receipt =
                parsed == null
                    ? refusal(sent.refused())
                    : receipt(topic, parsed, outcomes.get(next++));
            receipts.append(receipt).append("\r\n");
          }
          return ByteString.fromString(receipts.toString());
        });
  }

  private static ObjectNode refusal(@Nullable HttpFailure refused) {
    return Answers.object()
        .put("error_code", refused == null ? 400 : refused.code())
        .put("message", refused == null ? "not a record" : refused.getMessage());
  }

  private ObjectNode receipt(TopicImage topic, Parsed sent, Produced outcome) {
    if (outcome.error() != Errors.NONE) {
      return refusal(HttpFailure.of(outcome.error(), outcome.message()));
    }
    ObjectNode receipt =
        Answers.object()
            .put("error_code", 200)
            .put("cluster_id", node.clusterId())
            .put("topic_name", topic.name())
            .put("partition_id", outcome.partition())
            .put("offset", outcome.offset())
            .put("timestamp", Instant.ofEpochMilli(outcome.timestampMs()).toString());
    part(receipt, "key", sent.keyType(), sent.record().key());
    part(receipt, "value", sent.valueType(), sent.record().value());
    return receipt;
  }

  private static void part(
      ObjectNode receipt, String field, @Nullable String type, byte @Nullable [] bytes) {
    if (type != null) {
      receipt.putObject(field).put("type", type).put("size", bytes == null ? 0 : bytes.length);
    }
  }
}
