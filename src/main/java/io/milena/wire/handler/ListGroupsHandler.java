package io.milena.wire.handler;

import io.milena.group.actor.GroupCoordinator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** ListGroups: the groups that this node coordinates, by state and type (KIP-518, KIP-848). */
public final class ListGroupsHandler implements ApiHandler {

  private final GroupCoordinator coordinator;

  public ListGroupsHandler(GroupCoordinator coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.LIST_GROUPS;
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
    ListGroupsRequestData data = (ListGroupsRequestData) message;
    ListGroupsResponseData response = new ListGroupsResponseData();
    if (coordinator.isLoading()) {
      return CompletableFuture.completedFuture(
          response.setErrorCode(Errors.COORDINATOR_LOAD_IN_PROGRESS.code()));
    }
    Set<String> states = lowerCase(data.statesFilter());
    Set<String> types = lowerCase(data.typesFilter());
    List<ListedGroup> groups =
        coordinator.list().stream()
            .filter(group -> matches(states, group.groupState()))
            .filter(group -> matches(types, group.groupType()))
            .toList();
    return CompletableFuture.completedFuture(response.setGroups(groups));
  }

  /** No filter lets everything pass. */
  private static boolean matches(Set<String> filter, String value) {
    return filter.isEmpty() || filter.contains(value.toLowerCase(Locale.ROOT));
  }

  private static Set<String> lowerCase(List<String> values) {
    Set<String> lower = new HashSet<>();
    values.forEach(value -> lower.add(value.toLowerCase(Locale.ROOT)));
    return lower;
  }
}
