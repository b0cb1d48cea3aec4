package io.milena.metadata;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * A change somebody asks of the metadata group.
 *
 * @param <R> what the leader replies once it is decided
 */
public sealed interface MetadataCommand<R extends MetadataReply> {

  /**
   * A node's process has started: registers it, fenced. The first command of every life of a
   * process.
   *
   * @param clusterId of the cluster that the node's data directory belongs to; the cluster's,
   *     should this be the first record of all
   * @param logDirs ids of its log directories; an id whose registration has none of them is another
   *     node's
   * @param recordsMayBeLost true when its logs may lack what was not on disk, as its machine
   *     stopped and not only its process (KIP-966, unclean shutdown)
   */
  record RegisterNode(
      int nodeId,
      Uuid incarnation,
      Uuid clusterId,
      List<NodeImage.Endpoint> endpoints,
      NodeImage.ClusterAddress clusterAddress,
      Optional<String> rack,
      List<Uuid> logDirs,
      boolean recordsMayBeLost)
      implements MetadataCommand<MetadataReply.NodeRegistered> {}

  /** A registered node is ready to serve: unfences it and grants it the sets that wait for it. */
  record UnfenceNode(int nodeId, long nodeEpoch) implements MetadataCommand<MetadataReply.Done> {}

  /**
   * A node is gone or cut off: fences it, takes it out of every ISR and grants its sets to others.
   */
  record FenceNode(int nodeId, long nodeEpoch) implements MetadataCommand<MetadataReply.Done> {}

  /**
   * Forgets a node that will not come back. It stays in the replica lists it is in: partitions are
   * moved off by a reassignment, before or after.
   */
  record UnregisterNode(int nodeId) implements MetadataCommand<MetadataReply.Done> {}

  /** Changes the levels of features (KIP-584), all or none. */
  record UpdateFeatures(List<FeatureUpdate> updates, boolean validateOnly)
      implements MetadataCommand<MetadataReply.ItemResults<String>> {}

  /**
   * A node shall vote in the metadata group, or follow it only (KIP-853). Whether the group can do
   * without it, or it is ready to vote, {@link MembershipPlan} and Raft decide; the rest is decided
   * as any command.
   *
   * @param directoryId one of its log directories
   * @param votes whether it shall vote
   */
  record ChangeVoter(int nodeId, Uuid directoryId, boolean votes)
      implements MetadataCommand<MetadataReply.Done> {}

  /**
   * A live node is going to stop: every set that another in-sync replica can lead is granted to
   * that one, and the node leaves their ISR and gets no leadership from now on. What nobody else
   * can lead it goes on leading until it is fenced.
   */
  record BeginShutdown(int nodeId, long nodeEpoch) implements MetadataCommand<MetadataReply.Done> {}

  /**
   * A live node cannot take records for now, as its disk is full: it leaves the ISR of every set in
   * which enough others remain, and another in-sync replica leads where it led. It comes back as
   * any replica does that has caught up. Where too few would remain it stays, as nothing could be
   * committed without it either way.
   */
  record LeaveInSync(int nodeId, long nodeEpoch) implements MetadataCommand<MetadataReply.Done> {}

  /**
   * A replica set's entity has started on a node: the node wants to lead the set. Refused unless it
   * is live and in sync (or eligible, where no in-sync replica is live); nothing changes if it
   * leads already.
   *
   * @param leaderEpoch the set's as the node knows it: a claim made before another grant is out of
   *     date
   */
  record ClaimLeadership(int setId, int nodeId, long nodeEpoch, int leaderEpoch)
      implements MetadataCommand<MetadataReply.LeadershipDecided> {}

  /**
   * A replica set's entity leaves a node: another in-sync replica shall lead. Refused where there
   * is none, and the node remains the leader; nothing changes if it does not lead.
   *
   * @param leaderEpoch the set's as the node knows it
   */
  record ResignLeadership(int setId, int nodeId, long nodeEpoch, int leaderEpoch)
      implements MetadataCommand<MetadataReply.LeadershipDecided> {}

  /**
   * The leader of a set found other replicas in sync (KIP-497). Refused unless everything in it is
   * of this moment, so that what was decided before a change cannot take effect after it.
   *
   * @param nodeId the leader
   * @param nodeEpoch of the leader's registration
   * @param leaderEpoch in which it leads
   * @param partitionEpoch of the set, as the leader knows it
   * @param isr the new in-sync replicas, the leader among them
   */
  record ChangeInSyncReplicas(
      int setId,
      int nodeId,
      long nodeEpoch,
      int leaderEpoch,
      int partitionEpoch,
      List<InSyncReplica> isr)
      implements MetadataCommand<MetadataReply.Done> {
    public ChangeInSyncReplicas {
      isr = List.copyOf(isr);
    }
  }

  /**
   * A live node cannot use its logs of some partitions: those leave for sets in which it neither
   * leads nor is in sync, until it has been registered anew. What it said before, and partitions
   * that it has no replica of any more, change nothing.
   */
  record ReportOffline(int nodeId, long nodeEpoch, List<TopicPartitions> partitions)
      implements MetadataCommand<MetadataReply.Done> {
    public ReportOffline {
      partitions = List.copyOf(partitions);
    }
  }

  /** Creates topics, each for itself: one failure does not keep the others from being created. */
  record CreateTopics(List<NewTopic> topics, boolean validateOnly)
      implements MetadataCommand<MetadataReply.TopicsCreated> {}

  /** Deletes topics, each for itself. */
  record DeleteTopics(List<TopicReference> topics)
      implements MetadataCommand<MetadataReply.TopicsDeleted> {}

  /** Adds partitions to topics, each for itself. */
  record CreatePartitions(List<MorePartitions> topics, boolean validateOnly)
      implements MetadataCommand<MetadataReply.ItemResults<String>> {}

  /** Changes overrides, each resource for itself, all operations of one resource or none. */
  record AlterConfigs(List<ConfigChanges> resources, boolean validateOnly)
      implements MetadataCommand<MetadataReply.ItemResults<ConfigResource>> {}

  /**
   * Elects leaders (KIP-460). Leadership is a fact of the replica set, so a preferred election
   * moves every partition of the set; an unclean one concerns the partitions asked for only, and
   * detaches them if the set has others.
   *
   * @param unclean false to have the preferred leader lead, true to have any live replica lead what
   *     has no leader, at the price of committed records
   * @param partitions empty for all there are: then the reply leaves out those that need no
   *     election
   */
  record ElectLeaders(boolean unclean, Optional<List<TopicPartition>> partitions)
      implements MetadataCommand<MetadataReply.ItemResults<TopicPartition>> {}

  /**
   * Moves partitions to other replicas, or stops moving them (KIP-455), each for itself.
   *
   * @param mayChangeReplicationFactor false to refuse a target of another size (KIP-860)
   */
  record AlterReassignments(List<Reassignment> partitions, boolean mayChangeReplicationFactor)
      implements MetadataCommand<MetadataReply.ItemResults<TopicPartition>> {}

  /** A node wants producer ids to hand out: a block that no other node will get. */
  record AllocateProducerIds(int nodeId, long nodeEpoch)
      implements MetadataCommand<MetadataReply.ProducerIdBlock> {}

  /**
   * A replica in the life of its node that was found in sync (KIP-841): another life of the node
   * may have lost what this one had.
   */
  record InSyncReplica(int nodeId, long nodeEpoch) {}

  /**
   * A topic to create.
   *
   * @param partitionCount -1 for the cluster's {@code num.partitions}; must be -1 with assignments
   * @param replicationFactor -1 for {@code default.replication.factor}; must be -1 with assignments
   * @param assignments node ids for each partition, when given by hand, else empty
   * @param configs overrides
   * @param internal true only for the cluster's own topics
   */
  record NewTopic(
      String name,
      int partitionCount,
      int replicationFactor,
      Map<Integer, List<Integer>> assignments,
      Map<String, String> configs,
      boolean internal) {}

  /**
   * @param target the replicas it shall have, the preferred leader first; empty to cancel what is
   *     under way
   */
  record Reassignment(TopicPartition partition, Optional<List<Integer>> target) {}

  /**
   * @param level that the cluster shall work at; 0 switches the feature off
   * @param mayDowngrade whether a level below the present one is meant
   */
  record FeatureUpdate(String name, short level, boolean mayDowngrade) {}

  /** A topic by name or by id; exactly one is there. */
  record TopicReference(Optional<String> name, Optional<Uuid> id) {}

  /**
   * @param totalCount how many partitions the topic shall have afterwards
   * @param assignments node ids for each new partition, when given by hand, else empty
   */
  record MorePartitions(String topic, int totalCount, List<List<Integer>> assignments) {}

  /**
   * @param resource a topic, a broker (name: the node id, or empty for the default of all) or a
   *     group
   * @param replaceAll true to drop every override that {@code changes} does not set (Kafka's old
   *     AlterConfigs)
   */
  record ConfigChanges(ConfigResource resource, List<ConfigChange> changes, boolean replaceAll) {}

  /**
   * @param name configuration key
   * @param operation what to do with it
   * @param value needed by every operation but DELETE
   */
  record ConfigChange(String name, Operation operation, Optional<String> value) {
    /** Kafka's operations of IncrementalAlterConfigs. */
    public enum Operation {
      SET,
      DELETE,
      APPEND,
      SUBTRACT
    }
  }
}
