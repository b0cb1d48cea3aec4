package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.milena.node.TestNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes: whichever is asked serves what others have, also while one of them goes. */
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AnyNodeTest {

  private static final String JSON = "application/vnd.kafka.json.v2+json";

  @TempDir static Path directory;
  private static final Map<Integer, TestNode> nodes = new TreeMap<>();
  private static final Map<Integer, HttpClients> clients = new HashMap<>();

  @BeforeAll
  static void start() throws Exception {
    start(1, Map.of());
    start(2, Map.of("milena.cluster.join", nodes.get(1).bootstrap()));
    start(3, Map.of("milena.cluster.join", nodes.get(1).bootstrap()));
    try (Admin admin = nodes.get(1).admin()) {
      HttpClients.until(
          () -> admin.describeCluster().nodes().get().size() == 3, "three nodes are there");
      // A partition on each node alone, and one on the first two.
      admin
          .createTopics(
              List.of(
                  new NewTopic("single", Map.of(0, List.of(1), 1, List.of(2), 2, List.of(3))),
                  new NewTopic("double", Map.of(0, List.of(1, 2)))))
          .all()
          .get(60, TimeUnit.SECONDS);
    }
    for (HttpClients each : clients.values()) {
      HttpClients.until(
          () -> each.get("/topics").body().contains("\"double\""), "every node knows the topics");
    }
  }

  private static void start(int number, Map<String, String> more) {
    Map<String, String> settings = new HashMap<>(more);
    settings.put("milena.http", "127.0.0.1:0");
    settings.put("offsets.topic.replication.factor", "3");
    TestNode node = TestNode.start(directory.resolve("node-" + number), settings);
    nodes.put(number, node);
    clients.put(number, new HttpClients(node.http()));
  }

  @AfterAll
  static void stop() {
    clients.values().forEach(HttpClients::close);
    nodes.values().forEach(TestNode::close);
  }

  private static JsonNode json(HttpResponse<String> answer) throws IOException {
    assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
    return Answers.JSON.readTree(answer.body());
  }

  private static long produce(int node, String topic, int partition, String value)
      throws Exception {
    String body = "{\"records\":[{\"value\":\"%s\"}]}".formatted(value);
    JsonNode answer =
        json(
            clients
                .get(node)
                .send("POST", "/topics/%s/partitions/%d".formatted(topic, partition), JSON, body));
    JsonNode offset = answer.path("offsets").path(0).path("offset");
    assertThat(offset.isIntegralNumber()).as(answer.toString()).isTrue();
    return offset.asLong();
  }

  @Test
  @Order(1)
  void everyNodeTakesAndGivesRecordsOfEveryPartition() throws Exception {
    List<String> sent = new ArrayList<>();
    for (int node = 1; node <= 3; node++) {
      for (int partition = 0; partition < 3; partition++) {
        sent.add("%d to %d".formatted(node, partition));
        assertThat(produce(node, "single", partition, sent.getLast())).isEqualTo(node - 1);
      }
    }
    for (HttpClients each : clients.values()) {
      List<String> got = new ArrayList<>();
      String stream = "/stream?topics=single&from=earliest&follow=false&value=json";
      for (String line : each.get(stream).body().lines().toList()) {
        got.add(Answers.JSON.readTree(line).path("value").asText());
      }
      assertThat(got).containsExactlyInAnyOrderElementsOf(sent);
      assertThat(each.get(stream.replace("earliest", "1")).body().lines()).hasSize(6);
      assertThat(each.get("/topics/single/partitions/1/offsets").body())
          .isEqualTo("{\"beginning_offset\":0,\"end_offset\":3}");
    }
  }

  @Test
  @Order(2)
  void segmentsAreReadWhereTheyAre() throws Exception {
    try (HttpClient follower =
        HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build()) {
      String path = "/log/single/1/batches?from=1&to=2";
      byte[] direct = clients.get(2).bytes(clients.get(2).request(path)).body();
      assertThat(direct).isNotEmpty();
      HttpResponse<String> redirect = clients.get(1).get(path);
      assertThat(redirect.statusCode()).isEqualTo(307);
      assertThat(redirect.headers().firstValue("Location")).contains(nodes.get(2).http() + path);
      HttpResponse<byte[]> followed =
          follower.send(
              clients.get(3).request(path).build(), HttpResponse.BodyHandlers.ofByteArray());
      assertThat(followed.body()).isEqualTo(direct);
    }
    assertThat(clients.get(1).get("/log/single/7/segments").statusCode()).isEqualTo(404);
  }

  @Test
  @Order(3)
  void groupsAreServedWhereverTheyAreCoordinated() throws Exception {
    String v2 = "application/vnd.kafka.v2+json";
    for (int node = 1; node <= 3; node++) {
      HttpClients client = clients.get(node);
      String group = "group-" + node;
      JsonNode instance =
          json(
              client.send(
                  "POST",
                  "/consumers/" + group,
                  v2,
                  "{\"format\":\"json\",\"auto.offset.reset\":\"earliest\"}"));
      String path = URI.create(instance.path("base_uri").asText()).getPath();
      assertThat(
              client
                  .send("POST", path + "/subscription", v2, "{\"topics\":[\"single\"]}")
                  .statusCode())
          .isEqualTo(204);
      Set<String> got = new java.util.HashSet<>();
      HttpClients.until(
          () -> {
            json(client.get(path + "/records?timeout=1000"))
                .forEach(each -> got.add(each.path("value").asText()));
            return got.size() == 9;
          },
          "all records of the three partitions");
      assertThat(client.send("POST", path + "/offsets", v2, "").statusCode()).isEqualTo(200);
      assertThat(client.send("DELETE", path, v2, "").statusCode()).isEqualTo(204);
    }
    String groups =
        "/v3/clusters/"
            + json(clients.get(1).get("/v3/clusters")).findPath("cluster_id").asText()
            + "/consumer-groups";
    for (HttpClients each : clients.values()) {
      Set<String> listed =
          json(each.get(groups)).findValues("consumer_group_id").stream()
              .map(JsonNode::asText)
              .collect(Collectors.toSet());
      assertThat(listed).contains("group-1", "group-2", "group-3");
      assertThat(json(each.get(groups + "/group-2/lag-summary")).path("total_lag").asInt())
          .isZero();
    }
  }

  /** Values of a stream, as they come. */
  private static List<String> follow(int node, String type) throws Exception {
    List<String> values = new CopyOnWriteArrayList<>();
    HttpClients client = clients.get(node);
    String path = "/stream?topics=double&from=earliest&value=json";
    if (type.equals("websocket")) {
      client
          .client()
          .newWebSocketBuilder()
          .buildAsync(
              URI.create(nodes.get(node).http().replace("http:", "ws:") + path),
              new WebSocket.Listener() {
                private final StringBuilder text = new StringBuilder();

                @Override
                public @Nullable CompletionStage<?> onText(
                    WebSocket webSocket, CharSequence part, boolean last) {
                  text.append(part);
                  if (last) {
                    add(values, text.toString());
                    text.setLength(0);
                  }
                  webSocket.request(1);
                  return null;
                }
              })
          .get(60, TimeUnit.SECONDS);
      return values;
    }
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(nodes.get(node).http() + path));
    BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                client.open(request.header("Accept", type)).body(), StandardCharsets.UTF_8));
    Thread.ofVirtual()
        .start(() -> {
          try (reader) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
              if (line.startsWith("data:") || line.startsWith("{")) {
                add(values, line.substring(line.indexOf('{')));
              }
            }
          } catch (IOException ended) {
            // What it got until then counts.
          }
        });
    return values;
  }

  private static void add(List<String> values, String json) {
    try {
      values.add(Answers.JSON.readTree(json).path("value").asText());
    } catch (IOException wrong) {
      throw new AssertionError(json, wrong);
    }
  }

  @Test
  @Order(4)
  void streamsGoOnWithoutGapOrDuplicateWhenTheLeaderGoes() throws Exception {
    // Node 3 has no replica; node 2 has the other one.
    List<List<String>> streams =
        List.of(
            follow(3, "text/event-stream"),
            follow(3, "application/x-ndjson"),
            follow(3, "websocket"),
            follow(2, "text/event-stream"));
    for (int i = 0; i < 50; i++) {
      assertThat(produce(3, "double", 0, "value-" + i)).isEqualTo(i);
    }
    for (List<String> each : streams) {
      HttpClients.until(() -> each.size() >= 50, "the first records");
    }
    Thread stopping = Thread.ofVirtual().start(() -> nodes.remove(1).close());
    for (int i = 50; i < 150; i++) {
      // Never refused, and never written twice.
      assertThat(produce(i % 2 == 0 ? 3 : 2, "double", 0, "value-" + i)).isEqualTo(i);
    }
    stopping.join();
    for (int i = 150; i < 200; i++) {
      assertThat(produce(2, "double", 0, "value-" + i)).isEqualTo(i);
    }
    List<String> all = IntStream.range(0, 200).mapToObj(i -> "value-" + i).toList();
    for (int i = 0; i < streams.size(); i++) {
      List<String> got = streams.get(i);
      HttpClients.until(() -> got.size() >= 200, "the last record of stream " + i);
      assertThat(got).as("stream %d", i).isEqualTo(all);
    }
  }
}
