package io.milena.replication;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;

/**
 * What {@link InSyncKeeper} is told of a replica set that this node leads, all of one metadata
 * image.
 *
 * @param id of the set
 * @param leaderEpoch in which this node leads it
 * @param partitionEpoch version of the set: a proposal is for this one only
 * @param replicas assigned node ids
 * @param isr in-sync replicas, this node among them
 * @param liveEpochs epoch of the registration of each replica that is live, by node id: the others
 *     cannot be in sync
 * @param partitions the partitions in the set; may be empty where every replica is in sync, as
 *     nobody has to catch up then
 */
public record LedSet(
    int id,
    int leaderEpoch,
    int partitionEpoch,
    List<Integer> replicas,
    List<Integer> isr,
    Map<Integer, Long> liveEpochs,
    Set<TopicIdPartition> partitions) {

  public LedSet {
    replicas = List.copyOf(replicas);
    isr = List.copyOf(isr);
    liveEpochs = Map.copyOf(liveEpochs);
    partitions = Set.copyOf(partitions);
  }

  boolean isLive(int node, long nodeEpoch) {
    Long epoch = liveEpochs.get(node);
    return epoch != null && epoch == nodeEpoch;
  }
}
