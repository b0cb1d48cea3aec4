package io.milena.cluster;

import akka.actor.ActorRef;
import akka.actor.Address;
import akka.cluster.ClusterEvent;
import akka.cluster.Member;
import akka.cluster.sharding.ShardCoordinator;
import akka.cluster.typed.Cluster;
import akka.dispatch.Futures;
import io.milena.common.Clock;
import io.milena.metadata.LeaderBalance;
import io.milena.metadata.LeaderPlacement;
import io.milena.metadata.MetadataImage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Where cluster sharding puts the entity of each replica set: translates {@link LeaderPlacement}
 * from node ids to Akka's shard regions. Asked by the coordinator, on the oldest member.
 */
final class ReplicaSetAllocation extends ShardCoordinator.AbstractShardAllocationStrategy {

  /**
   * Sets that move at a time when nothing is broken. Each move is a change of leader that clients
   * have to follow, and some 10 ms of the coordinator's time.
   */
  static final int MOVES_MAX = 10;

  private final Cluster cluster;
  private final Supplier<MetadataImage> image;
  private final ActorRef nowhere;
  private final LeaderBalance balance;
  private final Clock clock;

  /**
   * @param nowhere an actor that is no shard region: the coordinator drops a shard that is
   *     allocated to it without a word, and asks again when a region does
   * @param settings when leaders return to preferred replicas
   */
  ReplicaSetAllocation(
      Cluster cluster,
      Supplier<MetadataImage> image,
      ActorRef nowhere,
      LeaderBalance.Settings settings,
      Clock clock) {
    this.cluster = cluster;
    this.image = image;
    this.nowhere = nowhere;
    this.balance = new LeaderBalance(settings, clock.monotonicNanos());
    this.clock = clock;
  }

  @Override
  public Future<ActorRef> allocateShard(
      ActorRef requester, String shardId, Map<ActorRef, IndexedSeq<String>> regions) {
    Map<Integer, ActorRef> regionsByNode = regionsByNode(regions.keySet());
    OptionalInt node =
        LeaderPlacement.place(image.get(), Integer.parseInt(shardId), regionsByNode.keySet());
    return Futures.successful(
        node.isPresent() ? regionsByNode.getOrDefault(node.getAsInt(), nowhere) : nowhere);
  }

  @Override
  public Future<Set<String>> rebalance(
      Map<ActorRef, IndexedSeq<String>> regions, Set<String> moving) {
    Map<Integer, Set<Integer>> placed = new HashMap<>();
    regionsByNode(regions.keySet())
        .forEach((node, region) -> placed.put(node, setIds(shards(regions, region))));
    Set<String> misplaced = new HashSet<>();
    MetadataImage now = image.get();
    LeaderPlacement.misplaced(
            now, placed, setIds(moving), MOVES_MAX, balance.check(now, clock.monotonicNanos()))
        .forEach(set -> misplaced.add(Integer.toString(set)));
    return Futures.successful(misplaced);
  }

  private static Iterable<String> shards(
      Map<ActorRef, IndexedSeq<String>> regions, ActorRef region) {
    return CollectionConverters.asJava(regions.get(region));
  }

  private static Set<Integer> setIds(Iterable<String> shardIds) {
    Set<Integer> setIds = new HashSet<>();
    shardIds.forEach(shardId -> setIds.add(Integer.parseInt(shardId)));
    return setIds;
  }

  private Map<Integer, ActorRef> regionsByNode(Set<ActorRef> regions) {
    Map<Address, Integer> nodes = new HashMap<>();
    ClusterEvent.CurrentClusterState state = cluster.state();
    for (Member member : state.getMembers()) {
      MemberIdentity.of(member.getRoles())
          .ifPresent(identity -> nodes.put(member.address(), identity.nodeId()));
    }
    Map<Integer, ActorRef> regionsByNode = new HashMap<>();
    for (ActorRef region : regions) {
      Address address = region.path().address();
      Integer node = nodes.get(address.hasLocalScope() ? cluster.selfMember().address() : address);
      if (node != null) {
        regionsByNode.put(node, region);
      }
    }
    return regionsByNode;
  }
}
