package io.milena.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.ThreadMXBean;
import io.milena.node.TestNode;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Segment files over real sockets, compared with the files byte for byte. */
class SegmentsTest {

  private static final String TOPIC = "bulk";
  private static final int RECORDS = 3_000;
  private static final int VALUE_BYTES = 10_000;

  @TempDir static Path data;
  private static TestNode node;
  private static HttpClients http;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(data, Map.of("milena.http", "127.0.0.1:0"));
    http = new HttpClients(node.http());
    fill(TOPIC, RECORDS, "4194304");
  }

  private static void fill(String topic, int records, String segmentBytes) throws Exception {
    try (var admin = node.admin()) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(topic, 1, (short) 1)
                      .configs(
                          Map.of("segment.bytes", segmentBytes, "file.delete.delay.ms", "60000"))))
          .all()
          .get();
    }
    byte[] value = new byte[VALUE_BYTES];
    new Random(7).nextBytes(value);
    try (var producer = node.bytesProducer(Map.of("batch.size", "100000"))) {
      for (int i = 0; i < records; i++) {
        var _ = producer.send(new ProducerRecord<>(topic, value));
      }
      producer.flush();
    }
  }

  @AfterAll
  static void stop() {
    http.close();
    node.close();
  }

  private static JsonNode list(String topic) throws Exception {
    return Answers.JSON.readTree(http.get("/log/" + topic + "/0/segments").body());
  }

  private static Path directory(String topic) throws Exception {
    try (var files = Files.walk(data)) {
      return files.filter(file -> file.endsWith(topic + "-0")).findFirst().orElseThrow();
    }
  }

  private static byte[] file(String topic, JsonNode segment) throws Exception {
    String name = "%020d.log".formatted(segment.path("base_offset").asLong());
    return Files.readAllBytes(directory(topic).resolve(name));
  }

  @Test
  void everySegmentIsTheFileByteForByte() throws Exception {
    JsonNode list = list(TOPIC);
    assertThat(list.path("high_watermark").asLong()).isEqualTo(RECORDS);
    assertThat(list.path("segments").size()).isGreaterThan(4);
    long next = 0;
    for (JsonNode segment : list.path("segments")) {
      assertThat(segment.path("base_offset").asLong()).isEqualTo(next);
      next = segment.path("end_offset").asLong();
      HttpResponse<byte[]> answer = http.bytes(http.request(segment.path("href").asText()));
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("ETag")).contains(segment.path("etag").asText());
      byte[] expected = file(TOPIC, segment);
      assertThat(answer.body()).hasSize(segment.path("size_bytes").asInt());
      // The file of the segment that is still written may be longer on disk, and only that.
      assertThat(Arrays.mismatch(answer.body(), expected))
          .isIn(-1, Math.min(answer.body().length, expected.length));
    }
    assertThat(next).isEqualTo(RECORDS);
  }

  @Test
  void rangesHeadAndConditions() throws Exception {
    JsonNode segment = list(TOPIC).path("segments").get(0);
    String path = segment.path("href").asText();
    String etag = segment.path("etag").asText();
    byte[] whole = file(TOPIC, segment);

    HttpResponse<byte[]> part = http.bytes(http.request(path).header("Range", "bytes=100-199"));
    assertThat(part.statusCode()).isEqualTo(206);
    assertThat(part.headers().firstValue("Content-Range"))
        .contains("bytes 100-199/" + whole.length);
    assertThat(part.body()).isEqualTo(Arrays.copyOfRange(whole, 100, 200));
    assertThat(http.bytes(http.request(path).header("Range", "bytes=-77")).body())
        .isEqualTo(Arrays.copyOfRange(whole, whole.length - 77, whole.length));
    int most = whole.length - 1_000;
    assertThat(
            http.bytes(
                    http.request(path)
                        .header("Range", "bytes=" + most + "-")
                        .header("If-Range", etag))
                .body())
        .isEqualTo(Arrays.copyOfRange(whole, most, whole.length));
    HttpResponse<byte[]> changed =
        http.bytes(http.request(path).header("Range", "bytes=5-").header("If-Range", "\"other\""));
    assertThat(changed.statusCode()).isEqualTo(200);
    assertThat(changed.body()).isEqualTo(whole);

    HttpResponse<byte[]> behind =
        http.bytes(http.request(path).header("Range", "bytes=" + whole.length + "-"));
    assertThat(behind.statusCode()).isEqualTo(416);
    assertThat(behind.headers().firstValue("Content-Range")).contains("bytes */" + whole.length);
    assertThat(http.bytes(http.request(path).header("Range", "bytes=x")).statusCode())
        .isEqualTo(400);

    HttpResponse<byte[]> head =
        http.bytes(http.request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()));
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.headers().firstValueAsLong("Content-Length")).hasValue(whole.length);
    assertThat(head.body()).isEmpty();

    assertThat(http.bytes(http.request(path).header("If-None-Match", etag)).statusCode())
        .isEqualTo(304);
    assertThat(http.bytes(http.request(path).header("If-Match", "\"other\"")).statusCode())
        .isEqualTo(412);
  }

  @Test
  void anOffsetRangeIsWholeBatchesOverSegments() throws Exception {
    long from = 1_234;
    long to = 2_345;
    byte[] body =
        http.bytes(http.request("/log/" + TOPIC + "/0/batches?from=" + from + "&to=" + to)).body();
    long first = -1;
    long next = -1;
    for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(body)).batches()) {
      batch.ensureValid();
      assertThat(first < 0 || batch.baseOffset() == next).isTrue();
      first = first < 0 ? batch.baseOffset() : first;
      next = batch.nextOffset();
    }
    assertThat(first).isBetween(from - 20, from);
    assertThat(next).isBetween(to, to + 20);
    assertThat(http.get("/log/" + TOPIC + "/0/batches?from=9999999").statusCode()).isEqualTo(416);
    assertThat(http.get("/log/" + TOPIC + "/0/batches?from=9&to=3").statusCode()).isEqualTo(400);
    assertThat(http.get("/log/none/0/batches").statusCode()).isEqualTo(404);
    assertThat(http.get("/log/" + TOPIC + "/7/segments").statusCode()).isEqualTo(404);
    assertThat(http.get("/log/" + TOPIC + "/x/segments").statusCode()).isEqualTo(404);
  }

  @Test
  void theHeapSeesNothingOfTheBytes() throws Exception {
    String path = list(TOPIC).path("segments").get(1).path("href").asText();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    byte[] buffer = new byte[64 * 1024];
    long served = download(path, buffer);
    long before = threads.getTotalThreadAllocatedBytes();
    long total = 0;
    for (int i = 0; i < 25; i++) {
      total += download(path, buffer);
    }
    long allocated = threads.getTotalThreadAllocatedBytes() - before;
    assertThat(total).isEqualTo(25 * served);
    assertThat(total).isGreaterThan(80_000_000);
    assertThat(allocated).isLessThan(total / 10);
  }

  /** Downloads over a connection of its own, with one buffer; how many bytes the body had. */
  private static long download(String path, byte[] buffer) throws Exception {
    try (Socket socket = http.raw()) {
      HttpClients.write(
          socket, "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      InputStream in = socket.getInputStream();
      long total = 0;
      int ends = 0;
      while (ends < 4) {
        int next = in.read();
        ends = next == (ends % 2 == 0 ? '\r' : '\n') ? ends + 1 : 0;
      }
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        total += count;
      }
      return total;
    }
  }

  @Test
  void aSegmentThatIsDeletedDuringADownloadFinishes() throws Exception {
    fill("shrinking", 2_000, "8388608");
    JsonNode segment = list("shrinking").path("segments").get(0);
    byte[] expected = file("shrinking", segment);
    HttpResponse<InputStream> answer = http.open(http.request(segment.path("href").asText()));
    try (InputStream in = answer.body()) {
      byte[] head = in.readNBytes(1_000);
      try (var admin = node.admin()) {
        admin
            .deleteRecords(
                Map.of(new TopicPartition("shrinking", 0), RecordsToDelete.beforeOffset(-1)))
            .all()
            .get();
      }
      HttpClients.until(
          () ->
              !list("shrinking")
                  .path("segments")
                  .toString()
                  .contains(segment.path("etag").asText()),
          "the segment is listed no longer");
      assertThat(head).isEqualTo(Arrays.copyOf(expected, 1_000));
      assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(expected, 1_000, expected.length));
    }
    assertThat(http.get(segment.path("href").asText()).statusCode()).isEqualTo(404);
  }

  @Test
  void whatWasDeletedIsNotServedThoughTheFileHasIt() throws Exception {
    fill("cut", 100, "8388608");
    try (var admin = node.admin()) {
      admin
          .deleteRecords(Map.of(new TopicPartition("cut", 0), RecordsToDelete.beforeOffset(60)))
          .all()
          .get();
    }
    JsonNode segment = list("cut").path("segments").get(0);
    byte[] body = http.bytes(http.request(segment.path("href").asText())).body();
    RecordBatch first =
        MemoryRecords.readableRecords(ByteBuffer.wrap(body)).batches().iterator().next();
    assertThat(first.lastOffset()).isGreaterThanOrEqualTo(60);
    assertThat(body.length).isLessThan(file("cut", segment).length);
  }
}
