package io.milena.cluster;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.AskPattern;
import io.milena.metadata.LeaderBalance;
import io.milena.metadata.MetadataService;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;

/** The replica-set leaders that run on a node: cluster sharding, as the node sees it. */
public final class ReplicaSetLeaders {

  private final ActorSystem<?> system;
  private final ActorRef<ReplicaSetKeeper.Command> keeper;

  private ReplicaSetLeaders(ActorSystem<?> system, ActorRef<ReplicaSetKeeper.Command> keeper) {
    this.system = system;
    this.keeper = keeper;
  }

  /**
   * Begins to run them, and returns at once: nothing that clients see waits for them. The node must
   * be registered.
   *
   * @param nodeEpoch of the node's registration
   * @param balance when leaders return to preferred replicas; the oldest node's counts
   */
  public static ReplicaSetLeaders start(
      ActorSystem<?> system,
      int nodeId,
      LongSupplier nodeEpoch,
      MetadataService metadata,
      LeaderBalance.Settings balance) {
    return new ReplicaSetLeaders(
        system,
        system.systemActorOf(
            ReplicaSetKeeper.create(nodeId, nodeEpoch, metadata, balance),
            "replica-sets",
            Props.empty()));
  }

  /**
   * Hands every set over to other nodes, where others are in sync, and starts none from now on.
   *
   * @param timeout after which the stage fails; what was not handed over is an emergency then
   */
  public CompletionStage<?> handOver(Duration timeout) {
    return AskPattern.ask(keeper, ReplicaSetKeeper.HandOver::new, timeout, system.scheduler());
  }
}
