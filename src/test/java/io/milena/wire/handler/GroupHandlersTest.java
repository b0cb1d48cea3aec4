package io.milena.wire.handler;

import static io.milena.group.actor.CoordinatorFixture.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.group.actor.CoordinatorFixture;
import io.milena.group.actor.FakeMetadata;
import io.milena.metadata.TopicImage;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The handlers over a real coordinator, in every version: each request and each answer goes through
 * its codec, as it would on a connection.
 */
class GroupHandlersTest {

  private static CoordinatorFixture fixture;
  private static Map<ApiKeys, ApiHandler> handlers;
  private static TopicImage topic;

  @BeforeAll
  static void start() {
    fixture = new CoordinatorFixture(CoordinatorFixture.quickConfig());
    fixture.start();
    topic = fixture.metadata.createTopic("topic", 1);
    handlers =
        GroupHandlers.all(fixture.coordinator, fixture.metadata).stream()
            .collect(Collectors.toMap(ApiHandler::api, Function.identity()));
  }

  @AfterAll
  static void stop() {
    fixture.close();
  }

  private static <R extends ApiMessage> R ask(
      Class<R> type, ApiKeys api, int version, ApiMessage request) {
    ApiHandler handler = handlers.get(api);
    ApiMessage received = api.messageType.newRequest();
    received.read(throughTheCodec(request, version), (short) version);
    ApiMessage answer = get(handler.handle(new Context(api, (short) version), received));
    ApiMessage sent = api.messageType.newResponse();
    sent.read(throughTheCodec(answer, version), (short) version);
    return type.cast(sent);
  }

  private static ByteBufferAccessor throughTheCodec(ApiMessage message, int version) {
    return MessageUtil.toByteBufferAccessor(message, (short) version);
  }

  private static void forEachVersion(ApiKeys api, java.util.function.IntConsumer test) {
    ApiHandler handler = handlers.get(api);
    for (int version = handler.minVersion(); version <= handler.maxVersion(); version++) {
      test.accept(version);
    }
  }

  @Test
  void everyVersionKafkaKnowsIsServed() {
    assertThat(handlers).hasSize(11);
    handlers.forEach((api, handler) -> {
      assertThat(handler.minVersion()).as("%s", api).isEqualTo(api.oldestVersion());
      assertThat(handler.maxVersion()).as("%s", api).isEqualTo(api.latestVersion());
    });
  }

  @Test
  void theCoordinatorIsFoundInEveryVersion() {
    forEachVersion(
        ApiKeys.FIND_COORDINATOR,
        version -> {
          FindCoordinatorRequestData request = new FindCoordinatorRequestData();
          FindCoordinatorResponseData response =
              ask(
                  FindCoordinatorResponseData.class,
                  ApiKeys.FIND_COORDINATOR,
                  version,
                  version < 4 ? request.setKey("g") : request.setCoordinatorKeys(List.of("g")));
          String host = version < 4 ? response.host() : response.coordinators().getFirst().host();
          int nodeId =
              version < 4 ? response.nodeId() : response.coordinators().getFirst().nodeId();
          assertThat(host).isEqualTo("broker.example");
          assertThat(nodeId).isEqualTo(FakeMetadata.NODE_ID);
        });
  }

  @Test
  void thereAreNoOtherCoordinators() {
    for (int keyType = 1; keyType <= 3; keyType++) {
      FindCoordinatorResponseData response =
          ask(
              FindCoordinatorResponseData.class,
              ApiKeys.FIND_COORDINATOR,
              6,
              new FindCoordinatorRequestData()
                  .setKeyType((byte) keyType)
                  .setCoordinatorKeys(List.of("k")));
      assertThat(Errors.forCode(response.coordinators().getFirst().errorCode()))
          .isEqualTo(Errors.INVALID_REQUEST);
    }
  }

  @Test
  void aMemberLivesThroughItsWholeLifeInEveryVersion() {
    for (int version = 0; version <= 9; version++) {
      String group = "life-" + version;
      JoinGroupResponseData joined = join(group, "", version);
      if (version >= 4) {
        assertThat(Errors.forCode(joined.errorCode())).isEqualTo(Errors.MEMBER_ID_REQUIRED);
        joined = join(group, joined.memberId(), version);
      }
      assertThat(joined.errorCode()).isEqualTo(Errors.NONE.code());
      assertThat(joined.protocolName()).isEqualTo("range");
      assertThat(joined.members()).hasSize(1);
      String member = joined.memberId();
      SyncGroupResponseData synced =
          ask(
              SyncGroupResponseData.class,
              ApiKeys.SYNC_GROUP,
              Math.min(version, 5),
              new SyncGroupRequestData()
                  .setGroupId(group)
                  .setMemberId(member)
                  .setGenerationId(1)
                  .setProtocolType(version >= 5 ? "consumer" : null)
                  .setProtocolName(version >= 5 ? "range" : null)
                  .setAssignments(
                      List.of(
                          new SyncGroupRequestAssignment()
                              .setMemberId(member)
                              .setAssignment(new byte[] {5}))));
      assertThat(synced.assignment()).containsExactly(5);
      HeartbeatResponseData beat =
          ask(
              HeartbeatResponseData.class,
              ApiKeys.HEARTBEAT,
              Math.min(version, 4),
              new HeartbeatRequestData().setGroupId(group).setMemberId(member).setGenerationId(1));
      assertThat(beat.errorCode()).isEqualTo(Errors.NONE.code());
      describe(group, member, Math.min(version, 6));
      leave(group, member, Math.min(version, 5));
    }
  }

  private static JoinGroupResponseData join(String group, String memberId, int version) {
    JoinGroupRequestData request =
        new JoinGroupRequestData()
            .setGroupId(group)
            .setMemberId(memberId)
            .setProtocolType("consumer")
            .setSessionTimeoutMs(60_000);
    if (version >= 1) {
      request.setRebalanceTimeoutMs(60_000);
    }
    request
        .protocols()
        .add(new JoinGroupRequestProtocol().setName("range").setMetadata(new byte[] {1}));
    return ask(JoinGroupResponseData.class, ApiKeys.JOIN_GROUP, version, request);
  }

  private static void describe(String group, String member, int version) {
    DescribeGroupsResponseData described =
        ask(
            DescribeGroupsResponseData.class,
            ApiKeys.DESCRIBE_GROUPS,
            version,
            new DescribeGroupsRequestData()
                .setGroups(List.of(group, "nowhere"))
                .setIncludeAuthorizedOperations(version >= 3));
    assertThat(described.groups().get(0).groupState()).isEqualTo("Stable");
    assertThat(described.groups().get(0).members().getFirst().memberId()).isEqualTo(member);
    assertThat(described.groups().get(1).groupState()).isEqualTo("Dead");
    assertThat(described.groups().get(1).errorCode())
        .isEqualTo((version >= 6 ? Errors.GROUP_ID_NOT_FOUND : Errors.NONE).code());
  }

  private static void leave(String group, String member, int version) {
    LeaveGroupRequestData request = new LeaveGroupRequestData().setGroupId(group);
    LeaveGroupResponseData left =
        ask(
            LeaveGroupResponseData.class,
            ApiKeys.LEAVE_GROUP,
            version,
            version < 3
                ? request.setMemberId(member)
                : request.setMembers(List.of(new MemberIdentity().setMemberId(member))));
    assertThat(left.errorCode()).isEqualTo(Errors.NONE.code());
    LeaveGroupRequestData again = new LeaveGroupRequestData().setGroupId(group);
    LeaveGroupResponseData refused =
        ask(
            LeaveGroupResponseData.class,
            ApiKeys.LEAVE_GROUP,
            version,
            version < 3
                ? again.setMemberId(member)
                : again.setMembers(List.of(new MemberIdentity().setMemberId(member))));
    assertThat(version < 3 ? refused.errorCode() : refused.members().getFirst().errorCode())
        .isEqualTo(Errors.UNKNOWN_MEMBER_ID.code());
  }

  @Test
  void offsetsAreCommittedInEveryVersion() {
    forEachVersion(
        ApiKeys.OFFSET_COMMIT,
        version -> {
          OffsetCommitResponseData response = commit("commit-" + version, version, topic.id());
          assertThat(response.topics()).hasSize(1);
          assertThat(response.topics().getFirst().partitions().getFirst().errorCode())
              .isEqualTo(Errors.NONE.code());
          assertThat(response.topics().getFirst().name()).isEqualTo(version < 10 ? "topic" : "");
        });
  }

  private static OffsetCommitResponseData commit(String group, int version, Uuid topicId) {
    OffsetCommitRequestTopic requested =
        new OffsetCommitRequestTopic()
            .setPartitions(
                List.of(
                    new OffsetCommitRequestPartition()
                        .setPartitionIndex(0)
                        .setCommittedOffset(42)
                        .setCommittedMetadata(null)));
    return ask(
        OffsetCommitResponseData.class,
        ApiKeys.OFFSET_COMMIT,
        version,
        new OffsetCommitRequestData()
            .setGroupId(group)
            .setTopics(
                List.of(
                    version < 10 ? requested.setName("topic") : requested.setTopicId(topicId))));
  }

  @Test
  void topicsThatAreNotThereAreNotCommitted() {
    Uuid unknown = Uuid.randomUuid();
    OffsetCommitResponseData byId = commit("g", 10, unknown);
    assertThat(byId.topics().getFirst().topicId()).isEqualTo(unknown);
    assertThat(byId.topics().getFirst().partitions().getFirst().errorCode())
        .isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
    OffsetCommitRequestTopic gone =
        new OffsetCommitRequestTopic()
            .setName("gone")
            .setPartitions(List.of(new OffsetCommitRequestPartition().setPartitionIndex(0)));
    OffsetCommitResponseData byName =
        ask(
            OffsetCommitResponseData.class,
            ApiKeys.OFFSET_COMMIT,
            9,
            new OffsetCommitRequestData().setGroupId("g").setTopics(List.of(gone)));
    assertThat(byName.topics().getFirst().partitions().getFirst().errorCode())
        .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
  }

  @Test
  void offsetsAreFetchedInEveryVersionByTopicAndAll() {
    commit("fetch", 9, topic.id());
    forEachVersion(
        ApiKeys.OFFSET_FETCH,
        version -> {
          for (boolean all : new boolean[] {false, true}) {
            if (all && version < 2) {
              continue;
            }
            OffsetFetchResponseData response =
                ask(
                    OffsetFetchResponseData.class,
                    ApiKeys.OFFSET_FETCH,
                    version,
                    version < 8 ? fetchOld(all) : fetchGroups(all, version));
            if (version < 8) {
              assertThat(response.topics().getFirst().partitions().getFirst().committedOffset())
                  .isEqualTo(42);
            } else {
              OffsetFetchResponseData.OffsetFetchResponseTopics answer =
                  response.groups().getFirst().topics().getFirst();
              assertThat(answer.partitions().getFirst().committedOffset()).isEqualTo(42);
              assertThat(answer.topicId()).isEqualTo(version < 10 ? Uuid.ZERO_UUID : topic.id());
            }
          }
        });
  }

  private static OffsetFetchRequestData fetchOld(boolean all) {
    return new OffsetFetchRequestData()
        .setGroupId("fetch")
        .setTopics(
            all
                ? null
                : List.of(
                    new OffsetFetchRequestTopic()
                        .setName("topic")
                        .setPartitionIndexes(List.of(0))));
  }

  private static OffsetFetchRequestData fetchGroups(boolean all, int version) {
    OffsetFetchRequestTopics topics =
        new OffsetFetchRequestTopics().setPartitionIndexes(List.of(0));
    if (version < 10) {
      topics.setName("topic");
    } else {
      topics.setTopicId(topic.id());
    }
    return new OffsetFetchRequestData()
        .setGroups(
            List.of(
                new OffsetFetchRequestGroup()
                    .setGroupId("fetch")
                    .setTopics(all ? null : List.of(topics))));
  }

  @Test
  void aTopicIdThatIsNotThereIsNotFetched() {
    OffsetFetchRequestTopics unknown =
        new OffsetFetchRequestTopics()
            .setTopicId(Uuid.randomUuid())
            .setPartitionIndexes(List.of(0));
    OffsetFetchResponseData response =
        ask(
            OffsetFetchResponseData.class,
            ApiKeys.OFFSET_FETCH,
            10,
            new OffsetFetchRequestData()
                .setGroups(
                    List.of(
                        new OffsetFetchRequestGroup()
                            .setGroupId("fetch")
                            .setTopics(List.of(unknown)))));
    assertThat(response.groups().getFirst().topics().getFirst().partitions().getFirst().errorCode())
        .isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
  }

  @Test
  void groupsAreListedByStateAndType() {
    commit("listed", 9, topic.id());
    forEachVersion(
        ApiKeys.LIST_GROUPS,
        version -> {
          ListGroupsRequestData request = new ListGroupsRequestData();
          if (version >= 4) {
            request.setStatesFilter(List.of("empty"));
          }
          if (version >= 5) {
            request.setTypesFilter(List.of("Classic"));
          }
          assertThat(
                  ask(ListGroupsResponseData.class, ApiKeys.LIST_GROUPS, version, request).groups())
              .extracting(ListGroupsResponseData.ListedGroup::groupId)
              .contains("listed");
        });
    ListGroupsRequestData other = new ListGroupsRequestData().setTypesFilter(List.of("consumer"));
    assertThat(ask(ListGroupsResponseData.class, ApiKeys.LIST_GROUPS, 5, other).groups()).isEmpty();
  }

  @Test
  void groupsAndOffsetsAreDeletedInEveryVersion() {
    forEachVersion(
        ApiKeys.DELETE_GROUPS,
        version -> {
          commit("doomed", 9, topic.id());
          OffsetDeleteRequestTopicCollection topics = new OffsetDeleteRequestTopicCollection();
          for (String name : List.of("topic", "gone")) {
            topics.add(
                new OffsetDeleteRequestTopic()
                    .setName(name)
                    .setPartitions(
                        List.of(new OffsetDeleteRequestPartition().setPartitionIndex(0))));
          }
          OffsetDeleteResponseData deleted =
              ask(
                  OffsetDeleteResponseData.class,
                  ApiKeys.OFFSET_DELETE,
                  0,
                  new OffsetDeleteRequestData().setGroupId("doomed").setTopics(topics));
          assertThat(deleted.topics().find("topic").partitions().find(0).errorCode())
              .isEqualTo(Errors.NONE.code());
          assertThat(deleted.topics().find("gone").partitions().find(0).errorCode())
              .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
          commit("doomed", 9, topic.id());
          DeleteGroupsResponseData response =
              ask(
                  DeleteGroupsResponseData.class,
                  ApiKeys.DELETE_GROUPS,
                  version,
                  new DeleteGroupsRequestData().setGroupsNames(List.of("doomed", "nowhere")));
          assertThat(response.results().find("doomed").errorCode()).isEqualTo(Errors.NONE.code());
          assertThat(response.results().find("nowhere").errorCode())
              .isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
        });
  }

  @Test
  void anEmptyGroupIdIsNoGroup() {
    assertThat(Errors.forCode(join("", "", 9).errorCode())).isEqualTo(Errors.INVALID_GROUP_ID);
  }

  /** A connection without a network. */
  private record Context(ApiKeys api, short version) implements RequestContext {
    @Override
    public RequestHeader header() {
      return new RequestHeader(api, version, "client", 1);
    }

    @Override
    public InetSocketAddress clientAddress() {
      return new InetSocketAddress(InetAddress.getLoopbackAddress(), 5555);
    }

    @Override
    public long connectionId() {
      return 1;
    }

    @Override
    public String principal() {
      return "User:ANONYMOUS";
    }

    @Override
    public String listenerName() {
      return "PLAINTEXT";
    }

    @Override
    public TimerTask schedule(long delayMs, Runnable task) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public void onClose(Runnable task) {}
  }
}
