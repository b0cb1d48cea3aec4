package io.milena.http;

import akka.http.javadsl.model.HttpEntity;
import akka.http.javadsl.model.RequestEntity;
import akka.stream.Materializer;
import akka.util.ByteString;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bodies of requests, read as a whole. All that are being read share {@value #BUDGET_BYTES} bytes;
 * whoever comes when they are used up is told to come again.
 */
public final class Bodies {

  /** One body. */
  public static final int BODY_BYTES_MAX = 16 * 1024 * 1024;

  private static final long BUDGET_BYTES = 128L * 1024 * 1024;

  /** For a client that sends its body slowly. */
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Materializer materializer;
  private final AtomicLong used = new AtomicLong();

  public Bodies(Materializer materializer) {
    this.materializer = materializer;
  }

  /** A JSON object; an empty body is an empty one. */
  public CompletionStage<JsonNode> json(Exchange exchange) {
    return bytes(exchange)
        .thenApply(bytes -> {
          JsonNode body = parse(bytes);
          if (!body.isObject()) {
            throw HttpFailure.badRequest("the body must be a JSON object");
          }
          return body;
        });
  }

  private static JsonNode parse(ByteString bytes) {
    if (bytes.isEmpty()) {
      return Answers.object();
    }
    try {
      return Answers.JSON.readTree(bytes.toArrayUnsafe());
    } catch (JsonProcessingException wrong) {
      throw HttpFailure.badRequest("the body is not JSON: " + wrong.getOriginalMessage());
    } catch (IOException wrong) {
      throw HttpFailure.badRequest("the body cannot be read: " + wrong.getMessage());
    }
  }

  /** A whole body. */
  public CompletionStage<ByteString> bytes(Exchange exchange) {
    RequestEntity entity = exchange.request().entity();
    if (entity instanceof HttpEntity.Strict strict) {
      return CompletableFuture.completedFuture(strict.getData());
    }
    long reserved = entity.getContentLengthOption().orElse(BODY_BYTES_MAX);
    if (reserved > BODY_BYTES_MAX) {
      throw new HttpFailure(
          413,
          413,
          "the body has %d bytes: at most %d are taken".formatted(reserved, BODY_BYTES_MAX));
    }
    if (used.addAndGet(reserved) > BUDGET_BYTES) {
      used.addAndGet(-reserved);
      throw new HttpFailure(503, 503, "too many large bodies are being read: come again");
    }
    return entity
        .toStrict(TIMEOUT.toMillis(), BODY_BYTES_MAX, materializer)
        .whenComplete((_, _) -> used.addAndGet(-reserved))
        .handle((strict, failure) -> {
          if (failure == null) {
            return strict.getData();
          }
          Throwable cause = failure.getCause() == null ? failure : failure.getCause();
          if (cause instanceof java.util.concurrent.TimeoutException) {
            throw new HttpFailure(408, 408, "the body took longer than " + TIMEOUT);
          }
          throw new java.util.concurrent.CompletionException(cause);
        });
  }
}
