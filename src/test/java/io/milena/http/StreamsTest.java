package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.milena.node.TestNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streams over real sockets. */
class StreamsTest {

  @TempDir static Path data;
  private static TestNode node;
  private static HttpClients http;
  private static KafkaProducer<String, String> producer;

  @BeforeAll
  static void start() {
    node = TestNode.start(data, Map.of("milena.http", "127.0.0.1:0"));
    http = new HttpClients(node.http());
    producer = node.producer(Map.of());
  }

  @AfterAll
  static void stop() {
    producer.close();
    http.close();
    node.close();
  }

  private static void create(String topic, int partitions) throws Exception {
    try (var admin = node.admin()) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    }
  }

  private static void send(String topic, int from, int to) throws Exception {
    for (int i = from; i < to; i++) {
      var _ = producer.send(new ProducerRecord<>(topic, "key-" + i, "value-" + i));
    }
    producer.flush();
  }

  /** Lines of a stream that never ends by itself. */
  private static BufferedReader open(HttpRequest.Builder request) throws Exception {
    HttpResponse<java.io.InputStream> answer = http.open(request);
    assertThat(answer.statusCode()).isEqualTo(200);
    return new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
  }

  private static List<JsonNode> lines(String body) throws Exception {
    List<JsonNode> records = new ArrayList<>();
    for (String line : body.lines().toList()) {
      if (!line.isEmpty()) {
        records.add(Answers.JSON.readTree(line));
      }
    }
    return records;
  }

  private static Set<String> values(List<JsonNode> records) {
    return records.stream().map(each -> each.path("value").asText()).collect(Collectors.toSet());
  }

  private static Set<String> expected(int from, int to) {
    Set<String> values = new HashSet<>();
    for (int i = from; i < to; i++) {
      values.add("value-" + i);
    }
    return values;
  }

  @Test
  void everyRecordOfEveryPartitionOnceAndInOrder() throws Exception {
    create("all", 3);
    send("all", 0, 500);
    HttpResponse<String> answer = http.get("/stream?topics=all&from=earliest&follow=false");
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/x-ndjson");
    List<JsonNode> records = lines(answer.body());
    assertThat(records).hasSize(500);
    assertThat(values(records)).isEqualTo(expected(0, 500));
    long[] next = new long[3];
    for (JsonNode record : records) {
      assertThat(record.path("offset").asLong())
          .isEqualTo(next[record.path("partition").asInt()]++);
    }
  }

  @Test
  void aStreamThatWaitsGetsWhatComes() throws Exception {
    create("live", 2);
    send("live", 0, 10);
    try (BufferedReader reader = open(http.request("/stream?topics=live&from=end"))) {
      send("live", 10, 30);
      Set<String> got = new HashSet<>();
      while (got.size() < 20) {
        String line = reader.readLine();
        if (!line.isEmpty()) {
          got.add(Answers.JSON.readTree(line).path("value").asText());
        }
      }
      assertThat(got).isEqualTo(expected(10, 30));
    }
  }

  @Test
  void aReaderThatComesAgainGoesOnWhereItWas() throws Exception {
    create("resume", 3);
    send("resume", 0, 200);
    List<String> got = new ArrayList<>();
    String lastId = "";
    while (got.size() < 200) {
      HttpRequest.Builder request =
          http.request("/stream?topics=resume&from=earliest&limit=37&follow=false")
              .header("Accept", "text/event-stream");
      if (!lastId.isEmpty()) {
        request.header("Last-Event-ID", lastId);
      }
      int before = got.size();
      try (BufferedReader reader = open(request)) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          if (line.startsWith("id:")) {
            lastId = line.substring(3);
          } else if (line.startsWith("data:")) {
            got.add(Answers.JSON.readTree(line.substring(5)).path("value").asText());
          }
        }
      }
      assertThat(got.size()).isGreaterThan(before);
    }
    assertThat(got).hasSize(200).containsExactlyInAnyOrderElementsOf(expected(0, 200));
    assertThat(lastId).startsWith("resume:0=").contains(",1=").contains(",2=");
  }

  @Test
  void aPatternTakesUpTopicsThatComeLater() throws Exception {
    create("orders.eu", 1);
    send("orders.eu", 0, 1);
    try (BufferedReader reader = open(http.request("/stream?topics=orders.*&from=earliest"))) {
      assertThat(reader.readLine()).contains("orders.eu");
      create("orders.us", 1);
      create("other", 1);
      send("other", 0, 1);
      send("orders.us", 1, 2);
      assertThat(reader.readLine()).contains("\"orders.us\"").contains("value-1");
    }
  }

  @Test
  void filtersByKeyAndHeader() throws Exception {
    create("filtered", 2);
    send("filtered", 0, 20);
    ProducerRecord<String, String> marked = new ProducerRecord<>("filtered", "key-3", "marked");
    marked.headers().add("kind", "b".getBytes(StandardCharsets.UTF_8));
    producer.send(marked).get();
    String all = "/stream?topics=filtered&from=earliest&follow=false";
    assertThat(values(lines(http.get(all + "&key=key-3&key=key-5").body())))
        .isEqualTo(Set.of("value-3", "value-5", "marked"));
    assertThat(values(lines(http.get(all + "&header=kind=b").body()))).isEqualTo(Set.of("marked"));
    assertThat(values(lines(http.get(all + "&header=kind=c").body()))).isEmpty();
    assertThat(http.get(all + "&header=kind").body()).contains("\"headers\":[{\"key\":\"kind\"");
  }

  @Test
  void fromAnOffsetAndFromATime() throws Exception {
    create("from", 1);
    for (int i = 0; i < 10; i++) {
      producer.send(new ProducerRecord<>("from", 0, 1_000_000L * i, "k", "value-" + i)).get();
    }
    String stream = "/stream?topics=from&follow=false&from=";
    assertThat(values(lines(http.get(stream + "7").body()))).isEqualTo(expected(7, 10));
    assertThat(values(lines(http.get(stream + "1970-01-01T01:06:40Z").body())))
        .isEqualTo(expected(4, 10));
    assertThat(http.get(stream + "yesterday").statusCode()).isEqualTo(400);
    assertThat(http.get("/stream?topics=nowhere").statusCode()).isEqualTo(404);
    assertThat(http.get("/stream").statusCode()).isEqualTo(400);
    assertThat(http.get("/stream?topics=from&position=nonsense").statusCode()).isEqualTo(400);
  }

  @Test
  void bytesThatAreNoTextAndJsonValues() throws Exception {
    create("bytes", 1);
    try (var bytes = node.bytesProducer(Map.of())) {
      bytes.send(new ProducerRecord<>("bytes", null, new byte[] {(byte) 0xff, 1})).get();
      bytes.send(new ProducerRecord<>("bytes", "{\"a\":1}".getBytes(StandardCharsets.UTF_8))).get();
      bytes.send(new ProducerRecord<>("bytes", new byte[] {1}, null)).get();
    }
    List<JsonNode> records =
        lines(http.get("/stream?topics=bytes&from=earliest&follow=false&value=json").body());
    assertThat(records.get(0).path("valueBase64").asText()).isEqualTo("/wE=");
    assertThat(records.get(0).path("key").isNull()).isTrue();
    assertThat(records.get(1).path("value").path("a").asInt()).isEqualTo(1);
    assertThat(records.get(2).path("value").isNull()).isTrue();
  }

  @Test
  void webSocketMessages() throws Exception {
    create("socket", 1);
    send("socket", 0, 3);
    BlockingQueue<String> messages = new LinkedBlockingQueue<>();
    WebSocket socket =
        http.client()
            .newWebSocketBuilder()
            .buildAsync(
                URI.create(
                    node.http().replace("http:", "ws:") + "/stream?topics=socket&from=earliest"),
                new WebSocket.Listener() {
                  private final StringBuilder text = new StringBuilder();

                  @Override
                  public CompletionStage<?> onText(
                      WebSocket webSocket, CharSequence part, boolean last) {
                    text.append(part);
                    if (last) {
                      messages.add(text.toString());
                      text.setLength(0);
                    }
                    webSocket.request(1);
                    return null;
                  }
                })
            .get(60, TimeUnit.SECONDS);
    for (int i = 0; i < 3; i++) {
      assertThat(messages.poll(60, TimeUnit.SECONDS)).contains("\"value-" + i + "\"");
    }
    send("socket", 3, 4);
    assertThat(messages.poll(60, TimeUnit.SECONDS)).contains("\"value-3\"");
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(60, TimeUnit.SECONDS);
  }

  @Test
  void aReaderThatStopsReadingHoldsNothingBackAndEndsWhenItGoes() throws Exception {
    create("slow", 1);
    String value = "x".repeat(10_000);
    for (int i = 0; i < 3_000; i++) {
      var _ = producer.send(new ProducerRecord<>("slow", "k", value));
    }
    producer.flush();
    try (Socket slow = http.raw()) {
      slow.setReceiveBufferSize(4_096);
      HttpClients.write(slow, "GET /stream?topics=slow&from=earliest HTTP/1.1\r\nHost: a\r\n\r\n");
      HttpClients.until(() -> streams() >= 1, "the stream is open");
      // It reads nothing; others get everything.
      assertThat(lines(http.get("/stream?topics=slow&from=earliest&follow=false").body()))
          .hasSize(3_000);
    }
    HttpClients.until(() -> streams() == 0, "streams of readers that have gone are closed");
  }

  private static double streams() throws Exception {
    return http.get("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("milena_http_streams "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' '))))
        .sum();
  }
}
