package io.milena.wire.handler;

import io.milena.group.actor.GroupCoordinator;
import io.milena.metadata.MetadataService;
import java.util.List;

/** The handlers of the group APIs, one for each. */
public final class GroupHandlers {

  private GroupHandlers() {}

  /** All of them, over one coordinator. */
  public static List<ApiHandler> all(GroupCoordinator coordinator, MetadataService metadata) {
    return List.of(
        new FindCoordinatorHandler(coordinator),
        new JoinGroupHandler(coordinator),
        new SyncGroupHandler(coordinator),
        new HeartbeatHandler(coordinator),
        new LeaveGroupHandler(coordinator),
        new OffsetCommitHandler(coordinator, metadata),
        new OffsetFetchHandler(coordinator, metadata),
        new OffsetDeleteHandler(coordinator, metadata),
        new DescribeGroupsHandler(coordinator),
        new ListGroupsHandler(coordinator),
        new DeleteGroupsHandler(coordinator));
  }
}
