package io.milena.metadata;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What must hold of every image, and between an image and a later one. */
public final class MetadataInvariants {

  private MetadataInvariants() {}

  /**
   * @throws IllegalStateException naming the first thing that does not hold
   */
  public static void check(MetadataImage image) {
    require(
        image.topicsByName().size() == image.topicsById().size(),
        "topic names and ids are not one to one");
    image
        .topicsByName()
        .forEach((name, topic) -> {
          require(topic.name().equals(name), "topic " + name + " is called " + topic.name());
          require(topic.equals(image.topic(topic.id())), "id of " + name + " is another's");
          checkPartitions(image, topic);
        });
    image
        .replicaSets()
        .forEach((id, set) -> {
          require(set.id() == id && id < image.nextReplicaSetId(), "id of set " + set);
          checkSet(image, set);
        });
    checkListsAreUnique(image);
    image
        .nodes()
        .forEach((id, node) ->
            require(
                node.id() == id && node.nodeEpoch() < image.nextNodeEpoch(),
                "id or epoch of node " + node));
    image
        .configs()
        .forEach((resource, overrides) -> require(!overrides.isEmpty(), "empty " + resource));
  }

  /**
   * @param later an image made from {@code earlier} by records
   * @throws IllegalStateException naming the first thing that went backwards
   */
  public static void checkOrder(MetadataImage earlier, MetadataImage later) {
    require(later.nextProducerId() >= earlier.nextProducerId(), "producer ids go backwards");
    require(later.nextReplicaSetId() >= earlier.nextReplicaSetId(), "set ids go backwards");
    require(later.nextNodeEpoch() >= earlier.nextNodeEpoch(), "node epochs go backwards");
    for (ReplicaSetImage before : earlier.replicaSets().values()) {
      ReplicaSetImage after = later.replicaSets().get(before.id());
      if (after == null) {
        continue;
      }
      require(after.leaderEpoch() >= before.leaderEpoch(), "leader epoch of " + after);
      require(before.replicas().containsAll(after.replicas()), "a new replica in " + after);
      require(
          after.equals(before) || after.partitionEpoch() > before.partitionEpoch(),
          "partition epoch of " + after);
      require(
          after.leader() == before.leader()
              || after.leader() == ReplicaSetImage.NO_LEADER
              || after.leaderEpoch() > before.leaderEpoch(),
          "two leaders in one epoch: " + before + " and " + after);
    }
    checkPartitionOrder(earlier, later);
  }

  /** Partitions with one list of replicas share a set, unless detached. */
  private static void checkListsAreUnique(MetadataImage image) {
    Set<List<Integer>> lists = new HashSet<>();
    for (ReplicaSetImage set : image.replicaSets().values()) {
      require(set.detached() || lists.add(set.replicas()), "a second set like " + set);
    }
  }

  /** Clients follow partitions: whatever set a partition is in, its epochs only grow. */
  private static void checkPartitionOrder(MetadataImage earlier, MetadataImage later) {
    for (TopicImage topic : earlier.topicsById().values()) {
      TopicImage topicLater = later.topic(topic.id());
      if (topicLater == null) {
        continue;
      }
      for (PartitionImage partition : topic.partitions()) {
        ReplicaSetImage before = earlier.replicaSetOf(partition);
        ReplicaSetImage after =
            later.replicaSetOf(topicLater.partitions().get(partition.partition()));
        require(
            before.id() == after.id() || after.leaderEpoch() > before.leaderEpoch(),
            "leader epoch of " + topic.name() + "-" + partition.partition() + " in " + after);
      }
    }
  }

  private static void checkPartitions(MetadataImage image, TopicImage topic) {
    require(!topic.partitions().isEmpty(), "topic " + topic.name() + " has no partition");
    int index = 0;
    for (PartitionImage partition : topic.partitions()) {
      require(partition.partition() == index, "gap in " + topic.name() + " at " + index);
      require(
          image.replicaSets().containsKey(partition.replicaSetId()),
          topic.name() + "-" + index + " is in unknown set " + partition.replicaSetId());
      index++;
    }
  }

  private static void checkSet(MetadataImage image, ReplicaSetImage set) {
    List<Integer> replicas = set.replicas();
    require(!replicas.isEmpty(), "no replicas in " + set);
    require(new HashSet<>(replicas).size() == replicas.size(), "a replica twice in " + set);
    require(replicas.containsAll(set.addingReplicas()), "adds no replica of " + set);
    require(replicas.containsAll(set.removingReplicas()), "removes no replica of " + set);
    require(
        set.addingReplicas().stream().noneMatch(set.removingReplicas()::contains),
        "adds and removes the same in " + set);
    require(!set.targetReplicas().isEmpty(), "nothing would be left of " + set);
    require(set.detached() || !set.isReassigning(), "a reassignment in shared " + set);
    require(image.nodes().keySet().containsAll(set.isr()), "unknown node in sync in " + set);
    require(replicas.containsAll(set.isr()), "ISR beyond the replicas of " + set);
    require(replicas.containsAll(set.elr()), "ELR beyond the replicas of " + set);
    require(replicas.containsAll(set.offline()), "offline beyond the replicas of " + set);
    require(set.detached() || set.offline().isEmpty(), "offline in shared " + set);
    require(set.isr().stream().noneMatch(set.offline()::contains), "offline and in sync in " + set);
    require(set.isr().stream().noneMatch(set.elr()::contains), "in ISR and ELR of " + set);
    require(
        set.lastKnownElr().isEmpty() || (set.isr().isEmpty() && set.elr().isEmpty()),
        "known as the last beside eligible ones in " + set);
    if (set.leader() != ReplicaSetImage.NO_LEADER) {
      require(set.isr().contains(set.leader()), "leader out of the ISR of " + set);
      NodeImage leader = image.nodes().get(set.leader());
      require(leader != null && !leader.fenced(), "leader of " + set + " is fenced");
    } else {
      require(
          LeaderPlacement.choose(set, node -> ReplicaSets.canLead(image, node)).isEmpty(),
          "a live node could lead " + set);
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException("metadata invariant violated: " + what);
    }
  }
}
