package io.milena.node;

import akka.actor.typed.ActorSystem;
import io.milena.cluster.ClusterInfo;
import io.milena.cluster.MetadataMember;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.wire.PrivateClient;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the other nodes what became of this one while it hears nothing of the metadata leader. A
 * node that the others have removed from their cluster may never be told: they send it nothing any
 * more by Akka's remoting, the entry that fenced it neither. Their Kafka listeners answer.
 */
final class LostContact {

  private static final Logger LOG = LoggerFactory.getLogger(LostContact.class);

  private static final int ASK_TIMEOUT_MS = 1_000;

  private final MetadataMember metadata;
  private final int nodeId;
  private final long nodeEpoch;
  private final Duration lostFor;
  private final CompletableFuture<String> givenUp;
  private final AtomicBoolean asking = new AtomicBoolean();

  private LostContact(
      MetadataMember metadata,
      int nodeId,
      long nodeEpoch,
      Duration lostFor,
      CompletableFuture<String> givenUp) {
    this.metadata = metadata;
    this.nodeId = nodeId;
    this.nodeEpoch = nodeEpoch;
    this.lostFor = lostFor;
    this.givenUp = givenUp;
  }

  /**
   * Begins to look, as often as contact must be lost for, until the actor system ends.
   *
   * @param givenUp completed with the reason once a node says that this one was given up
   */
  static void watch(
      ActorSystem<?> system,
      MetadataMember metadata,
      int nodeId,
      long nodeEpoch,
      Duration lostFor,
      CompletableFuture<String> givenUp) {
    LostContact watch = new LostContact(metadata, nodeId, nodeEpoch, lostFor, givenUp);
    var _ =
        system
            .scheduler()
            .scheduleWithFixedDelay(lostFor, lostFor, watch::look, system.executionContext());
  }

  private void look() {
    if (metadata.isCutOffFor(lostFor) && !givenUp.isDone() && asking.compareAndSet(false, true)) {
      Thread.ofVirtual()
          .name("milena-lost-contact")
          .start(() -> {
            try {
              ask();
            } finally {
              asking.set(false);
            }
          });
    }
  }

  private void ask() {
    MetadataImage image = metadata.service().image();
    for (NodeImage node : image.nodes().values()) {
      if (node.id() == nodeId || node.fenced()) {
        continue;
      }
      NodeImage.Endpoint endpoint = node.endpoints().getFirst();
      try {
        ClusterInfo cluster =
            ClusterInfo.decode(
                PrivateClient.ask(
                    new InetSocketAddress(endpoint.host(), endpoint.port()),
                    PrivateApi.CLUSTER_INFO,
                    Belonging.CLUSTER_INFO_VERSION,
                    ByteBuffer.allocate(0),
                    ASK_TIMEOUT_MS));
        Optional<String> reason = cluster.hasGivenUp(nodeId, nodeEpoch, image.appliedIndex());
        if (reason.isPresent()) {
          givenUp.complete(reason.get() + ", as node " + node.id() + " says");
          return;
        }
      } catch (IOException notNow) {
        LOG.debug("{}", notNow.getMessage());
      }
    }
  }
}
