package io.milena.http.produce;

import akka.NotUsed;
import akka.http.javadsl.model.AttributeKeys;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.ws.Message;
import akka.http.javadsl.model.ws.TextMessage;
import akka.stream.Materializer;
import akka.stream.javadsl.Flow;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.http.Answers;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.metadata.TopicImage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /produce?topic=NAME} with an upgrade to WebSocket: each message is a record as streams
 * have them, and is answered, in order, once it is acknowledged: with its partition and offset or
 * with an error, and with the {@code id} that it had, if any. Messages that come while a batch is
 * under way become the next batch.
 */
public final class ProduceSocket {

  private static final int MESSAGE_CHARACTERS_MAX = 4 * 1024 * 1024;
  private static final int TOPIC_NOT_FOUND = 40403;

  private final RecordProducer producer;
  private final Materializer materializer;

  public ProduceSocket(RecordProducer producer, Materializer materializer) {
    this.producer = producer;
    this.materializer = materializer;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(new Endpoint("GET", "/produce", exchange -> Answers.now(open(exchange))));
  }

  /** A message: its record, or why it has none. */
  private record Sent(
      JsonNode id, @Nullable NewRecord record, @Nullable HttpFailure refused, long sizeBytes) {}

  private HttpResponse open(Exchange exchange) {
    String name =
        exchange
            .query("topic")
            .orElseThrow(() -> HttpFailure.badRequest("say which topic: /produce?topic=NAME"));
    TopicImage topic = producer.topic(name, TOPIC_NOT_FOUND);
    Flow<Message, Message, NotUsed> receipts =
        Flow.of(Message.class)
            .mapAsync(1, this::text)
            .map(ProduceSocket::parse)
            .via(Waiting.together(Sent::sizeBytes))
            .mapAsync(1, batch -> write(topic, batch))
            .mapConcat(each -> each);
    return exchange
        .request()
        .getAttribute(AttributeKeys.webSocketUpgrade)
        .orElseThrow(
            () -> new HttpFailure(426, 426, "this resource speaks WebSocket: ask for an upgrade"))
        .handleMessagesWith(receipts);
  }

  private CompletionStage<String> text(Message message) {
    if (!message.isText()) {
      return message
          .asBinaryMessage()
          .getStreamedData()
          .runWith(akka.stream.javadsl.Sink.ignore(), materializer)
          .thenApply(_ -> "");
    }
    TextMessage text = message.asTextMessage();
    return text.isStrict()
        ? CompletableFuture.completedFuture(text.getStrictText())
        : text.getStreamedText()
            .limitWeighted(MESSAGE_CHARACTERS_MAX, part -> Long.valueOf(part.length()))
            .runFold(new StringBuilder(), StringBuilder::append, materializer)
            .thenApply(StringBuilder::toString);
  }

  private static Sent parse(String message) {
    JsonNode json;
    try {
      json = Answers.JSON.readTree(message);
    } catch (JsonProcessingException wrong) {
      return refused(
          MissingNode.getInstance(),
          HttpFailure.badRequest("the message is not JSON: " + wrong.getOriginalMessage()));
    }
    JsonNode id = json.path("id");
    if (!json.isObject()) {
      return refused(id, HttpFailure.badRequest("a message is a JSON object with a value"));
    }
    try {
      List<Header> headers = new ArrayList<>(0);
      for (JsonNode header : json.path("headers")) {
        headers.add(new RecordHeader(header.path("key").asText(), bytes(header, "value")));
      }
      NewRecord record =
          new NewRecord(
              json.path("partition").isInt()
                  ? Integer.valueOf(json.path("partition").intValue())
                  : null,
              json.path("timestamp").isIntegralNumber()
                  ? Long.valueOf(json.path("timestamp").longValue())
                  : null,
              bytes(json, "key"),
              bytes(json, "value"),
              headers);
      return new Sent(id, record, null, record.sizeBytes());
    } catch (IllegalArgumentException wrong) {
      return refused(id, HttpFailure.badRequest("not Base64: " + wrong.getMessage()));
    }
  }

  private static Sent refused(JsonNode id, HttpFailure failure) {
    return new Sent(id, null, failure, 0);
  }

  /** Text as UTF-8, other JSON as it is, or Base64 under its own name. */
  private static byte @Nullable [] bytes(JsonNode node, String field) {
    JsonNode encoded = node.path(field + "Base64");
    if (encoded.isTextual()) {
      return Base64.getDecoder().decode(encoded.textValue());
    }
    JsonNode value = node.path(field);
    if (value.isNull() || value.isMissingNode()) {
      return null;
    }
    return value.isTextual()
        ? value.textValue().getBytes(StandardCharsets.UTF_8)
        : Answers.bytes(value);
  }

  private CompletionStage<List<Message>> write(TopicImage topic, List<Sent> batch) {
    List<NewRecord> records = new ArrayList<>(batch.size());
    for (Sent sent : batch) {
      if (sent.record() != null) {
        records.add(sent.record());
      }
    }
    return producer
        .produce(topic, records)
        .thenApply(outcomes -> {
          List<Message> receipts = new ArrayList<>(batch.size());
          int next = 0;
          for (Sent sent : batch) {
            ObjectNode receipt = Answers.object();
            if (!sent.id().isMissingNode()) {
              receipt.set("id", sent.id());
            }
            HttpFailure failure = sent.refused();
            if (failure == null) {
              Produced outcome = outcomes.get(next++);
              if (outcome.error() == Errors.NONE) {
                receipt.put("partition", outcome.partition()).put("offset", outcome.offset());
              } else {
                failure = HttpFailure.of(outcome.error(), outcome.message());
              }
            }
            if (failure != null) {
              receipt.put("error_code", failure.code()).put("message", failure.getMessage());
            }
            receipts.add(TextMessage.create(receipt.toString()));
          }
          return receipts;
        });
  }
}
