package io.milena.node;

import akka.actor.typed.ActorSystem;
import io.milena.cluster.MemberIdentity;
import io.milena.cluster.MetadataMember;
import io.milena.cluster.NodeWatch;
import io.milena.cluster.OtherNodes;
import io.milena.cluster.ReplicaSetLeaders;
import io.milena.http.HttpPort;
import io.milena.metadata.NodeImage;
import io.milena.replication.actor.LocalReplicas;
import io.milena.wire.KafkaServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
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

  private static final long DRAIN_TIMEOUT_MS = 3_000;
  private static final Duration RESTART_INTERVAL = Duration.ofSeconds(2);

  /**
   * What one life of a node consists of.
   *
   * @param self the node and this life of it
   * @param nodeEpoch of its registration
   * @param kafkaAddresses where the Kafka listeners listen, with the ports they got
   * @param clusterAddress where the other nodes reach it, with the port it got
   * @param executors threads to end last
   * @param givenUp completes with the reason once the cluster has given this life up
   * @param disksFailed completes with the reason once what the node needs cannot be used any more
   */
  record Parts(
      MemberIdentity self,
      long nodeEpoch,
      ActorSystem<?> system,
      MetadataMember metadata,
      NodeWatch watch,
      OtherNodes others,
      ReplicaSetLeaders leaders,
      LocalReplicas replicas,
      Replication replication,
      KafkaServer server,
      List<NodeConfig.Listener> kafkaAddresses,
      NodeImage.ClusterAddress clusterAddress,
      Optional<HttpPort> http,
      List<ExecutorService> executors,
      CompletionStage<String> givenUp,
      CompletionStage<String> disksFailed) {}

  private final NodeConfig config;
  private final DataDirectory data;

  /** Held while the node starts anew or stops. */
  private final Object lives = new Object();

  private final CompletableFuture<String> failed = new CompletableFuture<>();
  private volatile Parts parts;

  /** Whether there is one: not while the node starts anew. Guarded by {@link #lives}. */
  private boolean isAlive = true;

  private volatile boolean stopped;
  private volatile @Nullable Thread restarting;

  private Node(NodeConfig config, DataDirectory data, Parts parts) {
    this.data = data;
    this.parts = parts;
    // Clients and nodes find it where it was, whatever the configuration left open.
    this.config = config.at(parts.kafkaAddresses(), parts.clusterAddress());
  }

  /**
   * Starts a node and returns once it serves.
   *
   * @throws StartupException when it cannot, with what is wrong and what to do
   */
  public static Node start(NodeConfig config) {
    DataDirectory data = DataDirectory.open(config.dataDirectory(), config.logDirs());
    try {
      Node node = new Node(config, data, NodeStarter.start(config, data));
      node.watchOverLife();
      return node;
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

  /** What the HTTP port serves, each as {@code METHOD /path}; nothing without one. */
  public List<String> httpEndpoints() {
    return parts.http().map(HttpPort::served).orElse(List.of());
  }

  /** This node's id. */
  public int nodeId() {
    return parts.self().nodeId();
  }

  /** The data directory. */
  public Path dataDirectory() {
    return data.root();
  }

  /** Identifies this life of the node: another once it has started anew. */
  Uuid incarnation() {
    return parts.self().incarnation();
  }

  /** This node's member of the metadata group. */
  MetadataMember metadata() {
    return parts.metadata();
  }

  /**
   * Completes with the reason, for people, once the node is of no use any more and should be
   * stopped: its metadata, or every log directory, is on a disk that failed.
   */
  public CompletionStage<String> failed() {
    return failed.minimalCompletionStage();
  }

  private void watchOverLife() {
    var _ = parts.disksFailed().thenAccept(failed::complete);
    var _ =
        parts
            .givenUp()
            .thenAccept(reason -> {
              if (!stopped) {
                // The process lives by it while there is no actor system.
                restarting =
                    Thread.ofPlatform()
                        .daemon(false)
                        .name("milena-restart")
                        .start(() -> startAnew(reason));
              }
            });
  }

  /**
   * The cluster goes on without this life of the node: ends it, and begins another on the same
   * directory and ports, which catches up before it serves.
   */
  private void startAnew(String reason) {
    synchronized (lives) {
      if (stopped) {
        return;
      }
      LOG.warn("Node {} starts anew: {}", parts.self().nodeId(), reason);
      isAlive = false;
      abandon(parts);
      while (!stopped) {
        try {
          parts = NodeStarter.start(config, data);
          isAlive = true;
          LOG.info("Node {} serves again", parts.self().nodeId());
          watchOverLife();
          return;
        } catch (RuntimeException failure) {
          if (stopped) {
            return;
          }
          LOG.warn(
              "Node {} cannot start anew yet, and tries again in {} s: {}",
              parts.self().nodeId(),
              RESTART_INTERVAL.toSeconds(),
              String.valueOf(failure.getMessage()));
          pause();
        }
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(RESTART_INTERVAL.toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends a life that nobody in the cluster waits for: nothing is handed over. */
  private static void abandon(Parts life) {
    life.watch().close();
    life.http().ifPresent(HttpPort::stop);
    await(life.server().stop(0), "closing connections");
    life.replicas().close((closed, of) -> LOG.debug("closed {} of {} logs", closed, of));
    life.system().terminate();
    await(life.system().getWhenTerminated(), "stopping actors");
    life.executors().forEach(ExecutorService::shutdown);
  }

  /**
   * Stops cleanly: hands what it leads over to other nodes, answers what was asked, closes every
   * log, leaves the cluster. Does nothing the second time.
   */
  public void stop() {
    if (stopped) {
      return;
    }
    stopped = true;
    Thread starting = restarting;
    if (starting != null) {
      starting.interrupt();
    }
    synchronized (lives) {
      if (isAlive) {
        stop(parts);
      }
      data.close();
    }
  }

  private static void stop(Parts life) {
    Departure.leave(life);
    life.watch().close();
    life.http().ifPresent(HttpPort::stop);
    life.replication().close();
    await(life.server().stop(DRAIN_TIMEOUT_MS), "closing connections");
    life.replicas().close((closed, of) -> LOG.debug("closed {} of {} logs", closed, of));
    life.system().terminate();
    await(life.system().getWhenTerminated(), "stopping actors");
    life.executors().forEach(ExecutorService::shutdown);
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
