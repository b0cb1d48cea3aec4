package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** DescribeGroups: state, protocol and members of classic groups. */
public final class DescribeGroupsHandler implements ApiHandler {

  private final GroupCoordinator coordinator;

  public DescribeGroupsHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DESCRIBE_GROUPS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 6;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    DescribeGroupsRequestData data = (DescribeGroupsRequestData) message;
    int operations =
        data.includeAuthorizedOperations()
            ? GroupChecks.ALL_GROUP_OPERATIONS
            : GroupChecks.NO_OPERATIONS;
    List<CompletableFuture<DescribedGroup>> answers = new ArrayList<>(data.groups().size());
    for (String groupId : data.groups()) {
      answers.add(
          coordinator
              .ask(new GroupRequest.Describe(groupId, context.apiVersion()))
              .thenApply(group ->
                  group.errorCode() == Errors.NONE.code()
                      ? group.setAuthorizedOperations(operations)
                      : group)
              .toCompletableFuture());
    }
    return Stages.all(answers)
        .thenApply(groups -> new DescribeGroupsResponseData().setGroups(groups));
  }
}
