package io.milena.http;

import akka.http.javadsl.model.HttpRequest;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.Connection;
import akka.stream.Materializer;
import io.milena.http.transport.HttpSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the endpoint of a request, and makes an answer of whatever goes wrong. Endpoints are a
 * table, so that the OpenAPI document can be held against it.
 */
final class Router {

  private static final Logger LOG = LoggerFactory.getLogger(Router.class);
  private static final String UNMATCHED = "none";

  private final Map<Integer, List<Route>> bySegmentCount = new HashMap<>();
  private final List<Endpoint> endpoints;
  private final RequestMeter meter;
  private final Cors cors;
  private final Materializer materializer;

  private record Route(Endpoint endpoint, List<String> segments) {
    @Nullable Map<String, String> match(List<String> path) {
      Map<String, String> variables = HashMap.newHashMap(4);
      for (int i = 0; i < segments.size(); i++) {
        String expected = segments.get(i);
        if (expected.startsWith("{")) {
          variables.put(expected.substring(1, expected.length() - 1), path.get(i));
        } else if (!expected.equals(path.get(i))) {
          return null;
        }
      }
      return variables;
    }
  }

  Router(List<Endpoint> endpoints, RequestMeter meter, Cors cors, Materializer materializer) {
    this.endpoints = List.copyOf(endpoints);
    this.meter = meter;
    this.cors = cors;
    this.materializer = materializer;
    for (Endpoint endpoint : endpoints) {
      List<String> segments = endpoint.segments();
      bySegmentCount
          .computeIfAbsent(segments.size(), _ -> new ArrayList<>())
          .add(new Route(endpoint, segments));
    }
  }

  List<Endpoint> endpoints() {
    return endpoints;
  }

  /** The answer, which is an error answer if need be: the stage never fails. */
  CompletionStage<HttpResponse> handle(HttpRequest request, HttpSocket socket) {
    socket.headComplete();
    long start = System.nanoTime();
    String method = request.method().value();
    HttpResponse preflight = cors.preflight(request);
    if (preflight != null) {
      return Answers.now(preflight);
    }
    @Nullable Exchange exchange = null;
    CompletionStage<HttpResponse> answer;
    try {
      exchange = find(request, method, socket);
      answer = exchange.endpoint().handler().handle(exchange);
    } catch (Exception failure) {
      answer = Answers.now(failed(request, failure));
    }
    String pattern = exchange == null ? UNMATCHED : exchange.endpoint().pattern();
    return answer
        .exceptionally(failure -> failed(request, failure))
        .thenApply(response -> {
          meter.answered(exchangeMethod(method), pattern, response.status().intValue(), start);
          return cors.allow(request, method.equals("HEAD") ? HeadAnswer.of(response) : response);
        });
  }

  /** A client may invent methods; the meter does not count each of them. */
  private static String exchangeMethod(String method) {
    return switch (method) {
      case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" -> method;
      default -> "other";
    };
  }

  private Exchange find(HttpRequest request, String method, HttpSocket socket) {
    List<String> path = new ArrayList<>();
    request.getUri().pathSegments().forEach(path::add);
    if (path.size() > 1 && path.getLast().isEmpty()) {
      path.removeLast();
    }
    TreeSet<String> allowed = new TreeSet<>();
    for (Route route : bySegmentCount.getOrDefault(path.size(), List.of())) {
      Map<String, String> variables = route.match(path);
      if (variables != null) {
        String served = route.endpoint().method();
        if (served.equals(method) || (method.equals("HEAD") && served.equals("GET"))) {
          return new Exchange(request, socket, route.endpoint(), variables);
        }
        allowed.add(served);
      }
    }
    if (allowed.isEmpty()) {
      throw new HttpFailure(
          404, 404, "there is nothing at " + request.getUri().path() + "; see GET /openapi.json");
    }
    throw new HttpFailure(
        405,
        405,
        request.getUri().path() + " is not for " + method + " but " + String.join(", ", allowed));
  }

  private HttpResponse failed(HttpRequest request, Throwable thrown) {
    Throwable failure = unwrapped(thrown);
    HttpFailure answer =
        switch (failure) {
          case HttpFailure known -> known;
          case ApiException kafka ->
              HttpFailure.of(Errors.forException(kafka), String.valueOf(kafka.getMessage()));
          case akka.http.scaladsl.model.EntityStreamSizeException tooLarge ->
              new HttpFailure(413, 413, "the body is larger than this resource takes");
          case akka.http.scaladsl.model.EntityStreamException broken ->
              HttpFailure.badRequest("the body could not be read: " + broken.getMessage());
          default -> {
            LOG.error("{} {} failed", request.method().value(), request.getUri().path(), failure);
            yield new HttpFailure(
                500, 500, "an error of the server's own: its log has it (" + failure + ")");
          }
        };
    HttpResponse response = Answers.error(answer);
    if (!request.entity().isStrict()) {
      // What it still sends of its body is of no use: the connection ends with the answer.
      request.entity().getDataBytes().runWith(akka.stream.javadsl.Sink.cancelled(), materializer);
      response = response.addHeader(Connection.create("close"));
    }
    return response;
  }

  private static Throwable unwrapped(Throwable thrown) {
    return thrown instanceof CompletionException && thrown.getCause() != null
        ? unwrapped(thrown.getCause())
        : thrown;
  }
}
