package io.milena.node;

import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorSystem;
import io.milena.cluster.ReplicaSetLeaders;
import io.milena.http.HttpPort;
import io.milena.replication.actor.LocalReplicas;
import io.milena.wire.KafkaServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node: an actor system that is a member of a cluster, the metadata group, the
 * partition replicas, the group coordinator and the Kafka listeners. {@link NodeStarter} puts it
 * together.
 */
public final class Node {

  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration HAND_OVER_TIMEOUT = Duration.ofSeconds(5);
  private static final long DRAIN_TIMEOUT_MS = 3_000;

  /**
   * What a running node consists of.
   *
   * @param kafkaAddresses where the Kafka listeners listen, with the ports they got
   * @param executors threads to end last
   */
  record Parts(
      DataDirectory data,
      int nodeId,
      ActorSystem<?> system,
      ReplicaSetLeaders leaders,
      LocalReplicas replicas,
      KafkaServer server,
      List<NodeConfig.Listener> kafkaAddresses,
      Optional<HttpPort> http,
      List<ExecutorService> executors) {}

  private final Parts parts;
  private final AtomicBoolean stopped = new AtomicBoolean();

  Node(Parts parts) {
    this.parts = parts;
  }

  /**
   * Starts a node and returns once it serves.
   *
   * @throws StartupException when it cannot, with what is wrong and what to do
   */
  public static Node start(NodeConfig config) {
    DataDirectory data = DataDirectory.open(config.dataDirectory());
    try {
      return NodeStarter.start(config, data);
    } catch (RuntimeException failure) {
      data.close();
      throw failure;
    }
  }

  /** Where the Kafka listeners listen, with the ports they got. */
  public List<NodeConfig.Listener> kafkaAddresses() {
    return parts.kafkaAddresses();
  }

  /** Where HTTP is served, if it is. */
  public Optional<String> httpAddress() {
    return parts
        .http()
        .map(HttpPort::address)
        .map(address -> address.getHostString() + ":" + address.getPort());
  }

  /** This node's id. */
  public int nodeId() {
    return parts.nodeId();
  }

  /** The data directory. */
  public Path dataDirectory() {
    return parts.data().root();
  }

  /**
   * Stops cleanly: hands its sets over to other nodes, answers what was asked, closes every log,
   * leaves the cluster. Does nothing the second time.
   */
  public void stop() {
    if (!stopped.compareAndSet(false, true)) {
      return;
    }
    await(parts.leaders().handOver(HAND_OVER_TIMEOUT), "handing replica sets over");
    parts.http().ifPresent(http -> await(http.unbind(), "closing the HTTP port"));
    await(parts.server().stop(DRAIN_TIMEOUT_MS), "closing connections");
    parts.replicas().close((closed, of) -> LOG.debug("closed {} of {} logs", closed, of));
    // Leaves the cluster, so that nobody has to find out that this node is gone; then terminates.
    var _ =
        CoordinatedShutdown.get(parts.system())
            .runAll(CoordinatedShutdown.actorSystemTerminateReason());
    await(parts.system().getWhenTerminated(), "stopping actors");
    parts.executors().forEach(ExecutorService::shutdown);
    parts.data().close();
  }

  private static void await(CompletionStage<?> stage, String doing) {
    try {
      stage.toCompletableFuture().get(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException late) {
      LOG.warn("{} took longer than {} s; going on without it", doing, STOP_TIMEOUT.toSeconds());
    } catch (ExecutionException failure) {
      LOG.warn("{} failed: {}", doing, String.valueOf(failure.getCause()));
    }
  }
}
