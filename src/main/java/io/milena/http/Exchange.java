package io.milena.http;

import akka.http.javadsl.model.HttpHeader;
import akka.http.javadsl.model.HttpRequest;
import akka.http.javadsl.model.Query;
import io.milena.http.transport.HttpSocket;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One request that has found its endpoint. */
public final class Exchange {

  private final HttpRequest request;
  private final HttpSocket socket;
  private final Endpoint endpoint;
  private final Map<String, String> path;
  private @Nullable Query query;

  Exchange(HttpRequest request, HttpSocket socket, Endpoint endpoint, Map<String, String> path) {
    this.request = request;
    this.socket = socket;
    this.endpoint = endpoint;
    this.path = Map.copyOf(path);
  }

  public HttpRequest request() {
    return request;
  }

  /** The connection it came by. */
  public HttpSocket socket() {
    return socket;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** What the path has in place of {@code {name}}, decoded; {@code name} is in the pattern. */
  public String path(String name) {
    String value = path.get(name);
    if (value == null) {
      throw new IllegalStateException(endpoint.pattern() + " has no {" + name + "}");
    }
    return value;
  }

  /** A number in the path that names something: what is no such number names nothing. */
  public int pathInt(String name) {
    try {
      return Integer.parseInt(path(name));
    } catch (NumberFormatException _) {
      throw new HttpFailure(404, 404, "there is no " + name + " '" + path(name) + "'");
    }
  }

  /** The last of the query's parameters of this name. */
  public Optional<String> query(String name) {
    List<String> all = queryAll(name);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
  }

  /** All of the query's parameters of this name, in their order. */
  public List<String> queryAll(String name) {
    Query parsed = query;
    if (parsed == null) {
      try {
        parsed = request.getUri().query();
      } catch (RuntimeException wrong) {
        throw HttpFailure.badRequest("the query of the URL cannot be read: " + wrong.getMessage());
      }
      query = parsed;
    }
    return parsed.toMultiMap().getOrDefault(name, List.of());
  }

  /** A whole number in the query. */
  public long queryLong(String name, long otherwise, long least, long most) {
    return query(name).map(value -> number(name, value, least, most)).orElse(otherwise);
  }

  /** {@code true} or {@code false} in the query. */
  public boolean queryFlag(String name, boolean otherwise) {
    return query(name)
        .map(value ->
            switch (value) {
              case "true", "" -> true;
              case "false" -> false;
              default ->
                  throw HttpFailure.badRequest(name + " is '" + value + "': say true or false");
            })
        .orElse(otherwise);
  }

  static long number(String name, String value, long least, long most) {
    try {
      long number = Long.parseLong(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException _) {
      // Said below.
    }
    throw HttpFailure.badRequest(
        name + " is '" + value + "': it must be a whole number from " + least + " to " + most);
  }

  /** The value of a request header. */
  public Optional<String> header(String name) {
    return request.getHeader(name).map(HttpHeader::value);
  }
}
