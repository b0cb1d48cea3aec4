package io.milena.group.actor;

import io.milena.group.ClassicGroup;
import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;

/**
 * The groups of one partition as ListGroups shows them. Each group's owner keeps its own line; any
 * thread reads, so that a listing wakes no group.
 */
final class GroupListing {

  private final ConcurrentMap<String, ListedGroup> lines = new ConcurrentHashMap<>();

  /** For the owner of the group only. */
  void update(ClassicGroup group) {
    group
        .listed()
        .ifPresentOrElse(
            line -> lines.put(group.groupId(), line), () -> lines.remove(group.groupId()));
  }

  /** Not to be changed. */
  Collection<ListedGroup> lines() {
    return lines.values();
  }
}
