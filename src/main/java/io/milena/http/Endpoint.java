package io.milena.http;

import akka.http.javadsl.model.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * One thing that the HTTP port does.
 *
 * @param method such as GET; one for GET answers HEAD as well
 * @param pattern the path, with {@code {name}} for a segment that varies
 * @param handler what it does
 */
public record Endpoint(String method, String pattern, Handler handler) {

  /** Serves a request; what it throws, or fails with, becomes an error answer. */
  @FunctionalInterface
  public interface Handler {
    CompletionStage<HttpResponse> handle(Exchange exchange) throws Exception;
  }

  /** Segments of the pattern. */
  List<String> segments() {
    return List.of(pattern.substring(1).split("/", -1));
  }
}
