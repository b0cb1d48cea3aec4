package io.milena.http;

import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * {@code GET /openapi.json}: what the port serves, for tools. A test holds it against the routes.
 */
final class OpenApi {

  private static final String RESOURCE = "openapi.json";

  private OpenApi() {}

  static List<Endpoint> endpoints() {
    return List.of(new Endpoint("GET", "/openapi.json", _ -> Answers.now(document())));
  }

  private static HttpResponse document() throws IOException {
    try (InputStream document = OpenApi.class.getResourceAsStream(RESOURCE)) {
      if (document == null) {
        throw new IOException(RESOURCE + " is missing");
      }
      return HttpResponse.create()
          .withEntity(HttpEntities.create(ContentTypes.APPLICATION_JSON, document.readAllBytes()));
    }
  }
}
