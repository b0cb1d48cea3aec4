package io.milena.node;

import io.milena.common.Clock;
import io.milena.metadata.MetadataService;
import io.milena.replication.ReplicaDirectory;
import io.milena.wire.KafkaServer;
import io.milena.wire.exchange.ExchangeSettings;
import io.milena.wire.exchange.FollowerLinks;
import io.milena.wire.exchange.LeaderExchange;
import io.milena.wire.exchange.ReplicationThrottle;
import io.milena.wire.handler.PrivateApi;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** Both sides of the replication exchange of a node. */
final class Replication {
  private final int nodeId;
  private final Uuid clusterId;
  private final MetadataService metadata;
  private final ReplicaDirectory replicas;
  private final ExchangeSettings settings;
  private final Clock clock;
  private final ReplicationThrottle throttle;
  private final LeaderExchange leading;
  private final AtomicReference<@Nullable FollowerLinks> following = new AtomicReference<>();

  Replication(
      int nodeId,
      Uuid clusterId,
      MetadataService metadata,
      ReplicaDirectory replicas,
      ExchangeSettings settings,
      Clock clock) {
    this.nodeId = nodeId;
    this.clusterId = clusterId;
    this.metadata = metadata;
    this.replicas = replicas;
    this.settings = settings;
    this.clock = clock;
    this.throttle = new ReplicationThrottle(nodeId);
    this.leading = new LeaderExchange(nodeId, clusterId, metadata, replicas, throttle, clock);
  }

  static ExchangeSettings settings(NodeConfig config) {
    ExchangeSettings defaults = ExchangeSettings.DEFAULTS;
    try {
      return new ExchangeSettings(
          config.kafkaInt("replica.fetch.wait.max.ms", defaults.maxWaitMs()),
          config.kafkaInt("replica.fetch.response.max.bytes", defaults.maxBytes()),
          config.kafkaInt("replica.fetch.max.bytes", defaults.partitionMaxBytes()),
          config.kafkaInt("replica.fetch.backoff.ms", defaults.backoffMs()));
    } catch (IllegalArgumentException outOfRange) {
      throw StartupException.wrongConfiguration(
          String.valueOf(outOfRange.getMessage()), outOfRange);
    }
  }

  /** Limits what is throttled from now on. */
  void limit(NodeSettings.Rates rates) {
    throttle.limit(rates.leading(), rates.following(), clock.monotonicNanos());
  }

  /** What other nodes may ask: for the listeners. */
  List<PrivateApi> apis() {
    return leading.apis();
  }

  /**
   * Leads and follows as the metadata images say, from now on. The replicas must have been
   * subscribed to them before.
   *
   * @param server whose threads carry the connections to leaders
   * @param nodeEpoch of this node's registration, as it is at the moment
   */
  void start(KafkaServer server, LongSupplier nodeEpoch) {
    FollowerLinks links =
        new FollowerLinks(
            nodeId,
            clusterId,
            nodeEpoch,
            metadata,
            replicas,
            server.loops(),
            settings,
            throttle,
            clock);
    following.set(links);
    metadata.subscribe(throttle);
    metadata.subscribe(leading);
    metadata.subscribe(links);
  }

  /** Follows nothing any more; before the listeners are stopped. */
  void close() {
    FollowerLinks links = following.getAndSet(null);
    if (links != null) {
      links.close();
    }
  }
}
