package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** SyncGroup: the leader brings the assignment, everyone takes their part of it. */
public final class SyncGroupHandler implements ApiHandler {

  private static final short FIRST_VERSION_WITH_PROTOCOL = 5;

  private final GroupCoordinator coordinator;

  public SyncGroupHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.SYNC_GROUP;
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
    SyncGroupRequestData data = (SyncGroupRequestData) message;
    GroupRequest.Sync request = new GroupRequest.Sync(data);
    Errors error = GroupChecks.validate(data.groupId(), data.groupInstanceId());
    if (error == Errors.NONE
        && context.apiVersion() >= FIRST_VERSION_WITH_PROTOCOL
        && (data.protocolType() == null || data.protocolName() == null)) {
      error = Errors.INCONSISTENT_GROUP_PROTOCOL; // Mandatory since KIP-559.
    }
    return error == Errors.NONE
        ? coordinator.ask(request)
        : CompletableFuture.completedFuture(request.refusal(error));
  }
}
