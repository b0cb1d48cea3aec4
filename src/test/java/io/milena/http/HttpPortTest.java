package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.node.TestNode;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The port itself: health, metrics, and what bad clients get. */
class HttpPortTest {

  @TempDir static Path data;
  private static TestNode node;
  private static HttpClients http;

  @BeforeAll
  static void start() {
    node =
        TestNode.start(
            data,
            Map.of(
                "milena.http",
                "127.0.0.1:0",
                "milena.http-port.head-timeout",
                "1s",
                "milena.http-port.cors-origins.0",
                "https://console.example"));
    http = new HttpClients(node.http());
  }

  @AfterAll
  static void stop() {
    http.close();
    node.close();
  }

  @Test
  void saysThatItLivesAndIsReady() throws Exception {
    assertThat(http.get("/health/live").statusCode()).isEqualTo(200);
    HttpResponse<String> ready = http.get("/health/ready");
    assertThat(ready.statusCode()).isEqualTo(200);
    assertThat(ready.body()).isEqualTo("ready\n");
  }

  @Test
  void metricsTellOfRequestsPartitionsAndTheProcess() throws Exception {
    try (var producer = node.producer(Map.of())) {
      producer.send(new ProducerRecord<>("measured", "a", "b")).get();
    }
    String metrics = http.get("/metrics").body();
    assertThat(metrics)
        .contains("milena_ready 1.0")
        .contains("milena_partition_log_end_offset{partition=\"0\",topic=\"measured\"} 1.0")
        .contains("milena_partition_high_watermark{partition=\"0\",topic=\"measured\"} 1.0")
        .contains("milena_partition_in_sync_replicas{partition=\"0\",topic=\"measured\"} 1.0")
        .contains("milena_replicas{role=\"leader\"}")
        .contains("milena_under_replicated_partitions 0.0")
        .contains("milena_kafka_requests_total{api=\"Produce\"} 1.0")
        .contains("milena_kafka_request_seconds_count{api=\"Produce\"} 1")
        .contains("milena_metadata_leader 1.0")
        .contains("milena_metadata_voter{node=\"1\"} 1.0")
        .contains("jvm_memory_used_bytes")
        .contains("process_files_open_files")
        .contains("# HELP milena_partition_log_bytes ");
    assertThat(http.get("/metrics").body())
        .contains(
            "milena_http_requests_seconds_count{method=\"GET\",resource=\"/metrics\",status=\"200\"}");
  }

  @Test
  void whatIsNotThereAndWhatIsNotForThatMethodIsSaidSo() throws Exception {
    HttpResponse<String> nothing = http.get("/nothing/here");
    assertThat(nothing.statusCode()).isEqualTo(404);
    assertThat(Answers.JSON.readTree(nothing.body()).path("error_code").asInt()).isEqualTo(404);
    HttpResponse<String> wrong = http.send("DELETE", "/metrics", "text/plain", "");
    assertThat(wrong.statusCode()).isEqualTo(405);
    assertThat(wrong.body()).contains("GET");
  }

  @Test
  void requestsThatWereSentAheadAreAnsweredInOrder() throws Exception {
    try (Socket socket = http.raw()) {
      HttpClients.write(
          socket,
          "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n".repeat(9)
              + "GET /health/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      String answers = HttpClients.readAll(socket);
      assertThat(answers.split("HTTP/1.1 200 OK", -1)).hasSize(11);
      assertThat(answers).endsWith("ready\n");
    }
  }

  @Test
  void aClientThatClosesItsHalfIsStillAnswered() throws Exception {
    try (Socket socket = http.raw()) {
      HttpClients.write(socket, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
      socket.shutdownOutput();
      assertThat(HttpClients.readAll(socket)).contains("200 OK").endsWith("live\n");
    }
  }

  @Test
  void aHeadThatNeverEndsClosesTheConnection() throws Exception {
    try (Socket slow = http.raw()) {
      HttpClients.write(slow, "GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: ");
      assertThat(HttpClients.readAll(slow)).isEmpty();
    }
  }

  @Test
  void whatIsNotHttpAndTooManyHeadersAreRefused() throws Exception {
    try (Socket garbage = http.raw()) {
      HttpClients.write(garbage, "\u0001\u0002\u0003 this is not HTTP\r\n\r\n");
      assertThat(HttpClients.readAll(garbage)).startsWith("HTTP/1.1 ").doesNotContain("200 OK");
    }
    try (Socket flood = http.raw()) {
      StringBuilder request = new StringBuilder("GET /health/live HTTP/1.1\r\nHost: a\r\n");
      for (int i = 0; i < 1_000; i++) {
        request.append("X-Header-").append(i).append(": 1\r\n");
      }
      HttpClients.write(flood, request.append("\r\n").toString());
      assertThat(HttpClients.readAll(flood)).startsWith("HTTP/1.1 4");
    }
    assertThat(http.get("/health/live").statusCode()).isEqualTo(200);
  }

  @Test
  void onlyOriginsThatAreNamedMayUseIt() throws Exception {
    HttpResponse<byte[]> named =
        http.bytes(http.request("/health/live").header("Origin", "https://console.example"));
    assertThat(named.headers().firstValue("Access-Control-Allow-Origin"))
        .contains("https://console.example");
    HttpResponse<byte[]> other =
        http.bytes(http.request("/health/live").header("Origin", "https://other.example"));
    assertThat(other.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
  }
}
