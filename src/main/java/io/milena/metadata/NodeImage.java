package io.milena.metadata;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;

/**
 * A registered node.
 *
 * @param id node id, 0 or more, kept in the node's data directory
 * @param incarnation random id of this life of the process; a node that comes back is a new
 *     incarnation
 * @param nodeEpoch version of the registration (Kafka: broker epoch): grows with every registration
 *     in the cluster
 * @param endpoints where clients reach it, one for each listener
 * @param clusterAddress where the other nodes reach it
 * @param rack {@code broker.rack}, if set
 * @param logDirs ids of its log directories
 * @param fenced true from registration until it has caught up, and after it was found dead: never a
 *     leader, not shown to clients
 * @param controlledShutdown true once it asked to leave: leads nothing and gets no leadership
 */
public record NodeImage(
    int id,
    Uuid incarnation,
    long nodeEpoch,
    List<Endpoint> endpoints,
    ClusterAddress clusterAddress,
    Optional<String> rack,
    List<Uuid> logDirs,
    boolean fenced,
    boolean controlledShutdown) {

  public NodeImage {
    endpoints = List.copyOf(endpoints);
    logDirs = List.copyOf(logDirs);
  }

  /**
   * @param listener name of the listener, such as PLAINTEXT
   * @param host as advertised to clients
   * @param port as advertised to clients
   * @param securityProtocol Kafka's name of it, such as PLAINTEXT
   */
  public record Endpoint(String listener, String host, int port, String securityProtocol) {}

  /** Where a node's actor system listens for the other nodes (Akka remoting over TCP). */
  public record ClusterAddress(String host, int port) {
    @Override
    public String toString() {
      return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
  }
}
