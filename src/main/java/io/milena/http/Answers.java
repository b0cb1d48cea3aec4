package io.milena.http;

import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.RawHeader;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Answers, and the JSON they are made of. */
public final class Answers {

  /** Reads and writes every JSON of the port. */
  public static final ObjectMapper JSON = new ObjectMapper();

  private Answers() {}

  public static ObjectNode object() {
    return JSON.createObjectNode();
  }

  /** {@code application/json} with a status. */
  public static HttpResponse json(int status, JsonNode body) {
    return json(status, ContentTypes.APPLICATION_JSON, body);
  }

  /** JSON under a content type of its own. */
  public static HttpResponse json(int status, ContentType type, JsonNode body) {
    return HttpResponse.create()
        .withStatus(status)
        .withEntity(HttpEntities.create(type, bytes(body)));
  }

  /** A JSON value as UTF-8. */
  public static byte[] bytes(JsonNode body) {
    try {
      return JSON.writeValueAsBytes(body);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** A line of text. */
  public static HttpResponse text(int status, String line) {
    return HttpResponse.create()
        .withStatus(status)
        .withEntity(
            HttpEntities.create(
                ContentTypes.TEXT_PLAIN_UTF8, (line + "\n").getBytes(StandardCharsets.UTF_8)));
  }

  /** An error, in the shape of the REST Proxy APIs. */
  public static HttpResponse error(HttpFailure failure) {
    HttpResponse response =
        json(
            failure.status(),
            object().put("error_code", failure.code()).put("message", failure.getMessage()));
    return failure.status() == 503
        ? response.addHeader(RawHeader.create("Retry-After", "1"))
        : response;
  }

  public static CompletionStage<HttpResponse> now(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
