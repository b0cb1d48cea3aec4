package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.milena.node.TestNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Version 2 of the REST Proxy API over real sockets. */
class RestV2Test {

  private static final String V2 = "application/vnd.kafka.v2+json";
  private static final String BINARY = "application/vnd.kafka.binary.v2+json";
  private static final String JSON = "application/vnd.kafka.json.v2+json";

  @TempDir static Path data;
  private static TestNode node;
  private static HttpClients http;

  @BeforeAll
  static void start() {
    node = TestNode.start(data, Map.of("milena.http", "127.0.0.1:0"));
    http = new HttpClients(node.http());
  }

  @AfterAll
  static void stop() {
    http.close();
    node.close();
  }

  private static void create(String topic, int partitions) throws Exception {
    try (var admin = node.admin()) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    }
  }

  private static JsonNode json(HttpResponse<String> answer) throws Exception {
    return Answers.JSON.readTree(answer.body());
  }

  private static String consumer(String group, String settings) throws Exception {
    HttpResponse<String> made = http.send("POST", "/consumers/" + group, V2, settings);
    assertThat(made.statusCode()).isEqualTo(200);
    return json(made).path("base_uri").asText().substring(node.http().length());
  }

  private static int post(String path, String body) throws Exception {
    return http.send("POST", path, V2, body).statusCode();
  }

  /** Reads until there are so many. */
  private static List<JsonNode> records(String consumer, String format, int count)
      throws Exception {
    List<JsonNode> all = new ArrayList<>();
    HttpClients.until(
        () -> {
          HttpResponse<byte[]> answer =
              http.bytes(http.request(consumer + "/records?timeout=500").header("Accept", format));
          assertThat(answer.statusCode()).isEqualTo(200);
          Answers.JSON.readTree(answer.body()).forEach(all::add);
          return all.size() >= count;
        },
        count + " records");
    assertThat(all).hasSize(count);
    return all;
  }

  /** As the npm package kafka-rest 0.0.5 does it. */
  @Test
  void clientsOfVersionOne() throws Exception {
    create("first", 1);
    create("other", 1);
    String v1 = "application/vnd.kafka.v1+json";
    String records = "{\"records\":[{\"value\":\"YQ==\"},{\"key\":\"aw==\",\"value\":\"Yg==\"}]}";
    assertThat(http.send("POST", "/topics/first", v1, records).statusCode()).isEqualTo(200);
    HttpResponse<String> made =
        http.send(
            "POST", "/consumers/v1", v1, "{\"id\":\"one\",\"auto.offset.reset\":\"smallest\"}");
    assertThat(json(made).path("instance_id").asText()).isEqualTo("one");
    String consumer = json(made).path("base_uri").asText().substring(node.http().length());
    List<String> read = new ArrayList<>();
    HttpClients.until(
        () -> {
          HttpResponse<byte[]> answer =
              http.bytes(
                  http.request(consumer + "/topics/first")
                      .header("Accept", "application/vnd.kafka.binary.v1+json"));
          assertThat(answer.statusCode()).isEqualTo(200);
          Answers.JSON
              .readTree(answer.body())
              .forEach(each -> read.add(each.path("value").asText()));
          return read.size() >= 2;
        },
        "two records");
    assertThat(read).containsExactly("YQ==", "Yg==");
    assertThat(http.get(consumer + "/topics/other").statusCode()).isEqualTo(409);
    assertThat(http.get(consumer + "/topics/missing").statusCode()).isEqualTo(404);
    assertThat(http.send("POST", consumer + "/offsets", v1, "").statusCode()).isEqualTo(200);
    try (var admin = node.admin()) {
      assertThat(
              admin
                  .listConsumerGroupOffsets("v1")
                  .partitionsToOffsetAndMetadata()
                  .get()
                  .get(new TopicPartition("first", 0))
                  .offset())
          .isEqualTo(2);
    }
  }

  @Test
  void topicsAndProducing() throws Exception {
    create("plain", 2);
    assertThat(json(http.get("/topics")).toString()).contains("\"plain\"");
    JsonNode topic = json(http.get("/topics/plain"));
    assertThat(topic.path("partitions").size()).isEqualTo(2);
    assertThat(topic.path("configs").path("cleanup.policy").asText()).isEqualTo("delete");
    assertThat(topic.path("partitions").get(0).path("replicas").get(0).path("in_sync").asBoolean())
        .isTrue();
    HttpResponse<String> written =
        http.send(
            "POST",
            "/topics/plain",
            JSON,
            "{\"records\":[{\"value\":{\"a\":1},\"partition\":1},{\"key\":\"k\",\"value\":2},"
                + "{\"value\":3,\"partition\":7}]}");
    assertThat(written.statusCode()).isEqualTo(200);
    JsonNode offsets = json(written).path("offsets");
    assertThat(offsets.get(0).path("partition").asInt()).isEqualTo(1);
    assertThat(offsets.get(0).path("offset").isIntegralNumber()).isTrue();
    assertThat(offsets.get(0).path("error_code").isNull()).isTrue();
    assertThat(offsets.get(2).path("offset").isNull()).isTrue();
    assertThat(offsets.get(2).path("error").asText()).contains("partitions 0 to 1");
    assertThat(
            http.send(
                    "POST",
                    "/topics/plain/partitions/0",
                    BINARY,
                    "{\"records\":[{\"value\":\"YQ==\"}]}")
                .statusCode())
        .isEqualTo(200);
    assertThat(json(http.get("/topics/plain/partitions/0/offsets")).path("end_offset").asLong())
        .isGreaterThan(0);
    assertThat(json(http.get("/brokers")).path("brokers").get(0).asInt()).isEqualTo(1);
  }

  @Test
  void errorsHaveTheApisOwnCodes() throws Exception {
    create("strict", 1);
    HttpResponse<String> nowhere =
        http.send("POST", "/topics/nowhere", JSON, "{\"records\":[{\"value\":1}]}");
    assertThat(nowhere.statusCode()).isEqualTo(404);
    assertThat(json(nowhere).path("error_code").asInt()).isEqualTo(40401);
    assertThat(json(http.get("/topics/strict/partitions/5")).path("error_code").asInt())
        .isEqualTo(40402);
    assertThat(http.send("POST", "/topics/strict", JSON, "{\"records\":[]}").statusCode())
        .isEqualTo(422);
    assertThat(http.send("POST", "/topics/strict", JSON, "nonsense").statusCode()).isEqualTo(400);
    assertThat(
            http.send("POST", "/topics/strict", BINARY, "{\"records\":[{\"value\":\"?\"}]}")
                .statusCode())
        .isEqualTo(422);
    assertThat(
            http.send(
                    "POST",
                    "/topics/strict",
                    "application/vnd.kafka.avro.v2+json",
                    "{\"records\":[{\"value\":1}]}")
                .statusCode())
        .isEqualTo(415);
    assertThat(json(http.get("/consumers/g/instances/none/records")).path("error_code").asInt())
        .isEqualTo(40403);
    String large = "x".repeat(17 * 1024 * 1024);
    assertThat(http.send("POST", "/topics/strict", JSON, large).statusCode()).isEqualTo(413);
  }

  @Test
  void aSubscribedConsumerReadsCommitsAndItsSuccessorGoesOn() throws Exception {
    create("subscribed", 3);
    StringBuilder records = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      records
          .append(i == 0 ? "" : ",")
          .append("{\"key\":\"k")
          .append(i)
          .append("\",\"value\":")
          .append(i)
          .append('}');
    }
    String body = "{\"records\":[" + records + "]}";
    http.send("POST", "/topics/subscribed", JSON, body);
    String settings =
        "{\"name\":\"one\",\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"auto.commit.enable\":\"false\"}";
    String first = consumer("team", settings);
    assertThat(http.send("POST", "/consumers/team", V2, settings).statusCode()).isEqualTo(409);
    assertThat(post(first + "/subscription", "{\"topics\":[\"subscribed\"]}")).isEqualTo(204);
    assertThat(json(http.get(first + "/subscription")).path("topics").get(0).asText())
        .isEqualTo("subscribed");
    List<JsonNode> read = records(first, JSON, 50);
    assertThat(read).extracting(each -> each.path("value").asInt()).doesNotHaveDuplicates();
    assertThat(post(first + "/assignments", "{\"partitions\":[]}")).isEqualTo(409);
    assertThat(http.bytes(http.request(first + "/records").header("Accept", BINARY)).statusCode())
        .isEqualTo(406);
    assertThat(http.send("POST", first + "/offsets", V2, "").statusCode()).isEqualTo(200);
    assertThat(http.send("DELETE", first, V2, "").statusCode()).isEqualTo(204);
    http.send("POST", "/topics/subscribed", JSON, "{\"records\":[{\"value\":\"more\"}]}");
    String second = consumer("team", settings.replace("one", "two"));
    post(second + "/subscription", "{\"topics\":[\"subscribed\"]}");
    assertThat(records(second, JSON, 1).getFirst().path("value").asText()).isEqualTo("more");
    assertThat(http.send("DELETE", second, V2, "").statusCode()).isEqualTo(204);
  }

  @Test
  void assignedByHandSeeksAndTellsItsOffsets() throws Exception {
    create("assigned", 1);
    http.send(
        "POST",
        "/topics/assigned",
        BINARY,
        "{\"records\":[{\"value\":\"YQ==\"},{\"value\":\"Yg==\"},{\"value\":\"Yw==\"}]}");
    String consumer = consumer("solo", "{\"auto.offset.reset\":\"earliest\"}");
    String partition = "{\"topic\":\"assigned\",\"partition\":0}";
    assertThat(post(consumer + "/assignments", "{\"partitions\":[" + partition + "]}"))
        .isEqualTo(204);
    assertThat(records(consumer, BINARY, 3).getLast().path("value").asText()).isEqualTo("Yw==");
    assertThat(
            post(
                consumer + "/positions",
                "{\"offsets\":[{\"topic\":\"assigned\",\"partition\":0,\"offset\":1}]}"))
        .isEqualTo(204);
    assertThat(records(consumer, BINARY, 2).getFirst().path("offset").asLong()).isEqualTo(1);
    assertThat(post(consumer + "/positions/beginning", "{\"partitions\":[" + partition + "]}"))
        .isEqualTo(204);
    assertThat(records(consumer, BINARY, 3)).hasSize(3);
    assertThat(
            http.send(
                    "POST",
                    consumer + "/offsets",
                    V2,
                    "{\"offsets\":[{\"topic\":\"assigned\",\"partition\":0,\"offset\":1}]}")
                .statusCode())
        .isEqualTo(200);
    HttpResponse<byte[]> committed =
        http.bytes(
            http.request(consumer + "/offsets")
                .header("Content-Type", V2)
                .method(
                    "GET",
                    HttpRequest.BodyPublishers.ofString("{\"partitions\":[" + partition + "]}")));
    assertThat(new String(committed.body(), StandardCharsets.UTF_8)).contains("\"offset\":2");
  }
}
