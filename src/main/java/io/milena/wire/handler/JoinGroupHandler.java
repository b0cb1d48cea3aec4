package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** JoinGroup: a member joins, and learns of the generation once it has begun. */
public final class JoinGroupHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_NULL_PROTOCOL = 7;

  private final GroupCoordinator coordinator;

  public JoinGroupHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.JOIN_GROUP;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 9;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    JoinGroupRequestData data = (JoinGroupRequestData) message;
    String instanceId = data.groupInstanceId();
    GroupRequest.Join request =
        new GroupRequest.Join(
            data,
            context.apiVersion(),
            context.clientId(),
            context.clientAddress().getAddress().toString(),
            GroupCoordinator.newMemberId(instanceId == null ? context.clientId() : instanceId));
    Errors error = GroupChecks.validate(data.groupId(), instanceId);
    CompletionStage<JoinGroupResponseData> answer =
        error == Errors.NONE
            ? coordinator.ask(request)
            : CompletableFuture.completedFuture(request.refusal(error));
    return answer.thenApply(response ->
        context.apiVersion() < FIRST_VERSION_WITH_NULL_PROTOCOL && response.protocolName() == null
            ? response.setProtocolName("")
            : response);
  }
}
