package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.milena.node.TestNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streams that share a group's partitions, and producing over a WebSocket. */
class SharedStreamsTest {

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

  private static void send(String topic, int from, int to) {
    for (int i = from; i < to; i++) {
      var _ = producer.send(new ProducerRecord<>(topic, "key-" + i, "value-" + i));
    }
    producer.flush();
  }

  /** A stream that is read in the background until it is closed. */
  private static final class Reader implements AutoCloseable {
    final Set<String> values = ConcurrentHashMap.newKeySet();
    private final InputStream body;

    Reader(String path) throws Exception {
      body = http.open(http.request(path)).body();
      Thread.ofVirtual().start(this::read);
    }

    private void read() {
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (!line.isEmpty()) {
            values.add(Answers.JSON.readTree(line).path("value").asText());
          }
        }
      } catch (IOException closed) {
        // Closed by the test.
      }
    }

    @Override
    public void close() throws IOException {
      // Not its reader, which would wait for the line that is being read.
      body.close();
    }
  }

  @Test
  void membersShareThePartitionsAndTakeOverFromThoseThatGo() throws Exception {
    create("shared", 4);
    send("shared", 0, 100);
    String stream = "/stream?topics=shared&group=team&from=earliest";
    try (Reader first = new Reader(stream)) {
      HttpClients.until(() -> first.values.size() == 100, "the first has it all");
      try (Reader second = new Reader(stream)) {
        // Some keys of each round fall to each of four partitions; rounds until both read.
        int[] sent = {100};
        HttpClients.until(
            () -> {
              send("shared", sent[0], sent[0] + 40);
              sent[0] += 40;
              return second.values.stream().anyMatch(value -> !first.values.contains(value));
            },
            "the second reads what the first does not");
        HttpClients.until(
            () -> union(first, second) == sent[0], "the two together have read everything");
        first.close();
        send("shared", sent[0], sent[0] + 40);
        int last = sent[0];
        HttpClients.until(
            () -> {
              for (int i = last; i < last + 40; i++) {
                if (!second.values.contains("value-" + i)) {
                  return false;
                }
              }
              return true;
            },
            "the second has taken over");
      }
    }
  }

  private static int union(Reader first, Reader second) {
    Set<String> all = ConcurrentHashMap.newKeySet();
    all.addAll(first.values);
    all.addAll(second.values);
    return all.size();
  }

  @Test
  void beginsWhereAGroupHasCommittedWithoutJoiningIt() throws Exception {
    create("committed", 1);
    send("committed", 0, 10);
    try (var consumer = node.consumer(Map.of("group.id", "elsewhere"))) {
      consumer.commitSync(
          Map.of(
              new org.apache.kafka.common.TopicPartition("committed", 0),
              new org.apache.kafka.clients.consumer.OffsetAndMetadata(7)));
    }
    String body =
        http.get("/stream?topics=committed&from=committed&group=elsewhere&share=false&follow=false")
            .body();
    assertThat(body.lines().toList()).hasSize(3);
    assertThat(body).contains("value-7").doesNotContain("value-6");
    assertThat(http.get("/stream?topics=committed&from=committed").statusCode()).isEqualTo(400);
  }

  @Test
  void aStreamThatEndsByItsLimitHasCommittedAndTheLagIsMeasured() throws Exception {
    create("limited", 1);
    send("limited", 0, 10);
    String stream = "/stream?topics=limited&group=batch&from=earliest&limit=4";
    assertThat(http.get(stream).body()).contains("value-0").contains("value-3");
    HttpClients.until(
        () ->
            http.get("/metrics")
                .body()
                .contains(
                    "milena_group_lag_records{group=\"batch\",partition=\"0\",topic=\"limited\"}"
                        + " 6.0"),
        "the lag of what is left");
    assertThat(http.get(stream).body())
        .contains("value-4")
        .contains("value-7")
        .doesNotContain("value-3");
    HttpClients.until(
        () -> http.get("/metrics").body().contains("milena_groups{state=\"empty\"}"),
        "the group has nobody left");
    assertThat(http.get("/metrics").body()).contains("milena_group_lag_seconds{group=\"batch\"");
  }

  @Test
  void producesOverAWebSocketWithAReceiptEach() throws Exception {
    create("pushed", 2);
    BlockingQueue<JsonNode> receipts = new LinkedBlockingQueue<>();
    WebSocket socket =
        http.client()
            .newWebSocketBuilder()
            .buildAsync(
                URI.create(node.http().replace("http:", "ws:") + "/produce?topic=pushed"),
                new WebSocket.Listener() {
                  private final StringBuilder text = new StringBuilder();

                  @Override
                  public CompletionStage<?> onText(
                      WebSocket webSocket, CharSequence part, boolean last) {
                    text.append(part);
                    if (last) {
                      try {
                        receipts.add(Answers.JSON.readTree(text.toString()));
                      } catch (IOException wrong) {
                        throw new IllegalStateException(wrong);
                      }
                      text.setLength(0);
                    }
                    webSocket.request(1);
                    return null;
                  }
                })
            .get(60, TimeUnit.SECONDS);
    for (int i = 0; i < 20; i++) {
      socket
          .sendText("{\"id\":" + i + ",\"key\":\"k\",\"value\":{\"n\":" + i + "}}", true)
          .get(60, TimeUnit.SECONDS);
    }
    socket.sendText("no JSON", true).get(60, TimeUnit.SECONDS);
    socket.sendText("{\"id\":\"p\",\"partition\":9,\"value\":1}", true).get(60, TimeUnit.SECONDS);
    for (int i = 0; i < 20; i++) {
      JsonNode receipt = receipts.poll(60, TimeUnit.SECONDS);
      assertThat(receipt.path("id").asInt()).isEqualTo(i);
      assertThat(receipt.path("offset").asLong()).isEqualTo(i);
    }
    assertThat(receipts.poll(60, TimeUnit.SECONDS).path("error_code").asInt()).isEqualTo(400);
    assertThat(receipts.poll(60, TimeUnit.SECONDS).path("error_code").asInt()).isEqualTo(40403);
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(60, TimeUnit.SECONDS);
    assertThat(http.get("/stream?topics=pushed&from=earliest&follow=false").body().lines().count())
        .isEqualTo(20);
    assertThat(http.get("/produce?topic=pushed").statusCode()).isEqualTo(426);
  }
}
