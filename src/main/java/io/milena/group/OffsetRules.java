package io.milena.group;

import io.milena.group.GroupRequest.CommitOffsets;
import io.milena.group.GroupRequest.DeleteOffsets;
import io.milena.group.GroupRequest.FetchOffsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponsePartition;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponseTopic;
import org.apache.kafka.common.protocol.Errors;

/** Who may commit, read and delete offsets when, and when they expire (KIP-211, 496). */
final class OffsetRules {

  private static final short FIRST_VERSION_WITH_NOT_FOUND = 9;

  private final String groupId;
  private final GroupConfig config;
  private final Membership members;
  private final Rebalance rebalance;
  private final Appends appends;
  private final OffsetTable offsets = new OffsetTable();

  OffsetRules(
      String groupId,
      GroupConfig config,
      Membership members,
      Rebalance rebalance,
      Appends appends) {
    this.groupId = groupId;
    this.config = config;
    this.members = members;
    this.rebalance = rebalance;
    this.appends = appends;
  }

  OffsetTable table() {
    return offsets;
  }

  void commit(long requestId, CommitOffsets request, boolean groupExists, Moment now, Effects out) {
    OffsetCommitRequestData data = request.data();
    Errors error = validateCommit(request, groupExists);
    if (error != Errors.NONE) {
      out.reply(requestId, request.refusal(error));
      return;
    }
    Member member = members.find(data.memberId());
    if (member != null) {
      rebalance.keepAlive(member, now);
    }
    OptionalLong expireTimestampMs =
        data.retentionTimeMs() < 0
            ? OptionalLong.empty()
            : OptionalLong.of(now.wallClockMs() + data.retentionTimeMs());
    OffsetCommitResponseData response = new OffsetCommitResponseData();
    List<GroupRecord> records = new ArrayList<>();
    for (OffsetCommitRequestTopic topic : data.topics()) {
      OffsetCommitResponseTopic answer =
          new OffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
      for (OffsetCommitRequestPartition partition : topic.partitions()) {
        String metadata = partition.committedMetadata();
        String kept = metadata == null ? "" : metadata;
        boolean fits = GroupRecordCodec.sizeBytes(kept) <= config.offsetMetadataMaxBytes();
        if (fits) {
          records.add(
              new GroupRecord.OffsetStored(
                  groupId,
                  new TopicPartition(topic.name(), partition.partitionIndex()),
                  new CommittedOffset(
                      partition.committedOffset(),
                      partition.committedLeaderEpoch(),
                      kept,
                      now.wallClockMs(),
                      expireTimestampMs,
                      topic.topicId())));
        }
        answer
            .partitions()
            .add(
                new OffsetCommitResponsePartition()
                    .setPartitionIndex(partition.partitionIndex())
                    .setErrorCode((fits ? Errors.NONE : Errors.OFFSET_METADATA_TOO_LARGE).code()));
      }
      response.topics().add(answer);
    }
    if (records.isEmpty()) {
      out.reply(requestId, response);
    } else {
      appends.begin(
          out,
          new PendingAppend.Answer(
              records, requestId, response, failure -> request.refusal(toCommitError(failure))));
    }
  }

  private static Errors toCommitError(Errors failure) {
    return switch (failure) {
      case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_FETCH_SIZE ->
          Errors.INVALID_COMMIT_OFFSET_SIZE;
      default -> Appends.toClient(failure);
    };
  }

  private Errors validateCommit(CommitOffsets request, boolean groupExists) {
    OffsetCommitRequestData data = request.data();
    int generation = data.generationIdOrMemberEpoch();
    if (!groupExists && generation >= 0) {
      return request.version() >= FIRST_VERSION_WITH_NOT_FOUND
          ? Errors.GROUP_ID_NOT_FOUND
          : Errors.ILLEGAL_GENERATION;
    }
    if (rebalance.state() == GroupState.DEAD) {
      return Errors.COORDINATOR_NOT_AVAILABLE;
    }
    if (generation < 0 && rebalance.state() == GroupState.EMPTY) {
      return Errors.NONE; // A simple consumer, or an administrator.
    }
    if (generation < 0 && data.memberId().isEmpty() && data.groupInstanceId() == null) {
      return Errors.UNKNOWN_MEMBER_ID;
    }
    Errors error = members.validate(data.memberId(), data.groupInstanceId());
    if (error != Errors.NONE) {
      return error;
    }
    if (generation != rebalance.generation()) {
      return Errors.ILLEGAL_GENERATION;
    }
    return rebalance.state() == GroupState.COMPLETING_REBALANCE
        ? Errors.REBALANCE_IN_PROGRESS
        : Errors.NONE;
  }

  void fetch(long requestId, FetchOffsets request, Effects out) {
    // Offsets of open transactions, which requireStable asks about, come with the transactions.
    out.reply(
        requestId,
        rebalance.state() == GroupState.DEAD
            ? request.refusal(Errors.GROUP_ID_NOT_FOUND)
            : OffsetReplies.fetched(request.data(), offsets));
  }

  void delete(long requestId, DeleteOffsets request, boolean groupExists, Effects out) {
    if (!groupExists || rebalance.state() == GroupState.DEAD) {
      out.reply(requestId, request.refusal(Errors.GROUP_ID_NOT_FOUND));
      return;
    }
    if (rebalance.state() != GroupState.EMPTY && !members.isConsumerGroup()) {
      out.reply(requestId, request.refusal(Errors.NON_EMPTY_GROUP));
      return;
    }
    Set<TopicPartition> beingStored = appends.partitionsBeingStored();
    OffsetDeleteResponseData response = new OffsetDeleteResponseData();
    List<GroupRecord> records = new ArrayList<>();
    for (OffsetDeleteRequestTopic topic : request.data().topics()) {
      OffsetDeleteResponseTopic answer = new OffsetDeleteResponseTopic().setName(topic.name());
      Errors error = isSubscribed(topic.name()) ? Errors.GROUP_SUBSCRIBED_TO_TOPIC : Errors.NONE;
      for (OffsetDeleteRequestPartition index : topic.partitions()) {
        TopicPartition partition = new TopicPartition(topic.name(), index.partitionIndex());
        if (error == Errors.NONE
            && (beingStored.contains(partition)
                || offsets.find(partition.topic(), partition.partition()) != null)) {
          records.add(new GroupRecord.OffsetForgotten(groupId, partition));
        }
        answer
            .partitions()
            .add(
                new OffsetDeleteResponsePartition()
                    .setPartitionIndex(index.partitionIndex())
                    .setErrorCode(error.code()));
      }
      response.topics().add(answer);
    }
    if (records.isEmpty()) {
      out.reply(requestId, response);
    } else {
      appends.begin(
          out,
          new PendingAppend.Answer(
              records, requestId, response, failure -> request.refusal(Appends.toClient(failure))));
    }
  }

  private boolean isSubscribed(String topic) {
    return rebalance
        .subscribedTopics()
        .map(topics -> topics.contains(topic))
        .orElse(members.isConsumerGroup());
  }

  /** Tombstones for everything that is, or is about to be, committed. */
  List<GroupRecord> forgetAll() {
    Set<TopicPartition> partitions = appends.partitionsBeingStored();
    offsets.forEach((partition, _) -> partitions.add(partition));
    List<GroupRecord> records = new ArrayList<>();
    for (TopicPartition partition : partitions) {
      records.add(new GroupRecord.OffsetForgotten(groupId, partition));
    }
    return records;
  }

  /** Tombstones for the offsets of topics that were deleted. */
  List<GroupRecord> forgetTopics(Set<String> topics) {
    List<GroupRecord> records = new ArrayList<>();
    for (GroupRecord record : forgetAll()) {
      if (record instanceof GroupRecord.OffsetForgotten forgotten
          && topics.contains(forgotten.partition().topic())) {
        records.add(record);
      }
    }
    return records;
  }

  /**
   * Tombstones for offsets whose time is over: a group without members keeps them for the retention
   * since it became empty, a simple consumer since each commit, and a group with members since the
   * commit for topics it is not subscribed to any more (KIP-211).
   */
  List<GroupRecord> expired(long nowMs) {
    boolean empty = rebalance.state() == GroupState.EMPTY;
    boolean simple = members.protocolType() == null;
    boolean settled =
        members.isConsumerGroup()
            && rebalance.state() == GroupState.STABLE
            && rebalance.subscribedTopics().isPresent();
    List<GroupRecord> records = new ArrayList<>();
    if (!empty && !settled) {
      return records;
    }
    long emptySinceMs = rebalance.stateTimestampMs();
    Set<TopicPartition> beingStored = appends.partitionsBeingStored();
    offsets.forEach((partition, offset) -> {
      long retainedSinceMs =
          empty && !simple && emptySinceMs >= 0 ? emptySinceMs : offset.commitTimestampMs();
      boolean over =
          offset.expireTimestampMs().isPresent()
              ? nowMs >= offset.expireTimestampMs().getAsLong()
              : nowMs - retainedSinceMs >= config.offsetsRetentionMs();
      boolean needed =
          beingStored.contains(partition) || (!empty && isSubscribed(partition.topic()));
      if (over && !needed) {
        records.add(new GroupRecord.OffsetForgotten(groupId, partition));
      }
    });
    return records;
  }
}
