package io.milena.group;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;

/**
 * Drives one {@link ClassicGroup} by hand: moves its clock, keeps its records as the log would, and
 * completes its writes at once or when told to.
 */
final class GroupHarness {

  static final String GROUP = "g";
  static final int SESSION_MS = 10_000;
  static final int REBALANCE_MS = 30_000;

  final GroupConfig config;
  final List<GroupRecord> log = new ArrayList<>();
  final Deque<Effects.Append> heldAppends = new ArrayDeque<>();
  private final Map<Long, Message> replies = new HashMap<>();
  ClassicGroup group;
  boolean holdAppends;
  private long nowMs = 1_000_000;
  private long nextRequestId;
  private int nextMember;

  GroupHarness(GroupConfig config) {
    this.config = config;
    this.group = new ClassicGroup(GROUP, config);
  }

  static GroupHarness create() {
    return new GroupHarness(withoutDelay());
  }

  static GroupConfig withoutDelay() {
    return config(0, Integer.MAX_VALUE);
  }

  static GroupConfig config(int initialRebalanceDelayMs, int maxSize) {
    GroupConfig it = GroupConfig.DEFAULT;
    return new GroupConfig(
        initialRebalanceDelayMs,
        it.minSessionTimeoutMs(),
        it.maxSessionTimeoutMs(),
        maxSize,
        it.newMemberJoinTimeoutMs(),
        it.offsetMetadataMaxBytes(),
        it.offsetsRetentionMs(),
        it.offsetsRetentionCheckIntervalMs(),
        it.offsetsCommitTimeoutMs(),
        it.offsetsTopicPartitions(),
        it.offsetsTopicReplicationFactor(),
        it.offsetsTopicSegmentBytes());
  }

  // ---- time, writes, restart

  Moment now() {
    return new Moment(nowMs, nowMs + 1_700_000_000_000L);
  }

  /** Moves the clock, waking the group whenever it asked for it. */
  void advance(long ms) {
    long untilMs = nowMs + ms;
    while (group.wakeAtMs() <= untilMs) {
      nowMs = Math.max(nowMs, group.wakeAtMs());
      run(group.onTimer(now()));
    }
    nowMs = untilMs;
  }

  void run(Effects effects) {
    group.checkInvariants();
    for (Effects.Append append : effects.appends()) {
      heldAppends.add(append);
    }
    effects.replies().forEach(reply -> replies.put(reply.requestId(), reply.response()));
    if (!holdAppends) {
      completeAppends(Errors.NONE);
    }
  }

  void completeAppends(Errors error) {
    while (!heldAppends.isEmpty()) {
      Effects.Append append = heldAppends.poll();
      if (error == Errors.NONE) {
        log.addAll(append.records());
      }
      run(group.appended(append.appendId(), error, now()));
    }
  }

  /** The coordinator moves: what was in memory only is gone. */
  void restart() {
    group = new ClassicGroup(GROUP, config);
    log.forEach(group::replay);
    heldAppends.clear();
    run(group.resume(now()));
  }

  // ---- requests

  long send(GroupRequest<?> request) {
    long requestId = nextRequestId++;
    run(group.handle(requestId, request, now()));
    return requestId;
  }

  /** The answer to a request, or null while there is none. */
  <R extends Message> R answer(Class<R> type, long requestId) {
    return type.cast(replies.get(requestId));
  }

  boolean isAnswered(long requestId) {
    return replies.containsKey(requestId);
  }

  Errors error(long requestId) {
    return switch (replies.get(requestId)) {
      case JoinGroupResponseData it -> Errors.forCode(it.errorCode());
      case org.apache.kafka.common.message.SyncGroupResponseData it ->
          Errors.forCode(it.errorCode());
      case org.apache.kafka.common.message.HeartbeatResponseData it ->
          Errors.forCode(it.errorCode());
      case org.apache.kafka.common.message.LeaveGroupResponseData it ->
          Errors.forCode(
              it.errorCode() != 0 || it.members().isEmpty()
                  ? it.errorCode()
                  : it.members().getFirst().errorCode());
      case OffsetCommitResponseData it ->
          Errors.forCode(it.topics().getFirst().partitions().getFirst().errorCode());
      case org.apache.kafka.common.message.OffsetDeleteResponseData it ->
          Errors.forCode(it.errorCode());
      case org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult it ->
          Errors.forCode(it.errorCode());
      case null -> throw new AssertionError("request " + requestId + " is not answered");
      default -> throw new AssertionError("no error known in " + replies.get(requestId));
    };
  }

  /** A JoinGroup to be changed before it is sent. */
  JoinGroupRequestData joinData(String memberId, String instanceId, String... assignors) {
    JoinGroupRequestData data =
        new JoinGroupRequestData()
            .setGroupId(GROUP)
            .setMemberId(memberId)
            .setGroupInstanceId(instanceId)
            .setProtocolType("consumer")
            .setSessionTimeoutMs(SESSION_MS)
            .setRebalanceTimeoutMs(REBALANCE_MS);
    for (String assignor : assignors.length == 0 ? new String[] {"range"} : assignors) {
      data.protocols()
          .add(new JoinGroupRequestProtocol().setName(assignor).setMetadata(subscription("topic")));
    }
    return data;
  }

  static byte[] subscription(String... topics) {
    ByteBuffer buffer = ConsumerProtocol.serializeSubscription(new Subscription(List.of(topics)));
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  long join(JoinGroupRequestData data, int version) {
    return send(
        new GroupRequest.Join(
            data, (short) version, "client", "/127.0.0.1", "client-" + nextMember++));
  }

  long join(String memberId) {
    return join(joinData(memberId, null), 9);
  }

  long joinStatic(String memberId, String instanceId) {
    return join(joinData(memberId, instanceId), 9);
  }

  /** Joins as a client of version 4 or later does: once for the id, once to be a member. */
  String newMember() {
    String memberId = answer(JoinGroupResponseData.class, join("")).memberId();
    join(memberId);
    return memberId;
  }

  long sync(String memberId, int generation, Map<String, byte[]> assignments) {
    SyncGroupRequestData data =
        new SyncGroupRequestData()
            .setGroupId(GROUP)
            .setMemberId(memberId)
            .setGenerationId(generation)
            .setProtocolType("consumer");
    assignments.forEach((member, assignment) ->
        data.assignments()
            .add(new SyncGroupRequestAssignment().setMemberId(member).setAssignment(assignment)));
    return send(new GroupRequest.Sync(data));
  }

  Errors heartbeat(String memberId, int generation) {
    return error(
        send(
            new GroupRequest.Heartbeat(
                new HeartbeatRequestData()
                    .setGroupId(GROUP)
                    .setMemberId(memberId)
                    .setGenerationId(generation))));
  }

  long leave(MemberIdentity... members) {
    return send(
        new GroupRequest.Leave(
            new LeaveGroupRequestData().setGroupId(GROUP).setMembers(List.of(members))));
  }

  long leave(String memberId) {
    return leave(new MemberIdentity().setMemberId(memberId));
  }

  static OffsetCommitRequestData commitData(String memberId, int generation, long offset) {
    return new OffsetCommitRequestData()
        .setGroupId(GROUP)
        .setMemberId(memberId)
        .setGenerationIdOrMemberEpoch(generation)
        .setRetentionTimeMs(-1)
        .setTopics(
            List.of(
                new OffsetCommitRequestTopic()
                    .setName("topic")
                    .setPartitions(
                        List.of(
                            new OffsetCommitRequestPartition()
                                .setPartitionIndex(0)
                                .setCommittedOffset(offset)
                                .setCommittedMetadata("m")))));
  }

  long commit(String memberId, int generation, long offset) {
    return send(
        new GroupRequest.CommitOffsets(commitData(memberId, generation, offset), (short) 9));
  }

  /** The committed offset of topic-0, or -1. */
  long committed() {
    return committed(new TopicPartition("topic", 0));
  }

  long committed(TopicPartition partition) {
    OffsetFetchRequestGroup request =
        new OffsetFetchRequestGroup()
            .setGroupId(GROUP)
            .setTopics(
                List.of(
                    new org.apache.kafka.common.message.OffsetFetchRequestData
                            .OffsetFetchRequestTopics()
                        .setName(partition.topic())
                        .setPartitionIndexes(List.of(partition.partition()))));
    return answer(
            org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup.class,
            send(new GroupRequest.FetchOffsets(request, false)))
        .topics()
        .getFirst()
        .partitions()
        .getFirst()
        .committedOffset();
  }

  /** Brings a group of this many dynamic members to STABLE; the first one leads. */
  List<String> stable(int count) {
    List<String> members = new ArrayList<>();
    List<Long> joins = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(answer(JoinGroupResponseData.class, join("")).memberId());
    }
    members.forEach(member -> joins.add(join(member)));
    advance(config.initialRebalanceDelayMs() + 1L);
    Map<String, byte[]> assignments = new HashMap<>();
    members.forEach(member ->
        assignments.put(member, member.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    members.forEach(member -> sync(member, group.generation(), assignments));
    if (group.state() != GroupState.STABLE) {
      throw new AssertionError("the group is " + group.state());
    }
    return members;
  }
}
