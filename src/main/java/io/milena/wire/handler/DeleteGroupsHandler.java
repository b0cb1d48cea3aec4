package io.milena.wire.handler;

import io.milena.group.GroupRequest;
import io.milena.group.actor.GroupCoordinator;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** DeleteGroups: groups without members, each for itself (KIP-229). */
public final class DeleteGroupsHandler implements ApiHandler {

  private final GroupCoordinator coordinator;

  public DeleteGroupsHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.DELETE_GROUPS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 3;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    DeleteGroupsRequestData data = (DeleteGroupsRequestData) message;
    List<CompletableFuture<DeletableGroupResult>> answers = new ArrayList<>();
    for (String groupId : new LinkedHashSet<>(data.groupsNames())) {
      answers.add(coordinator.ask(new GroupRequest.Delete(groupId)).toCompletableFuture());
    }
    return Stages.all(answers)
        .thenApply(results -> {
          DeletableGroupResultCollection collection = new DeletableGroupResultCollection();
          results.forEach(collection::add);
          return new DeleteGroupsResponseData().setResults(collection);
        });
  }
}
