package io.milena.group.actor;

import akka.actor.typed.ActorRef;
import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Who serves what on this node, for any thread to read: a request for a known group goes straight
 * to its actor.
 */
final class Routes {

  private final ConcurrentMap<String, ActorRef<GroupActor.Command>> groups =
      new ConcurrentHashMap<>();
  private final ConcurrentMap<Integer, ActorRef<OffsetsPartitionActor.Command>> partitions =
      new ConcurrentHashMap<>();
  private final ConcurrentMap<Integer, GroupListing> listings = new ConcurrentHashMap<>();

  @Nullable ActorRef<GroupActor.Command> group(String groupId) {
    return groups.get(groupId);
  }

  void put(String groupId, ActorRef<GroupActor.Command> actor) {
    groups.put(groupId, actor);
  }

  void remove(String groupId, ActorRef<GroupActor.Command> actor) {
    groups.remove(groupId, actor);
  }

  @Nullable ActorRef<OffsetsPartitionActor.Command> partition(int partition) {
    return partitions.get(partition);
  }

  void putPartition(int partition, ActorRef<OffsetsPartitionActor.Command> actor) {
    partitions.put(partition, actor);
  }

  void removePartition(int partition, ActorRef<OffsetsPartitionActor.Command> actor) {
    partitions.remove(partition, actor);
  }

  /** A partition is loaded. */
  void publish(int partition, GroupListing listing) {
    listings.put(partition, listing);
  }

  void withdraw(int partition, GroupListing listing) {
    listings.remove(partition, listing);
  }

  Collection<GroupListing> listings() {
    return listings.values();
  }

  /** True while a partition led here is not loaded. */
  boolean isLoading() {
    return !listings.keySet().containsAll(partitions.keySet());
  }
}
