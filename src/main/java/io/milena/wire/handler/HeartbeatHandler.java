package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** Heartbeat: a member is alive, and hears of rebalances. */
public final class HeartbeatHandler implements ApiHandler {

  private final GroupCoordinator coordinator;

  public HeartbeatHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.HEARTBEAT;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 4;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    HeartbeatRequestData data = (HeartbeatRequestData) message;
    GroupRequest.Heartbeat request = new GroupRequest.Heartbeat(data);
    return data.groupId().isEmpty()
        ? CompletableFuture.completedFuture(request.refusal(Errors.INVALID_GROUP_ID))
        : coordinator.ask(request);
  }
}
