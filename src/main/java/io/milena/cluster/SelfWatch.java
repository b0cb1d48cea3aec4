package io.milena.cluster;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.eventstream.EventStream;
import akka.actor.typed.javadsl.Adapter;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.Cluster;
import akka.remote.artery.ThisActorSystemQuarantinedEvent;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Notices that the cluster has given this life of the node up: its registration is fenced after it
 * was live, or superseded; or the other members have removed it from the Akka cluster and do not
 * listen to it any more. Whatever comes first; then the node must start anew.
 */
public final class SelfWatch {

  private SelfWatch() {}

  /**
   * Begins to watch a node that is live.
   *
   * @return completes with the reason, for people, once the node is given up
   */
  public static CompletableFuture<String> start(
      ActorSystem<?> system, MemberIdentity self, MetadataService metadata) {
    CompletableFuture<String> givenUp = new CompletableFuture<>();
    metadata.subscribe((delta, image) -> {
      if (delta.nodes().contains(self.nodeId())) {
        reasonIn(image, self).ifPresent(givenUp::complete);
      }
    });
    system.systemActorOf(quarantine(givenUp), "self-watch", Props.empty());
    Cluster.get(Adapter.toClassic(system))
        .registerOnMemberRemoved(
            () -> givenUp.complete("the other nodes removed it from the cluster"));
    return givenUp;
  }

  private static Behavior<ThisActorSystemQuarantinedEvent> quarantine(
      CompletableFuture<String> givenUp) {
    return Behaviors.setup(context -> {
      context
          .getSystem()
          .eventStream()
          .tell(
              new EventStream.Subscribe<>(
                  ThisActorSystemQuarantinedEvent.class, context.getSelf()));
      return Behaviors.receiveMessage(event -> {
        givenUp.complete("the node at " + event.remoteAddress() + " has given it up");
        return Behaviors.stopped();
      });
    });
  }

  static Optional<String> reasonIn(MetadataImage image, MemberIdentity self) {
    NodeImage node = image.nodes().get(self.nodeId());
    if (node == null) {
      return Optional.of("it was unregistered");
    }
    if (!node.incarnation().equals(self.incarnation())) {
      return Optional.of("another process registered as node " + self.nodeId());
    }
    return node.fenced()
        ? Optional.of("the metadata leader fenced it, not having heard of it")
        : Optional.empty();
  }
}
