package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes to requests and answers to bytes, over real sockets. */
class FramingTest {

  @Test
  void framesSplitAtEveryByteAreServed() throws Exception {
    byte[] first = Produces.records(40, 1);
    byte[] second = Produces.records(60, 2);
    byte[] both = join(Produces.frame(1, first), Produces.frame(2, second));
    try (WireServer server = WireServer.start(Produces.hashing());
        WireClient client = server.connect()) {
      for (int split = 1; split < both.length; split++) {
        long before = server.metrics().bytesIn();
        int cut = split;
        client.send(both, 0, split);
        WireServer.await("first part read", () -> server.metrics().bytesIn() == before + cut);
        client.send(both, split, both.length);
        assertThat(Produces.receiveOffset(client, 1)).isEqualTo(hash(first));
        assertThat(Produces.receiveOffset(client, 2)).isEqualTo(hash(second));
      }
    }
  }

  @Test
  void aFrameThatComesByteByByteIsServed() throws Exception {
    byte[] records = Produces.records(20, 3);
    byte[] frame = Produces.frame(5, records);
    try (WireServer server = WireServer.start(Produces.hashing());
        WireClient client = server.connect()) {
      for (int i = 0; i < frame.length; i++) {
        int sent = i + 1;
        client.send(frame, i, i + 1);
        WireServer.await("byte read", () -> server.metrics().bytesIn() == sent);
      }
      assertThat(Produces.receiveOffset(client, 5)).isEqualTo(hash(records));
    }
  }

  @Test
  void manyFramesInOneWriteAreAnsweredInOrder() throws Exception {
    int count = 5_000;
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    for (int i = 0; i < count; i++) {
      frames.writeBytes(Produces.frame(i, Produces.records(10 + i % 500, i)));
    }
    try (WireServer server = WireServer.start(Produces.hashing());
        WireClient client = server.connect()) {
      Thread sender = Thread.ofVirtual().start(() -> sendAll(client, frames.toByteArray()));
      for (int i = 0; i < count; i++) {
        assertThat(Produces.receiveOffset(client, i))
            .isEqualTo(hash(Produces.records(10 + i % 500, i)));
      }
      sender.join();
    }
  }

  @Test
  void framesOfAllSizesAreServedWhole() throws Exception {
    int[] sizes = {
      1,
      1000,
      4096,
      65_536,
      NetworkLoop.READ_BUFFER_BYTES - 100,
      NetworkLoop.READ_BUFFER_BYTES,
      NetworkLoop.READ_BUFFER_BYTES + 1,
      1_000_000,
      3_000_000,
      7_000_000,
      100,
      70_000
    };
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    for (int i = 0; i < sizes.length; i++) {
      frames.writeBytes(Produces.frame(i, Produces.records(sizes[i], i)));
    }
    try (WireServer server = WireServer.start(Produces.hashing());
        WireClient client = server.connect()) {
      Thread sender = Thread.ofVirtual().start(() -> sendAll(client, frames.toByteArray()));
      for (int i = 0; i < sizes.length; i++) {
        assertThat(Produces.receiveOffset(client, i))
            .isEqualTo(hash(Produces.records(sizes[i], i)));
      }
      sender.join();
    }
  }

  @Test
  void requestMemoryThatIsUsedUpDelaysRequestsAndFailsNone() throws Exception {
    int clients = 8;
    int each = 6;
    try (WireServer server =
        WireServer.start(
            WireServer.config(WireConfig.REQUEST_MAX_BYTES_DEFAULT, 64 * 1024),
            Clock.system(),
            Produces.hashing())) {
      Thread[] threads = new Thread[clients];
      Throwable[] failures = new Throwable[clients];
      for (int c = 0; c < clients; c++) {
        int me = c;
        threads[c] =
            Thread.ofPlatform()
                .start(() -> {
                  try (WireClient client = server.connect()) {
                    ByteArrayOutputStream frames = new ByteArrayOutputStream();
                    for (int i = 0; i < each; i++) {
                      frames.writeBytes(Produces.frame(i, Produces.records(900_000, me + i)));
                    }
                    Thread sender =
                        Thread.ofVirtual().start(() -> sendAll(client, frames.toByteArray()));
                    for (int i = 0; i < each; i++) {
                      assertThat(Produces.receiveOffset(client, i))
                          .isEqualTo(hash(Produces.records(900_000, me + i)));
                    }
                    sender.join();
                  } catch (Throwable e) {
                    failures[me] = e;
                  }
                });
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).containsOnlyNulls();
    }
  }

  @Test
  void fileRegionsGoBetweenTheBytesAroundThem(@TempDir Path dir) throws Exception {
    byte[] stored = Produces.records(3_000_000, 9);
    Path file = dir.resolve("records");
    Files.write(file, stored);
    try (FileRecords records = FileRecords.open(file.toFile(), false)) {
      FetchResponseData answer = new FetchResponseData();
      for (int topic = 0; topic < 3; topic++) {
        var partitions =
            java.util.List.of(
                new FetchResponseData.PartitionData()
                    .setPartitionIndex(0)
                    .setRecords(records.slice(topic * 1_000_000, 1_000_000 - topic)),
                new FetchResponseData.PartitionData()
                    .setPartitionIndex(1)
                    .setRecords(
                        MemoryRecords.readableRecords(ByteBuffer.wrap(stored, 7, 500).slice())));
        answer
            .responses()
            .add(
                new FetchResponseData.FetchableTopicResponse()
                    .setTopic("topic-" + topic)
                    .setPartitions(partitions));
      }
      try (WireServer server =
              WireServer.start(ScriptedHandler.answering(ApiKeys.FETCH, (_, _) -> answer));
          WireClient client = server.connect()) {
        for (int i = 0; i < 3; i++) {
          client.send(WireClient.frame(ApiKeys.FETCH, 12, i, new FetchRequestData()));
          FetchResponseData received =
              client.receive(ApiKeys.FETCH, 12, i, new FetchResponseData());
          for (int topic = 0; topic < 3; topic++) {
            var partitions = received.responses().get(topic).partitions();
            assertThat(bytes(partitions.get(0)))
                .isEqualTo(ByteBuffer.wrap(stored, topic * 1_000_000, 1_000_000 - topic));
            assertThat(bytes(partitions.get(1))).isEqualTo(ByteBuffer.wrap(stored, 7, 500));
          }
        }
      }
    }
  }

  @Test
  void anAnswerLargerThanTheWriteBufferIsSentWhole() throws Exception {
    MetadataResponseData answer = new MetadataResponseData().setClusterId("x".repeat(20_000));
    for (int i = 0; i < 20_000; i++) {
      answer
          .topics()
          .add(new MetadataResponseData.MetadataResponseTopic().setName("topic-number-" + i));
    }
    try (WireServer server =
            WireServer.start(ScriptedHandler.answering(ApiKeys.METADATA, (_, _) -> answer));
        WireClient client = server.connect()) {
      for (int i = 0; i < 10; i++) {
        client.send(WireClient.frame(ApiKeys.METADATA, 9, i, new MetadataRequestData()));
      }
      for (int i = 0; i < 10; i++) {
        assertThat(client.receive(ApiKeys.METADATA, 9, i, new MetadataResponseData()))
            .isEqualTo(answer);
      }
    }
  }

  @Test
  void whatIsNoRequestClosesOnlyItsConnection() throws Exception {
    ScriptedHandler heartbeat =
        ScriptedHandler.answering(ApiKeys.HEARTBEAT, (_, _) -> new HeartbeatResponseData());
    byte[] good = WireClient.frame(ApiKeys.HEARTBEAT, 4, 1, heartbeat());
    byte[] unknownApi = good.clone();
    unknownApi[4] = 0x7f;
    byte[] unknownVersion = good.clone();
    unknownVersion[7] = 55;
    byte[] trailing = new byte[good.length + 3];
    System.arraycopy(good, 0, trailing, 0, good.length);
    ByteBuffer.wrap(trailing).putInt(0, trailing.length - 4);
    byte[] truncated = java.util.Arrays.copyOf(good, good.length - 3);
    ByteBuffer.wrap(truncated).putInt(0, truncated.length - 4);
    byte[] notServed =
        WireClient.frame(ApiKeys.DESCRIBE_CLUSTER, 0, 1, new DescribeClusterRequestData());
    byte[][] bad = {
      ByteBuffer.allocate(4).putInt(-1).array(),
      ByteBuffer.allocate(4).putInt(Integer.MIN_VALUE).array(),
      ByteBuffer.allocate(4).putInt(WireConfig.REQUEST_MAX_BYTES_DEFAULT + 1).array(),
      ByteBuffer.allocate(4).putInt(0).array(),
      new byte[] {0, 0, 0, 1, 7},
      "GET / HTTP/1.1\r\nHost: milena\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
      unknownApi,
      unknownVersion,
      trailing,
      truncated,
      notServed
    };
    try (WireServer server = WireServer.start(heartbeat);
        WireClient other = server.connect()) {
      for (int i = 0; i < bad.length; i++) {
        try (WireClient client = server.connect()) {
          client.send(good);
          client.receive(ApiKeys.HEARTBEAT, 4, 1, new HeartbeatResponseData());
          client.send(bad[i]);
          assertThat(client.isClosedByServer()).as("bad frame %d", i).isTrue();
        }
        other.send(good);
        other.receive(ApiKeys.HEARTBEAT, 4, 1, new HeartbeatResponseData());
      }
      assertThat(server.metrics().malformed()).isEqualTo(bad.length);
    }
  }

  @Test
  void whatCameBeforeAMalformedFrameIsAnswered() throws Exception {
    byte[] good = WireClient.frame(ApiKeys.HEARTBEAT, 4, 1, heartbeat());
    try (WireServer server =
            WireServer.start(
                ScriptedHandler.answering(
                    ApiKeys.HEARTBEAT, (_, _) -> new HeartbeatResponseData()));
        WireClient client = server.connect()) {
      client.send(join(good, ByteBuffer.allocate(4).putInt(-5).array()));
      client.receive(ApiKeys.HEARTBEAT, 4, 1, new HeartbeatResponseData());
      assertThat(client.isClosedByServer()).isTrue();
    }
  }

  private static HeartbeatRequestData heartbeat() {
    return new HeartbeatRequestData().setGroupId("group").setMemberId("member").setGenerationId(3);
  }

  private static ByteBuffer bytes(FetchResponseData.PartitionData partition) {
    return ((MemoryRecords) partition.records()).buffer();
  }

  private static long hash(byte[] records) {
    return Produces.hash(ByteBuffer.wrap(records));
  }

  static byte[] join(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  static void sendAll(WireClient client, byte[] bytes) {
    try {
      client.send(bytes);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
