package io.milena.cluster;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.AskPattern;
import io.milena.common.Clock;
import io.milena.metadata.MetadataService;
import io.milena.metadata.actor.LeaderContact;
import io.milena.metadata.actor.MetadataClient;
import io.milena.metadata.actor.MetadataGroup;
import io.milena.metadata.actor.MetadataGroupSettings;
import io.milena.metadata.actor.MetadataPublisher;
import io.milena.raft.HardState;
import io.milena.raft.RaftStatus;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** This node's member of the metadata group, as the node's other parts use it. */
public final class MetadataMember {

  /** The actor's name: other nodes find it by that. */
  private static final String NAME = "metadata";

  private static final Duration STATUS_TIMEOUT = Duration.ofSeconds(1);
  private static final int STATUS_HOPS_MAX = 2;
  private static final Duration TRANSFER_CHECK_INTERVAL = Duration.ofMillis(20);
  private static final int TRANSFER_CHECKS_MAX = 75;

  /** Raft gives a transfer up after an election timeout. */
  private static final int TRANSFER_REPEAT_CHECKS = 25;

  private final ActorSystem<?> system;
  private final ActorRef<MetadataGroup.Command> group;
  private final MetadataService service;
  private final LeaderContact contact;

  private MetadataMember(
      ActorSystem<?> system,
      ActorRef<MetadataGroup.Command> group,
      MetadataService service,
      LeaderContact contact) {
    this.system = system;
    this.group = group;
    this.service = service;
    this.contact = contact;
  }

  /**
   * Starts it.
   *
   * @param known where the other nodes were when this one was last running, or as those to join say
   * @param commandTimeout how long a command may take
   */
  public static MetadataMember start(
      ActorSystem<?> system,
      MetadataGroupSettings settings,
      List<ClusterInfo.Member> known,
      Duration commandTimeout) {
    MetadataPublisher publisher = new MetadataPublisher();
    LeaderContact contact = new LeaderContact(Clock.system());
    int nodeId = settings.raft().nodeId();
    RemotePeers peers = new RemotePeers(system, nodeId, publisher::image, known);
    ActorRef<MetadataGroup.Command> group =
        system.systemActorOf(
            MetadataGroup.create(settings, publisher, contact, peers), NAME, Props.empty());
    return new MetadataMember(
        system, group, new MetadataClient(system, group, publisher, commandTimeout), contact);
  }

  /** The image, and the way to change it. */
  public MetadataService service() {
    return service;
  }

  /** Whether this node had no contact with the metadata leader for longer than this. */
  public boolean isCutOffFor(Duration time) {
    return contact.isLostFor(time);
  }

  /** A node's process has ended. */
  public void gone(int goneNodeId) {
    group.tell(new MetadataGroup.PeerGone(goneNodeId));
  }

  /** How the group looks from here. */
  public CompletionStage<RaftStatus> status() {
    return AskPattern.ask(group, MetadataGroup.GetStatus::new, STATUS_TIMEOUT, system.scheduler());
  }

  /** How the group looks from its leader, or from here where none is known. */
  public CompletionStage<MetadataGroup.LeaderStatus> leaderStatus() {
    return AskPattern.<MetadataGroup.Command, MetadataGroup.LeaderStatus>ask(
        group,
        replyTo -> new MetadataGroup.GetLeaderStatus(replyTo, STATUS_HOPS_MAX),
        STATUS_TIMEOUT,
        system.scheduler());
  }

  /**
   * Gives the metadata leadership to another voter, if this node has it and there is one.
   *
   * @return completes once another node leads, or that has been tried for a while
   */
  public CompletionStage<Void> resign() {
    return status().thenCompose(status -> resign(status, TRANSFER_CHECKS_MAX));
  }

  private CompletionStage<Void> resign(RaftStatus status, int checksLeft) {
    boolean isLeader = status.role() == RaftStatus.RoleName.LEADER;
    boolean isDone = !isLeader && status.leaderId() != HardState.NOBODY;
    if (isDone || checksLeft == 0 || status.membership().voters().size() < 2) {
      return CompletableFuture.completedStage(null);
    }
    if (isLeader && checksLeft % TRANSFER_REPEAT_CHECKS == 0) {
      group.tell(new MetadataGroup.TransferLeadership(HardState.NOBODY));
    }
    CompletableFuture<Void> later = new CompletableFuture<>();
    system
        .scheduler()
        .scheduleOnce(
            TRANSFER_CHECK_INTERVAL, () -> later.complete(null), system.executionContext());
    return later.thenCompose(_ -> status()).thenCompose(next -> resign(next, checksLeft - 1));
  }
}
