package io.milena.cluster;

import akka.actor.CoordinatedShutdown;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.AskPattern;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.MemberStatus;
import akka.cluster.sharding.ShardRegion;
import akka.cluster.sharding.typed.GetShardRegionState;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.milena.metadata.LeaderBalance;
import io.milena.metadata.MetadataService;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;

/** A member of an Akka cluster in this JVM, configured as a node is. */
final class TestMember implements AutoCloseable {

  private static final Duration DEADLINE = Duration.ofSeconds(60);

  final MemberIdentity identity;
  final ActorSystem<Void> system;
  private final TestProbe<Object> probe;
  private ReplicaSetLeaders leaders;

  /**
   * @param journal where its persistent actors have their journal
   */
  TestMember(int nodeId, Path journal) {
    identity = new MemberIdentity(nodeId, Uuid.randomUuid());
    Config own =
        ConfigFactory.parseMap(
            Map.of(
                "akka.cluster.roles",
                identity.roles(),
                "milena.journal.dir",
                journal.toString(),
                "akka.cluster.sharding.rebalance-interval",
                "300ms"));
    system =
        ActorSystem.create(
            Behaviors.empty(),
            "milena",
            own.withFallback(ConfigFactory.parseResources("milena-akka.conf"))
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    probe = TestProbe.create(system);
  }

  /** Joins the cluster of another member, or forms one if that is itself. */
  TestMember join(TestMember other) {
    Cluster cluster = Cluster.get(system);
    cluster.manager().tell(Join.create(Cluster.get(other.system).selfMember().address()));
    eventually(() -> {
      if (cluster.selfMember().status() != MemberStatus.up()) {
        throw new AssertionError(cluster.selfMember() + " is not up");
      }
    });
    return this;
  }

  TestMember lead(MetadataService metadata, LongSupplier nodeEpoch) {
    ClusterMetadata.get(system).provide(metadata);
    leaders =
        ReplicaSetLeaders.start(
            system, identity.nodeId(), nodeEpoch, metadata, LeaderBalance.Settings.AT_ONCE);
    return this;
  }

  void handOver() {
    get(leaders.handOver(DEADLINE));
  }

  /** Ids of the sets whose entities run here. */
  Set<Integer> entities() {
    Set<Integer> ids = new TreeSet<>();
    for (ShardRegion.ShardState shard : shards()) {
      shard.getEntityIds().forEach(id -> ids.add(Integer.valueOf(id)));
    }
    return ids;
  }

  /** Ids of the sets whose shards are here, with an entity or without. */
  Set<Integer> shardIds() {
    Set<Integer> ids = new TreeSet<>();
    shards().forEach(shard -> ids.add(Integer.valueOf(shard.shardId())));
    return ids;
  }

  private Collection<ShardRegion.ShardState> shards() {
    return get(AskPattern
            .<akka.cluster.sharding.typed.ClusterShardingQuery, ShardRegion.CurrentShardRegionState>
                ask(
                    ClusterSharding.get(system).shardState(),
                    replyTo -> new GetShardRegionState(ReplicaSetLeader.TYPE_KEY, replyTo),
                    Duration.ofSeconds(3),
                    system.scheduler()))
        .getShards();
  }

  /** What the entity of a set says, wherever it runs. Would start it, did it not run. */
  ReplicaSetLeader.Status status(int setId) {
    return get(
        ClusterSharding.get(system)
            .entityRefFor(ReplicaSetLeader.TYPE_KEY, Integer.toString(setId))
            .ask(ReplicaSetLeader.GetStatus::new, Duration.ofSeconds(3)));
  }

  /** Waits until the assertion holds. */
  void eventually(Runnable assertion) {
    probe.awaitAssert(
        DEADLINE,
        Duration.ofMillis(20),
        () -> {
          assertion.run();
          return null;
        });
  }

  private static <T> T get(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException failure) {
      throw new AssertionError(failure);
    }
  }

  /** Leaves the cluster and ends, as a node does. */
  @Override
  public void close() {
    var _ =
        get(
            CoordinatedShutdown.get(system)
                .runAll(CoordinatedShutdown.actorSystemTerminateReason()));
    system.terminate();
    get(system.getWhenTerminated());
  }
}
