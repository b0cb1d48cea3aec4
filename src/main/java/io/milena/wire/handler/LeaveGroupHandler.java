package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** LeaveGroup: a member leaves, or (from version 3) an administrator removes several. */
public final class LeaveGroupHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_MEMBERS = 3;

  private final GroupCoordinator coordinator;

  public LeaveGroupHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.LEAVE_GROUP;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 5;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    LeaveGroupRequestData data = (LeaveGroupRequestData) message;
    boolean single = context.apiVersion() < FIRST_VERSION_WITH_MEMBERS;
    LeaveGroupRequestData normalised =
        single
            ? new LeaveGroupRequestData()
                .setGroupId(data.groupId())
                .setMembers(List.of(new MemberIdentity().setMemberId(data.memberId())))
            : data;
    GroupRequest.Leave request = new GroupRequest.Leave(normalised);
    if (data.groupId().isEmpty()) {
      return CompletableFuture.completedFuture(request.refusal(Errors.INVALID_GROUP_ID));
    }
    CompletionStage<LeaveGroupResponseData> answer = coordinator.ask(request);
    return single ? answer.thenApply(LeaveGroupHandler::ofSingleMember) : answer;
  }

  private static LeaveGroupResponseData ofSingleMember(LeaveGroupResponseData response) {
    return response.errorCode() != Errors.NONE.code() || response.members().isEmpty()
        ? response.setMembers(List.of())
        : new LeaveGroupResponseData().setErrorCode(response.members().getFirst().errorCode());
  }
}
