package io.milena.http;

import io.milena.common.Clock;
import io.milena.metadata.MetadataService;
import io.milena.replication.ReplicaDirectory;
import io.milena.wire.WireMetrics;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.NodeIdentity;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the HTTP port needs of the node that it is a port of. What clients ask for goes to the same
 * handlers that serve the Kafka listeners, so that there is one path to a log and one set of rules.
 *
 * @param apis every Kafka API that the node serves
 * @param advertised HOST:PORT by which clients reach this very node; empty where it is not
 *     configured, and the address that a client came by has to do
 * @param readiness how far the start has come
 * @param wire counters of the Kafka listeners
 */
public record HttpNode(
    String clusterId,
    NodeIdentity identity,
    MetadataService metadata,
    ReplicaDirectory replicas,
    List<ApiHandler> apis,
    Optional<String> advertised,
    Supplier<Readiness> readiness,
    Supplier<WireMetrics.Snapshot> wire,
    Clock clock) {

  /**
   * @param ready whether the Kafka listeners serve
   * @param openedLogs partition logs that have been opened, recovered if need be
   * @param allLogs partition logs there are
   */
  public record Readiness(boolean ready, int openedLogs, int allLogs) {}
}
