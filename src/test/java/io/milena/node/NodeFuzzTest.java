package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.wire.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random damage to record batches and to the bodies of every request, through a socket into a whole
 * node. What is damaged is refused with the error that Kafka has for it, or its connection is
 * closed; another connection is served all the while, and all it wrote is read again. {@code
 * -Dmilena.seed=N} replays a run.
 */
@Timeout(120)
class NodeFuzzTest {

  private static final int BATCH_ROUNDS = 1_500;
  private static final int REQUEST_ROUNDS = 1_500;
  private static final int VERSION = 9;

  /** The CRC of a batch, and where it covers begins (KIP-98). */
  private static final int CRC = 17;

  private static final int CRC_COVERED = 21;

  /** The byte of the attributes that says how a batch is compressed. */
  private static final int COMPRESSION = 22;

  @TempDir Path data;

  private final long seed = Long.getLong("milena.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private TestNode node;
  private int port;
  private int correlationId;
  private WireClient other;
  private long otherNextOffset;

  @BeforeEach
  void start() throws Exception {
    node = TestNode.start(data, Map.of("auto.create.topics.enable", "false"));
    port = URI.create("kafka://" + node.bootstrap()).getPort();
    other = new WireClient(port);
    try (Admin admin = node.admin()) {
      admin
          .createTopics(
              List.of(
                  new NewTopic("other", 1, (short) 1),
                  new NewTopic("fuzz", 1, (short) 1),
                  new NewTopic("unreadable", 1, (short) 1)))
          .all()
          .get();
    }
  }

  @AfterEach
  void stop() throws Exception {
    other.close();
    node.close();
  }

  private static MemoryRecords batch(Compression compression, int count, int number) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] =
          new SimpleRecord(
              1_700_000_000_000L + i, ("key" + i).getBytes(), ("n" + number).getBytes());
    }
    return MemoryRecords.withRecords(compression, records);
  }

  private static ProduceRequestData produce(String topic, MemoryRecords records) {
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(
        new TopicProduceData()
            .setName(topic)
            .setPartitionData(List.of(new PartitionProduceData().setIndex(0).setRecords(records))));
    return new ProduceRequestData().setAcks((short) -1).setTimeoutMs(5_000).setTopicData(topics);
  }

  private PartitionProduceResponse send(WireClient client, String topic, MemoryRecords records)
      throws IOException {
    int id = ++correlationId;
    client.send(WireClient.frame(ApiKeys.PRODUCE, VERSION, id, produce(topic, records)));
    return client
        .receive(ApiKeys.PRODUCE, VERSION, id, new ProduceResponseData())
        .responses()
        .iterator()
        .next()
        .partitionResponses()
        .getFirst();
  }

  /** The connection that does nothing wrong. */
  private void otherIsServed(int round) throws Exception {
    PartitionProduceResponse answer =
        send(other, "other", batch(Compression.NONE, 1, (int) otherNextOffset));
    assertThat(answer.errorCode()).as("round %d, seed %d", round, seed).isZero();
    assertThat(answer.baseOffset()).as("round %d, seed %d", round, seed).isEqualTo(otherNextOffset);
    otherNextOffset++;
  }

  private List<ConsumerRecord<String, String>> readAll(String topic) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (consumer.position(partition) < end) {
        assertThat(System.nanoTime()).as("read in time, seed %d", seed).isLessThan(deadline);
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
    }
    return records;
  }

  private void everythingOfOtherIsThere() {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < otherNextOffset; i++) {
      values.add("n" + i);
    }
    assertThat(readAll("other").stream().map(ConsumerRecord::value))
        .as("seed %d", seed)
        .isEqualTo(values);
  }

  private static Compression compression(int which) {
    return switch (which) {
      case 0 -> Compression.gzip().build();
      case 1 -> Compression.snappy().build();
      case 2 -> Compression.lz4().build();
      case 3 -> Compression.zstd().build();
      default -> Compression.NONE;
    };
  }

  @Test
  void aBitThatTheCrcCoversMakesTheBatchCorrupt() throws Exception {
    for (int round = 0; round < BATCH_ROUNDS / 5; round++) {
      ByteBuffer bytes = batch(compression(random.nextInt(6)), 3, round).buffer();
      int position = CRC + random.nextInt(bytes.limit() - CRC);
      bytes.put(position, (byte) (bytes.get(position) ^ 1 << random.nextInt(8)));
      assertThat(send(other, "fuzz", MemoryRecords.readableRecords(bytes)).errorCode())
          .as("byte %d, round %d, seed %d", position, round, seed)
          .isEqualTo(Errors.CORRUPT_MESSAGE.code());
      if (round % 10 == 0) {
        otherIsServed(round);
      }
    }
    assertThat(readAll("fuzz")).isEmpty();
    everythingOfOtherIsThere();
  }

  /**
   * Only header and checksum of a compressed batch are checked on the way in, so what a client
   * compressed wrongly goes to a topic of its own; an uncompressed batch is checked to its last
   * byte.
   */
  @Test
  void whatIsAcceptedOfDamagedUncompressedBatchesCanBeRead() throws Exception {
    Map<Errors, Integer> answers = new EnumMap<>(Errors.class);
    WireClient client = new WireClient(port);
    for (int round = 0; round < BATCH_ROUNDS; round++) {
      boolean compressed = random.nextInt(4) == 0;
      ByteBuffer bytes =
          batch(compressed ? compression(random.nextInt(4)) : Compression.NONE, 3, round).buffer();
      for (int i = random.nextInt(3); i >= 0; i--) {
        int at = random.nextInt(bytes.limit());
        if (compressed || at != COMPRESSION) {
          bytes.put(at, (byte) random.nextInt());
        }
      }
      if (random.nextInt(8) > 0) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(CRC_COVERED));
        bytes.putInt(CRC, (int) crc.getValue());
      }
      String topic = compressed ? "unreadable" : "fuzz";
      try {
        Errors answer =
            Errors.forCode(send(client, topic, MemoryRecords.readableRecords(bytes)).errorCode());
        assertThat(answer)
            .as("round %d, seed %d", round, seed)
            .isNotEqualTo(Errors.UNKNOWN_SERVER_ERROR);
        answers.merge(answer, 1, Integer::sum);
      } catch (EOFException | SocketException closed) {
        client.close();
        client = new WireClient(port);
      }
      if (round % 10 == 0) {
        otherIsServed(round);
      }
    }
    client.close();
    assertThat(answers).as("seed %d", seed).containsKeys(Errors.NONE, Errors.CORRUPT_MESSAGE);
    assertThat(readAll("fuzz")).as("seed %d", seed).isNotEmpty();
    everythingOfOtherIsThere();
  }

  @Test
  void noDamagedRequestDisturbsAnother() throws Exception {
    List<ApiKeys> apis = List.copyOf(EveryVersionTest.AGREED.keySet());
    for (int round = 0; round < REQUEST_ROUNDS; round++) {
      ApiKeys api = apis.get(random.nextInt(apis.size()));
      int latest = api.latestVersion(false);
      ApiMessage request = request(api);
      // What is filled in may not exist in older versions; an empty request does in all.
      boolean filled = !request.equals(api.messageType.newRequest());
      int version =
          filled ? latest : api.oldestVersion() + random.nextInt(latest - api.oldestVersion() + 1);
      try (WireClient client = new WireClient(port)) {
        client.send(damaged(WireClient.frame(api, version, round, request)));
        client.closeOutput();
        while (!client.isClosedByServer()) {
          // An answer's byte; on to the next.
        }
      } catch (SocketException closed) {
        // By the node while sending: what it should do with most of this.
      }
      if (round % 10 == 0) {
        otherIsServed(round);
      }
    }
    everythingOfOtherIsThere();
  }

  /** A frame of the right size whose header's first fields are whole and whose rest is not. */
  private byte[] damaged(byte[] frame) {
    int firstDamaged = Integer.BYTES + 8; // size; API, version and correlation id
    if (frame.length <= firstDamaged) {
      return frame;
    }
    for (int i = random.nextInt(3); i >= 0; i--) {
      int at = firstDamaged + random.nextInt(frame.length - firstDamaged);
      switch (random.nextInt(3)) {
        case 0 -> frame[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> frame[at] = (byte) random.nextInt();
        default -> frame[at] = random.nextBoolean() ? Byte.MAX_VALUE : (byte) 0xff;
      }
    }
    return frame;
  }

  private ApiMessage request(ApiKeys api) {
    return switch (api) {
      case PRODUCE ->
          // Version 13 names the topic by its id: an unknown one.
          new ProduceRequestData()
              .setAcks((short) 1)
              .setTopicData(
                  new TopicProduceDataCollection(
                      List.of(
                              new TopicProduceData()
                                  .setTopicId(Uuid.randomUuid())
                                  .setPartitionData(
                                      List.of(
                                          new PartitionProduceData()
                                              .setIndex(0)
                                              .setRecords(batch(Compression.NONE, 2, 0)))))
                          .iterator()));
      case METADATA ->
          new MetadataRequestData()
              .setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName("fuzz")));
      case LIST_OFFSETS ->
          new ListOffsetsRequestData()
              .setTopics(
                  List.of(
                      new ListOffsetsRequestData.ListOffsetsTopic()
                          .setName("fuzz")
                          .setPartitions(
                              List.of(
                                  new ListOffsetsRequestData.ListOffsetsPartition()
                                      .setTimestamp(random.nextLong())))));
      case CREATE_TOPICS -> {
        CreateTopicsRequestData create = new CreateTopicsRequestData().setTimeoutMs(1_000);
        create
            .topics()
            .add(
                new CreateTopicsRequestData.CreatableTopic()
                    .setName("made" + random.nextInt(100))
                    .setNumPartitions(1)
                    .setReplicationFactor((short) 1));
        yield create;
      }
      case CREATE_PARTITIONS -> {
        CreatePartitionsRequestData create = new CreatePartitionsRequestData().setTimeoutMs(1_000);
        create
            .topics()
            .add(
                new CreatePartitionsRequestData.CreatePartitionsTopic()
                    .setName("fuzz")
                    .setCount(1)
                    .setAssignments(null));
        yield create;
      }
      case JOIN_GROUP -> {
        JoinGroupRequestData join =
            new JoinGroupRequestData()
                .setGroupId("fuzz")
                .setSessionTimeoutMs(6_000)
                .setRebalanceTimeoutMs(6_000)
                .setProtocolType("consumer");
        join.protocols()
            .add(
                new JoinGroupRequestData.JoinGroupRequestProtocol()
                    .setName("range")
                    .setMetadata(new byte[20]));
        yield join;
      }
      case SYNC_GROUP ->
          new SyncGroupRequestData()
              .setGroupId("fuzz")
              .setMemberId("m")
              .setAssignments(
                  List.of(
                      new SyncGroupRequestData.SyncGroupRequestAssignment()
                          .setMemberId("m")
                          .setAssignment(new byte[20])));
      case INCREMENTAL_ALTER_CONFIGS -> {
        IncrementalAlterConfigsRequestData.AlterConfigsResource resource =
            new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                .setResourceType((byte) 2)
                .setResourceName("fuzz");
        resource
            .configs()
            .add(
                new IncrementalAlterConfigsRequestData.AlterableConfig()
                    .setName("retention.ms")
                    .setValue("60000"));
        IncrementalAlterConfigsRequestData alter = new IncrementalAlterConfigsRequestData();
        alter.resources().add(resource);
        yield alter;
      }
      default -> api.messageType.newRequest();
    };
  }
}
