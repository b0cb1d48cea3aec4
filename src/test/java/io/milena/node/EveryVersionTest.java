package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.wire.WireClient;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopicCollection;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every API in every version a node advertises, over a socket and through the real handlers and
 * log: the answer can be written, is read to its last byte, and the APIs that carry data mean the
 * same in each version.
 */
@Timeout(60)
class EveryVersionTest {

  private static final String TOPIC = "versions";
  private static final long TIMESTAMP_MS = 1_700_000_000_000L;

  /** Lowest and highest version, as agreed for what a node serves: both inclusive. */
  static final Map<ApiKeys, String> AGREED =
      Map.ofEntries(
          Map.entry(ApiKeys.PRODUCE, "0-13"), // 3 is the first served (KAFKA-18659)
          Map.entry(ApiKeys.FETCH, "4-18"),
          Map.entry(ApiKeys.LIST_OFFSETS, "1-11"),
          Map.entry(ApiKeys.METADATA, "0-13"),
          Map.entry(ApiKeys.OFFSET_COMMIT, "2-10"),
          Map.entry(ApiKeys.OFFSET_FETCH, "1-10"),
          Map.entry(ApiKeys.OFFSET_DELETE, "0-0"),
          Map.entry(ApiKeys.FIND_COORDINATOR, "0-6"),
          Map.entry(ApiKeys.JOIN_GROUP, "0-9"),
          Map.entry(ApiKeys.SYNC_GROUP, "0-5"),
          Map.entry(ApiKeys.HEARTBEAT, "0-4"),
          Map.entry(ApiKeys.LEAVE_GROUP, "0-5"),
          Map.entry(ApiKeys.DESCRIBE_GROUPS, "0-6"),
          Map.entry(ApiKeys.LIST_GROUPS, "0-5"),
          Map.entry(ApiKeys.DELETE_GROUPS, "0-3"),
          Map.entry(ApiKeys.API_VERSIONS, "0-5"),
          Map.entry(ApiKeys.CREATE_TOPICS, "2-7"),
          Map.entry(ApiKeys.DELETE_TOPICS, "1-6"),
          Map.entry(ApiKeys.CREATE_PARTITIONS, "0-3"),
          Map.entry(ApiKeys.DELETE_RECORDS, "0-2"),
          Map.entry(ApiKeys.DESCRIBE_CONFIGS, "1-4"),
          Map.entry(ApiKeys.ALTER_CONFIGS, "0-2"),
          Map.entry(ApiKeys.INCREMENTAL_ALTER_CONFIGS, "0-1"),
          Map.entry(ApiKeys.ELECT_LEADERS, "0-2"),
          Map.entry(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, "0-1"),
          Map.entry(ApiKeys.LIST_PARTITION_REASSIGNMENTS, "0-0"),
          Map.entry(ApiKeys.UNREGISTER_BROKER, "0-0"),
          Map.entry(ApiKeys.UPDATE_FEATURES, "0-2"),
          Map.entry(ApiKeys.DESCRIBE_QUORUM, "0-2"),
          Map.entry(ApiKeys.ADD_RAFT_VOTER, "0-1"),
          Map.entry(ApiKeys.REMOVE_RAFT_VOTER, "0-0"),
          Map.entry(ApiKeys.DESCRIBE_CLUSTER, "0-2"),
          Map.entry(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, "0-0"),
          Map.entry(ApiKeys.DESCRIBE_LOG_DIRS, "1-5"),
          Map.entry(ApiKeys.ALTER_REPLICA_LOG_DIRS, "1-2"),
          Map.entry(ApiKeys.OFFSET_FOR_LEADER_EPOCH, "2-4"),
          Map.entry(ApiKeys.INIT_PRODUCER_ID, "0-5"));

  /** Tested with what they carry, each in a test of its own. */
  private static final Set<ApiKeys> DATA =
      EnumSet.of(
          ApiKeys.PRODUCE,
          ApiKeys.FETCH,
          ApiKeys.LIST_OFFSETS,
          ApiKeys.DELETE_RECORDS,
          ApiKeys.OFFSET_FOR_LEADER_EPOCH);

  @TempDir static Path data;
  private static TestNode node;
  private static WireClient client;
  private static int correlationId;

  @BeforeAll
  static void start() throws Exception {
    node = TestNode.start(data);
    client = new WireClient(URI.create("kafka://" + node.bootstrap()).getPort());
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    node.close();
  }

  private static <R extends ApiMessage> R ask(
      ApiKeys api, int version, ApiMessage request, R response) throws Exception {
    int id = ++correlationId;
    client.send(WireClient.frame(api, version, id, request));
    return client.receive(api, version, id, response);
  }

  private static Map<ApiKeys, String> advertised() throws Exception {
    ApiVersionsResponseData answer =
        ask(
            ApiKeys.API_VERSIONS,
            3,
            new ApiVersionsRequestData()
                .setClientSoftwareName("test")
                .setClientSoftwareVersion("1"),
            new ApiVersionsResponseData());
    Map<ApiKeys, String> table = new TreeMap<>();
    answer
        .apiKeys()
        .forEach(range ->
            table.put(
                ApiKeys.forId(range.apiKey()), range.minVersion() + "-" + range.maxVersion()));
    return table;
  }

  private static Uuid createTopic(String topic) throws Exception {
    try (Admin admin = node.admin()) {
      var created = admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1)));
      return created.topicId(topic).get();
    }
  }

  @Test
  void advertisedTableIsTheAgreedOne() throws Exception {
    assertThat(advertised()).containsExactlyInAnyOrderEntriesOf(AGREED);
  }

  @Test
  void advertisedVersionsAreThoseThatTheStockClientKnows() throws Exception {
    Map<ApiKeys, String> differing = new TreeMap<>();
    for (ApiKeys api : advertised().keySet()) {
      int min = api == ApiKeys.PRODUCE ? 0 : api.oldestVersion();
      String known = min + "-" + api.latestVersion(false);
      if (!known.equals(AGREED.get(api))) {
        differing.put(api, known);
      }
    }
    // Version 6 is for two-phase commit (KIP-939), which no node serves.
    assertThat(differing)
        .isEqualTo(
            ApiKeys.INIT_PRODUCER_ID.latestVersion(false) > 5
                ? Map.of(ApiKeys.INIT_PRODUCER_ID, "0-6")
                : Map.of());
  }

  @Test
  void everyOtherApiAnswersAnEmptyRequestInEveryVersion() throws Exception {
    for (Map.Entry<ApiKeys, String> range : AGREED.entrySet()) {
      ApiKeys api = range.getKey();
      if (DATA.contains(api)) {
        continue;
      }
      String[] bounds = range.getValue().split("-");
      for (int v = Integer.parseInt(bounds[0]); v <= Integer.parseInt(bounds[1]); v++) {
        ApiMessage answer =
            ask(api, v, api.messageType.newRequest(), api.messageType.newResponse());
        assertThat(answer).as("%s %d", api, v).isNotNull();
      }
    }
  }

  private static MemoryRecords batch(int count) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] = new SimpleRecord(TIMESTAMP_MS + i, ("k" + i).getBytes(), ("v" + i).getBytes());
    }
    return MemoryRecords.withRecords(Compression.NONE, records);
  }

  private static PartitionProduceResponse produce(int version, String topic, Uuid id, int count)
      throws Exception {
    TopicProduceData topicData =
        new TopicProduceData()
            .setPartitionData(
                List.of(new PartitionProduceData().setIndex(0).setRecords(batch(count))));
    if (version >= 13) {
      topicData.setTopicId(id);
    } else {
      topicData.setName(topic);
    }
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(topicData);
    return ask(
            ApiKeys.PRODUCE,
            version,
            new ProduceRequestData().setAcks((short) -1).setTimeoutMs(5_000).setTopicData(topics),
            new ProduceResponseData())
        .responses()
        .iterator()
        .next()
        .partitionResponses()
        .getFirst();
  }

  @Test
  void produceAndFetchMeanTheSameInEveryVersion() throws Exception {
    Uuid id = createTopic(TOPIC);
    for (int version = 3; version <= 13; version++) {
      PartitionProduceResponse answer = produce(version, TOPIC, id, 3);
      assertThat(answer.errorCode()).as("Produce %d", version).isZero();
      assertThat(answer.baseOffset()).as("Produce %d", version).isEqualTo((version - 3) * 3L);
      assertThat(answer.logAppendTimeMs()).as("Produce %d", version).isEqualTo(-1);
      assertThat(answer.logStartOffset()).isEqualTo(version >= 5 ? 0 : -1);
    }
    for (int version = 4; version <= 18; version++) {
      FetchTopic topic =
          new FetchTopic()
              .setPartitions(
                  List.of(
                      new FetchPartition()
                          .setPartition(0)
                          .setFetchOffset(3)
                          .setPartitionMaxBytes(1 << 20)));
      if (version >= 13) {
        topic.setTopicId(id);
      } else {
        topic.setTopic(TOPIC);
      }
      FetchResponseData answer =
          ask(
              ApiKeys.FETCH,
              version,
              new FetchRequestData()
                  .setMaxWaitMs(1_000)
                  .setMinBytes(1)
                  .setMaxBytes(1 << 20)
                  .setTopics(List.of(topic)),
              new FetchResponseData());
      var partition = answer.responses().getFirst().partitions().getFirst();
      assertThat(partition.errorCode()).as("Fetch %d", version).isZero();
      assertThat(partition.highWatermark()).as("Fetch %d", version).isEqualTo(33);
      List<Long> offsets = new ArrayList<>();
      for (Record record : ((MemoryRecords) partition.records()).records()) {
        offsets.add(record.offset());
        assertThat(record.timestamp()).isEqualTo(TIMESTAMP_MS + record.offset() % 3);
      }
      assertThat(offsets).as("Fetch %d", version).startsWith(3L).hasSize(30);
    }
  }

  private static ListOffsetsPartitionResponse listOffset(int version, String topic, long timestamp)
      throws Exception {
    return ask(
            ApiKeys.LIST_OFFSETS,
            version,
            new ListOffsetsRequestData()
                .setTopics(
                    List.of(
                        new ListOffsetsTopic()
                            .setName(topic)
                            .setPartitions(
                                List.of(
                                    new ListOffsetsPartition()
                                        .setPartitionIndex(0)
                                        .setTimestamp(timestamp))))),
            new ListOffsetsResponseData())
        .topics()
        .getFirst()
        .partitions()
        .getFirst();
  }

  @Test
  void listOffsetsMeansTheSameInEveryVersion() throws Exception {
    produce(13, "offsets", createTopic("offsets"), 5);
    for (int version = 1; version <= 11; version++) {
      assertThat(listOffset(version, "offsets", -1).offset()).as("latest %d", version).isEqualTo(5);
      assertThat(listOffset(version, "offsets", -2).offset()).as("earliest %d", version).isZero();
      ListOffsetsPartitionResponse found = listOffset(version, "offsets", TIMESTAMP_MS + 2);
      assertThat(found.offset()).as("by time %d", version).isEqualTo(2);
      assertThat(found.timestamp()).as("by time %d", version).isEqualTo(TIMESTAMP_MS + 2);
      assertThat(found.leaderEpoch() >= 0).as("epoch %d", version).isEqualTo(version >= 4);
      assertThat(listOffset(version, "offsets", TIMESTAMP_MS + 5).offset()).isEqualTo(-1);
      ListOffsetsPartitionResponse largest = listOffset(version, "offsets", -3);
      if (version >= 7) {
        assertThat(largest.offset()).as("largest %d", version).isEqualTo(4);
      } else {
        assertThat(largest.errorCode()).isEqualTo(Errors.UNSUPPORTED_VERSION.code());
      }
      assertThat(listOffset(version, "nothing", -1).errorCode())
          .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
    }
  }

  @Test
  void deleteRecordsMeansTheSameInEveryVersion() throws Exception {
    produce(13, "deleted", createTopic("deleted"), 5);
    for (int version = 0; version <= 2; version++) {
      assertThat(deleteRecords(version, version + 1).lowWatermark()).isEqualTo(version + 1);
      DeleteRecordsPartitionResult beyond = deleteRecords(version, 6);
      assertThat(beyond.errorCode()).isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
      assertThat(beyond.lowWatermark()).isEqualTo(-1);
    }
    assertThat(deleteRecords(2, -1).lowWatermark()).as("to the high watermark").isEqualTo(5);
  }

  private static DeleteRecordsPartitionResult deleteRecords(int version, long offset)
      throws Exception {
    return ask(
            ApiKeys.DELETE_RECORDS,
            version,
            new DeleteRecordsRequestData()
                .setTimeoutMs(5_000)
                .setTopics(
                    List.of(
                        new DeleteRecordsTopic()
                            .setName("deleted")
                            .setPartitions(
                                List.of(
                                    new DeleteRecordsPartition()
                                        .setPartitionIndex(0)
                                        .setOffset(offset))))),
            new DeleteRecordsResponseData())
        .topics()
        .iterator()
        .next()
        .partitions()
        .iterator()
        .next();
  }

  @Test
  void offsetForLeaderEpochMeansTheSameInEveryVersion() throws Exception {
    produce(13, "epochs", createTopic("epochs"), 5);
    int epoch = listOffset(11, "epochs", -1).leaderEpoch();
    for (int version = 2; version <= 4; version++) {
      EpochEndOffset known = endOffset(version, epoch);
      assertThat(known.errorCode()).isZero();
      assertThat(known.leaderEpoch()).isEqualTo(epoch);
      assertThat(known.endOffset()).isEqualTo(5);
      EpochEndOffset unknown = endOffset(version, epoch + 100);
      assertThat(unknown.leaderEpoch()).isEqualTo(-1);
      assertThat(unknown.endOffset()).isEqualTo(-1);
    }
  }

  private static EpochEndOffset endOffset(int version, int epoch) throws Exception {
    OffsetForLeaderTopicCollection topics = new OffsetForLeaderTopicCollection();
    topics.add(
        new OffsetForLeaderTopic()
            .setTopic("epochs")
            .setPartitions(
                List.of(new OffsetForLeaderPartition().setPartition(0).setLeaderEpoch(epoch))));
    return ask(
            ApiKeys.OFFSET_FOR_LEADER_EPOCH,
            version,
            new OffsetForLeaderEpochRequestData().setTopics(topics),
            new OffsetForLeaderEpochResponseData())
        .topics()
        .iterator()
        .next()
        .partitions()
        .getFirst();
  }
}
