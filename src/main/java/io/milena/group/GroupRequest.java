package io.milena.group;

import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;

/**
 * Something a client asks of one group, in Kafka's own message classes.
 *
 * @param <R> the response, or the part of it that is about this group
 */
public sealed interface GroupRequest<R extends Message> {

  /** The group that is asked. */
  String groupId();

  /** The answer that says only that the request failed. */
  R refusal(Errors error);

  /**
   * @param version of the request: from 4 a new member is sent away with its id first, from 9 it
   *     can be told to skip its assignment (KIP-394, KIP-814)
   * @param clientHost address of the client, as {@code /127.0.0.1}
   * @param memberIdIfNew id for the member, should it have none: unique for ever
   */
  record Join(
      JoinGroupRequestData data,
      short version,
      String clientId,
      String clientHost,
      String memberIdIfNew)
      implements GroupRequest<JoinGroupResponseData> {
    private static final short FIRST_VERSION_WITH_REQUIRED_ID = 4;
    private static final short FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT = 9;

    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public JoinGroupResponseData refusal(Errors error) {
      return refusal(error, data.memberId());
    }

    JoinGroupResponseData refusal(Errors error, String memberId) {
      return new JoinGroupResponseData()
          .setErrorCode(error.code())
          .setMemberId(memberId)
          .setGenerationId(-1)
          .setProtocolName("")
          .setLeader("");
    }

    boolean requiresKnownMemberId() {
      return version >= FIRST_VERSION_WITH_REQUIRED_ID && data.groupInstanceId() == null;
    }

    boolean supportsSkippingAssignment() {
      return version >= FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT;
    }

    /** Version 0 has one timeout for both purposes. */
    int rebalanceTimeoutMs() {
      return version == 0 || data.rebalanceTimeoutMs() < 0
          ? data.sessionTimeoutMs()
          : data.rebalanceTimeoutMs();
    }
  }

  /** A member has its part of the generation to come; the leader brings everyone's. */
  record Sync(SyncGroupRequestData data) implements GroupRequest<SyncGroupResponseData> {
    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public SyncGroupResponseData refusal(Errors error) {
      // While a coordinator loads, the rebalance this request belongs to is lost: start it over.
      Errors told =
          error == Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.REBALANCE_IN_PROGRESS : error;
      return new SyncGroupResponseData().setErrorCode(told.code());
    }
  }

  /** A member is alive. */
  record Heartbeat(HeartbeatRequestData data) implements GroupRequest<HeartbeatResponseData> {
    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public HeartbeatResponseData refusal(Errors error) {
      // Clients do not expect to hear that a coordinator loads: they would give up.
      Errors told = error == Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.NONE : error;
      return new HeartbeatResponseData().setErrorCode(told.code());
    }
  }

  /**
   * Members leave, or are removed by an administrator.
   *
   * @param data with the list of members filled in, whatever the version
   */
  record Leave(LeaveGroupRequestData data) implements GroupRequest<LeaveGroupResponseData> {
    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public LeaveGroupResponseData refusal(Errors error) {
      return new LeaveGroupResponseData().setErrorCode(error.code());
    }
  }

  /**
   * Offsets to commit.
   *
   * @param data with name and, as far as known, id of each topic filled in
   * @param version of the request
   */
  record CommitOffsets(OffsetCommitRequestData data, short version)
      implements GroupRequest<OffsetCommitResponseData> {
    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public OffsetCommitResponseData refusal(Errors error) {
      return OffsetReplies.refuseCommit(data, error);
    }
  }

  /**
   * Reads committed offsets.
   *
   * @param data the group's part of the request, topics by name; null topics for all there are
   * @param requireStable whether an offset that a transaction is about to change is withheld
   */
  record FetchOffsets(OffsetFetchRequestGroup data, boolean requireStable)
      implements GroupRequest<OffsetFetchResponseGroup> {
    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public OffsetFetchResponseGroup refusal(Errors error) {
      return new OffsetFetchResponseGroup().setGroupId(groupId()).setErrorCode(error.code());
    }
  }

  /** Deletes committed offsets of single partitions. */
  record DeleteOffsets(OffsetDeleteRequestData data)
      implements GroupRequest<OffsetDeleteResponseData> {
    @Override
    public String groupId() {
      return data.groupId();
    }

    @Override
    public OffsetDeleteResponseData refusal(Errors error) {
      return new OffsetDeleteResponseData().setErrorCode(error.code());
    }
  }

  /**
   * Shows state and members.
   *
   * @param version from 6 a group that is not there is an error
   */
  record Describe(String groupId, short version) implements GroupRequest<DescribedGroup> {
    private static final short FIRST_VERSION_WITH_NOT_FOUND = 6;

    @Override
    public DescribedGroup refusal(Errors error) {
      return new DescribedGroup().setGroupId(groupId).setErrorCode(error.code());
    }

    DescribedGroup notFound() {
      DescribedGroup dead = new DescribedGroup().setGroupId(groupId);
      dead.setGroupState(GroupState.DEAD.protocolName());
      if (version >= FIRST_VERSION_WITH_NOT_FOUND) {
        dead.setErrorCode(Errors.GROUP_ID_NOT_FOUND.code())
            .setErrorMessage("Group " + groupId + " not found.");
      }
      return dead;
    }
  }

  /** Deletes a group that has no members, with its offsets. */
  record Delete(String groupId) implements GroupRequest<DeletableGroupResult> {
    @Override
    public DeletableGroupResult refusal(Errors error) {
      return new DeletableGroupResult().setGroupId(groupId).setErrorCode(error.code());
    }
  }
}
