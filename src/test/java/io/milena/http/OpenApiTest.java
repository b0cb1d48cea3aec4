package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.milena.node.TestNode;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The OpenAPI document says what the port serves: no more, and no less. */
class OpenApiTest {

  @Test
  void theDocumentAndTheRoutesAgree(@TempDir Path data) throws Exception {
    try (TestNode node = TestNode.start(data, Map.of("milena.http", "127.0.0.1:0"));
        HttpClients http = new HttpClients(node.http())) {
      JsonNode document = Answers.JSON.readTree(http.get("/openapi.json").body());
      Set<String> documented = new TreeSet<>();
      document
          .path("paths")
          .properties()
          .forEach(path ->
              path.getValue()
                  .properties()
                  .forEach(operation -> {
                    documented.add(
                        operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
                    Set<String> named = new TreeSet<>();
                    Matcher variables = Pattern.compile("\\{(\\w+)}").matcher(path.getKey());
                    while (variables.find()) {
                      named.add(variables.group(1));
                    }
                    Set<String> declared = new TreeSet<>();
                    operation
                        .getValue()
                        .path("parameters")
                        .forEach(parameter -> {
                          if (parameter.path("in").asText().equals("path")) {
                            declared.add(parameter.path("name").asText());
                          }
                        });
                    assertThat(declared).isEqualTo(named);
                  }));
      Set<String> served = new TreeSet<>();
      node.node().httpEndpoints().forEach(served::add);
      assertThat(documented).isEqualTo(served);
    }
  }
}
