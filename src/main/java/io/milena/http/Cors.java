package io.milena.http;

import akka.http.javadsl.model.HttpRequest;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.RawHeader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which web pages of other origins may use the port: none, unless {@code milena.http-cors} names
 * their origins ("*" for any).
 */
final class Cors {

  private static final String METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
  private static final String HEADERS =
      "Content-Type, Accept, Range, If-Range, If-None-Match, If-Match, Last-Event-ID";
  private static final String EXPOSED = "ETag, Content-Range, Accept-Ranges, Location";

  private final Set<String> origins;

  Cors(Set<String> origins) {
    this.origins = Set.copyOf(origins);
  }

  /** The answer to a browser that asks beforehand; null for any other request. */
  @Nullable HttpResponse preflight(HttpRequest request) {
    if (origins.isEmpty()
        || !request.method().value().equals("OPTIONS")
        || request.getHeader("Access-Control-Request-Method").isEmpty()) {
      return null;
    }
    HttpResponse response =
        HttpResponse.create()
            .withStatus(204)
            .addHeader(RawHeader.create("Access-Control-Allow-Methods", METHODS))
            .addHeader(RawHeader.create("Access-Control-Allow-Headers", HEADERS))
            .addHeader(RawHeader.create("Access-Control-Max-Age", "600"));
    return allow(request, response);
  }

  /** The answer, with what lets the page at its origin read it. */
  HttpResponse allow(HttpRequest request, HttpResponse response) {
    if (origins.isEmpty()) {
      return response;
    }
    String origin = request.getHeader("Origin").map(header -> header.value()).orElse("");
    boolean any = origins.contains("*");
    if (origin.isEmpty() || (!any && !origins.contains(origin))) {
      return response;
    }
    return response
        .addHeader(RawHeader.create("Access-Control-Allow-Origin", any ? "*" : origin))
        .addHeader(RawHeader.create("Access-Control-Expose-Headers", EXPOSED))
        .addHeader(RawHeader.create("Vary", "Origin"));
  }
}
