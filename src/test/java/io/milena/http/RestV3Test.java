package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.milena.node.TestNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Version 3 of the REST Proxy API over real sockets, beside a stock Kafka client. */
class RestV3Test {

  private static final String JSON = "application/json";

  @TempDir static Path data;
  private static TestNode node;
  private static HttpClients http;
  private static String cluster;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(data, Map.of("milena.http", "127.0.0.1:0"));
    http = new HttpClients(node.http());
    JsonNode clusters = json(http.get("/v3/clusters"));
    cluster = "/v3/clusters/" + clusters.path("data").get(0).path("cluster_id").asText();
  }

  @AfterAll
  static void stop() {
    http.close();
    node.close();
  }

  private static JsonNode json(HttpResponse<String> answer) throws Exception {
    return Answers.JSON.readTree(answer.body());
  }

  private static HttpResponse<String> create(String topic, int partitions) throws Exception {
    return http.send(
        "POST",
        cluster + "/topics",
        JSON,
        "{\"topic_name\":\"%s\",\"partitions_count\":%d,\"configs\":[{\"name\":\"retention.ms\",\"value\":\"3600000\"}]}"
            .formatted(topic, partitions));
  }

  private static List<ConsumerRecord<String, String>> read(String topic, int count) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (var consumer = node.consumer(Map.of())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(each -> new TopicPartition(topic, each.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (records.size() < count && System.nanoTime() - deadline < 0) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }

  @Test
  void topicsAreMadeShownGrownAndDeleted() throws Exception {
    HttpResponse<String> made = create("life", 2);
    assertThat(made.statusCode()).isEqualTo(201);
    assertThat(json(made).path("kind").asText()).isEqualTo("KafkaTopic");
    JsonNode topic = json(http.get(cluster + "/topics/life"));
    assertThat(topic.path("partitions_count").asInt()).isEqualTo(2);
    assertThat(topic.path("replication_factor").asInt()).isEqualTo(1);
    assertThat(
            http.get(
                    topic
                        .path("partitions")
                        .path("related")
                        .asText()
                        .substring(node.http().length()))
                .body())
        .contains("KafkaPartitionList")
        .contains("\"partition_id\":1");
    assertThat(
            json(http.get(cluster + "/topics/life/partitions/0/replicas"))
                .path("data")
                .get(0)
                .path("is_leader")
                .asBoolean())
        .isTrue();
    assertThat(
            json(http.send("PATCH", cluster + "/topics/life", JSON, "{\"partitions_count\":3}"))
                .path("partitions_count")
                .asInt())
        .isEqualTo(3);
    HttpResponse<String> again = create("life", 2);
    assertThat(again.statusCode()).isEqualTo(400);
    assertThat(json(again).path("error_code").asInt()).isEqualTo(40002);
    assertThat(http.send("DELETE", cluster + "/topics/life", JSON, "").statusCode()).isEqualTo(204);
    HttpResponse<String> gone = http.get(cluster + "/topics/life");
    assertThat(gone.statusCode()).isEqualTo(404);
    assertThat(json(gone).path("error_code").asInt()).isEqualTo(40403);
    assertThat(http.get("/v3/clusters/other/topics").statusCode()).isEqualTo(404);
    assertThat(create("bad name!", 1).statusCode()).isEqualTo(400);
    assertThat(http.send("POST", cluster + "/topics", JSON, "{not json").statusCode())
        .isEqualTo(400);
  }

  @Test
  void configurationsAreShownAndChanged() throws Exception {
    create("configured", 1);
    String configs = cluster + "/topics/configured/configs";
    JsonNode retention = json(http.get(configs + "/retention.ms"));
    assertThat(retention.path("value").asText()).isEqualTo("3600000");
    assertThat(retention.path("is_default").asBoolean()).isFalse();
    assertThat(
            http.send("PUT", configs + "/retention.ms", JSON, "{\"value\":\"7200000\"}")
                .statusCode())
        .isEqualTo(204);
    assertThat(json(http.get(configs + "/retention.ms")).path("value").asText())
        .isEqualTo("7200000");
    assertThat(
            http.send(
                    "POST",
                    configs + ":alter",
                    JSON,
                    "{\"data\":[{\"name\":\"cleanup.policy\",\"value\":\"compact\"},"
                        + "{\"name\":\"retention.ms\",\"operation\":\"DELETE\"}]}")
                .statusCode())
        .isEqualTo(204);
    assertThat(json(http.get(configs + "/cleanup.policy")).path("value").asText())
        .isEqualTo("compact");
    assertThat(json(http.get(configs + "/retention.ms")).path("is_default").asBoolean()).isTrue();
    assertThat(
            http.send("PUT", configs + "/retention.ms", JSON, "{\"value\":\"soon\"}").statusCode())
        .isEqualTo(400);
    assertThat(http.get(configs + "/no.such").statusCode()).isEqualTo(404);
    assertThat(http.get(cluster + "/brokers/1/configs").body()).contains("KafkaBrokerConfigList");
    assertThat(http.get(cluster + "/broker-configs").statusCode()).isEqualTo(200);
    assertThat(http.get(cluster + "/brokers").body()).contains("\"broker_id\":1");
  }

  @Test
  void aStreamOfRecordsIsWrittenAndEachHasItsReceipt() throws Exception {
    create("written", 3);
    StringBuilder body = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      body.append(
          "{\"key\":{\"type\":\"STRING\",\"data\":\"k%d\"},\"value\":{\"type\":\"JSON\",\"data\":{\"n\":%d}}}\n"
              .formatted(i % 7, i));
    }
    HttpResponse<String> answer =
        http.send("POST", cluster + "/topics/written/records", JSON, body.toString());
    assertThat(answer.statusCode()).isEqualTo(200);
    List<JsonNode> receipts = new ArrayList<>();
    for (String line : answer.body().lines().toList()) {
      receipts.add(Answers.JSON.readTree(line));
    }
    assertThat(receipts).hasSize(300);
    assertThat(receipts).allMatch(each -> each.path("error_code").asInt() == 200);
    List<ConsumerRecord<String, String>> records = read("written", 300);
    assertThat(records).hasSize(300);
    for (int i = 0; i < 300; i++) {
      int partition = receipts.get(i).path("partition_id").asInt();
      long offset = receipts.get(i).path("offset").asLong();
      ConsumerRecord<String, String> record =
          records.stream()
              .filter(each -> each.partition() == partition && each.offset() == offset)
              .findFirst()
              .orElseThrow();
      assertThat(record.value()).isEqualTo("{\"n\":" + i + "}");
      assertThat(record.key()).isEqualTo("k" + i % 7);
    }
  }

  @Test
  void aReceiptComesWhileTheBodyIsStillBeingSent() throws Exception {
    create("open", 1);
    try (Socket socket = http.raw()) {
      HttpClients.write(
          socket,
          "POST "
              + cluster
              + "/topics/open/records HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n");
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      OutputStream out = socket.getOutputStream();
      for (int i = 0; i < 3; i++) {
        String record = "{\"value\":{\"type\":\"STRING\",\"data\":\"v" + i + "\"}}";
        out.write(
            (Integer.toHexString(record.length()) + "\r\n" + record + "\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
        String line = in.readLine();
        while (!line.contains("\"offset\":" + i)) {
          line = in.readLine();
        }
      }
    }
  }

  @Test
  void whatIsNoRecordIsRefusedAndTheOthersAreWritten() throws Exception {
    create("refused", 1);
    String records = cluster + "/topics/refused/records";
    HttpResponse<String> answer =
        http.send(
            "POST",
            records,
            JSON,
            "{\"value\":{\"type\":\"BINARY\",\"data\":\"%%%\"}}"
                + "{\"partition_id\":9,\"value\":{\"type\":\"STRING\",\"data\":\"a\"}}"
                + "{\"value\":{\"type\":\"AVRO\",\"data\":1}}"
                + "{\"headers\":[{\"name\":\"h\",\"value\":\"YQ==\"}],\"timestamp\":\"2026-01-01T00:00:00Z\","
                + "\"value\":{\"type\":\"BINARY\",\"data\":\"Yg==\"}}");
    List<Integer> codes = new ArrayList<>();
    for (String line : answer.body().lines().toList()) {
      codes.add(Answers.JSON.readTree(line).path("error_code").asInt());
    }
    assertThat(codes).containsExactly(400, 40403, 42200, 200);
    ConsumerRecord<String, String> record = read("refused", 1).getFirst();
    assertThat(record.value()).isEqualTo("b");
    assertThat(record.timestamp()).isEqualTo(1767225600000L);
    assertThat(new String(record.headers().lastHeader("h").value(), StandardCharsets.UTF_8))
        .isEqualTo("a");
    assertThat(http.send("POST", cluster + "/topics/nowhere/records", JSON, "{}").statusCode())
        .isEqualTo(404);
    assertThat(http.send("POST", records, JSON, "this is no JSON").body()).contains("400");
  }

  @Test
  void groupsAndTheirLag() throws Exception {
    create("lagging", 2);
    http.send(
        "POST",
        cluster + "/topics/lagging/records",
        JSON,
        "{\"partition_id\":1,\"value\":{\"type\":\"STRING\",\"data\":\"v\"}}".repeat(10));
    try (var consumer = node.consumer(Map.of("group.id", "readers"))) {
      consumer.commitSync(Map.of(new TopicPartition("lagging", 1), new OffsetAndMetadata(4)));
    }
    String group = cluster + "/consumer-groups/readers";
    assertThat(http.get(cluster + "/consumer-groups").body()).contains("\"readers\"");
    assertThat(json(http.get(group)).path("state").asText()).isEqualTo("EMPTY");
    JsonNode lag = json(http.get(group + "/lags/lagging/partitions/1"));
    assertThat(lag.path("current_offset").asLong()).isEqualTo(4);
    assertThat(lag.path("log_end_offset").asLong()).isEqualTo(10);
    assertThat(lag.path("lag").asLong()).isEqualTo(6);
    assertThat(json(http.get(group + "/lag-summary")).path("total_lag").asLong()).isEqualTo(6);
    assertThat(json(http.get(group + "/consumers")).path("data").size()).isZero();
    assertThat(http.get(cluster + "/consumer-groups/nobody").statusCode()).isEqualTo(404);
  }

  @Test
  void offsetsOfAGroupAreMovedAndTheGroupIsDeleted() throws Exception {
    create("rewound", 1);
    http.send(
        "POST",
        cluster + "/topics/rewound/records",
        JSON,
        "{\"value\":{\"type\":\"STRING\",\"data\":\"a\"}}".repeat(5));
    String group = cluster + "/consumer-groups/rewinders";
    try (var consumer = node.consumer(Map.of("group.id", "rewinders"))) {
      consumer.subscribe(List.of("rewound"));
      HttpClients.until(
          () -> {
            consumer.poll(java.time.Duration.ofMillis(100));
            return consumer.assignment().size() == 1
                && consumer.position(consumer.assignment().iterator().next()) == 5;
          },
          "all five records");
      consumer.commitSync();
      HttpResponse<String> tooEarly =
          http.send("POST", group + "/offsets:reset", JSON, "{\"to\":\"earliest\"}");
      assertThat(tooEarly.statusCode()).isEqualTo(409);
      assertThat(http.send("DELETE", group, JSON, "").statusCode()).isEqualTo(409);
    }
    String moved =
        "{\"topic_name\":\"rewound\",\"partition_id\":0,\"offset_before\":5,\"offset\":2}";
    for (String dryRun : List.of("true", "false")) {
      assertThat(
              http.send(
                      "POST",
                      group + "/offsets:reset",
                      JSON,
                      "{\"to\":\"2\",\"dry_run\":%s}".formatted(dryRun))
                  .body())
          .contains(moved);
    }
    assertThat(json(http.get(group + "/lag-summary")).path("total_lag").asInt()).isEqualTo(3);
    assertThat(http.send("DELETE", group, JSON, "").statusCode()).isEqualTo(204);
    assertThat(http.get(group).statusCode()).isEqualTo(404);
    assertThat(http.send("DELETE", group, JSON, "").statusCode()).isEqualTo(404);
  }

  @Test
  void reassignmentsAreShownAndWrongOnesRefused() throws Exception {
    create("placed", 1);
    String all = cluster + "/topics/-/partitions/-/reassignment";
    String one = cluster + "/topics/placed/partitions/0/reassignment";
    assertThat(json(http.get(all)).path("data")).isEmpty();
    assertThat(json(http.get(one.replace("/0/", "/-/"))).path("data")).isEmpty();
    assertThat(http.get(one).statusCode()).isEqualTo(404);
    assertThat(http.send("PUT", one, JSON, "{\"replicas\":[1]}").statusCode()).isEqualTo(204);
    assertThat(http.send("PUT", one, JSON, "{\"replicas\":[1,77]}").statusCode()).isEqualTo(400);
    assertThat(http.send("PUT", one, JSON, "{}").statusCode()).isEqualTo(400);
    assertThat(http.send("DELETE", one, JSON, "").statusCode()).isEqualTo(404);
  }
}
