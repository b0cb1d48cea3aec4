package io.milena.node;

import io.milena.cluster.ClusterInfo;
import io.milena.cluster.KnownNodes;
import io.milena.log.LogDirectory;
import io.milena.wire.PrivateClient;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which node of which cluster this is: what its data directory says, or for a new directory what
 * the nodes that it is to join say, or that it founds a cluster.
 *
 * @param nodeId this node
 * @param isIdChosen whether nobody but this class has settled on the id: then another will do
 * @param clusterId of the cluster
 * @param directoryId of the data directory
 * @param founder whether the node began as the only voter of a new cluster
 * @param known the nodes of the cluster as far as known, itself included or not
 */
record Belonging(
    int nodeId,
    boolean isIdChosen,
    Uuid clusterId,
    Uuid directoryId,
    boolean founder,
    List<ClusterInfo.Member> known) {

  private static final Logger LOG = LoggerFactory.getLogger(Belonging.class);

  /** Node id of a data directory that is used for the first time, when none is configured. */
  private static final int FIRST_NODE_ID = 1;

  static final short CLUSTER_INFO_VERSION = 0;
  private static final int ASK_TIMEOUT_MS = 2_000;
  private static final Duration ASK_INTERVAL = Duration.ofMillis(200);
  private static final Duration PROGRESS_INTERVAL = Duration.ofSeconds(10);

  /** Whether there is another node that this one may have to find. */
  boolean hasOthers() {
    return known.stream().anyMatch(node -> node.nodeId() != nodeId);
  }

  /**
   * Finds out, asking the nodes to join for as long as it takes where the directory is new; and
   * marks a new directory.
   *
   * @throws StartupException for a directory of another node or cluster
   */
  static Belonging of(NodeConfig config, DataDirectory data) {
    Optional<LogDirectory.Meta> owner = data.owner();
    if (owner.isPresent()) {
      return ofOwner(config, data, owner.get());
    }
    Optional<Integer> configured = configuredId(config);
    Belonging found;
    if (config.cluster().join().isEmpty()) {
      found =
          new Belonging(
              configured.orElse(FIRST_NODE_ID),
              false,
              Uuid.randomUuid(),
              Uuid.randomUuid(),
              true,
              List.of());
    } else {
      ClusterInfo cluster = askUntilAnswered(config.cluster().join());
      configured.ifPresent(id -> refuseIdOfAnother(config, cluster, id));
      found =
          new Belonging(
              configured.orElseGet(cluster::nextNodeId),
              configured.isEmpty(),
              cluster.clusterId(),
              Uuid.randomUuid(),
              false,
              cluster.nodes());
      write(data, KnownNodes.of(false, cluster));
    }
    found.mark(data);
    return found;
  }

  /** The metadata group would refuse it too; but nobody can answer a node that has its own id. */
  private static void refuseIdOfAnother(NodeConfig config, ClusterInfo cluster, int id) {
    for (ClusterInfo.Member node : cluster.nodes()) {
      if (node.nodeId() == id) {
        throw StartupException.wrongConfiguration(
            "node id "
                + id
                + " belongs to the node at "
                + node.address()
                + ", with another data directory: give this node another "
                + idSetting(config)
                + ", or unregister that one first if it is gone for good");
      }
    }
  }

  private void mark(DataDirectory data) {
    data.mark(clusterId.toString(), nodeId, directoryId);
  }

  /** The same directory under another node id: the one that was chosen is another node's. */
  Belonging withAnotherId(NodeConfig config, DataDirectory data) {
    ClusterInfo cluster = askUntilAnswered(config.cluster().join());
    Belonging other =
        new Belonging(
            Math.max(cluster.nextNodeId(), nodeId + 1),
            isIdChosen,
            clusterId,
            directoryId,
            founder,
            cluster.nodes());
    other.mark(data);
    return other;
  }

  private static Belonging ofOwner(NodeConfig config, DataDirectory data, LogDirectory.Meta owner) {
    configuredId(config)
        .filter(id -> id != owner.nodeId())
        .ifPresent(id -> {
          throw StartupException.wrongConfiguration(
              "data directory "
                  + data.root()
                  + " belongs to node "
                  + owner.nodeId()
                  + ", but "
                  + idSetting(config)
                  + " says "
                  + id
                  + ": start node "
                  + id
                  + " on its own directory, or drop the setting");
        });
    Uuid clusterId = Uuid.fromString(owner.clusterId());
    Optional<KnownNodes> known = read(data);
    List<ClusterInfo.Member> members = known.map(KnownNodes::members).orElse(List.of());
    Optional<ClusterInfo> asked = askOnce(config.cluster().join());
    if (asked.isPresent() && !asked.get().clusterId().equals(clusterId)) {
      throw StartupException.wrongConfiguration(
          "data directory "
              + data.root()
              + " belongs to cluster "
              + clusterId
              + ", but the nodes to join are of cluster "
              + asked.get().clusterId()
              + ": join with an empty --data directory, or start without --join");
    }
    return new Belonging(
        owner.nodeId(),
        false,
        clusterId,
        owner.directoryId(),
        known.map(KnownNodes::founder).orElse(true),
        asked.map(ClusterInfo::nodes).orElse(members));
  }

  private static String idSetting(NodeConfig config) {
    return config.kafka().containsKey("node.id") ? "node.id" : "broker.id";
  }

  private static Optional<Integer> configuredId(NodeConfig config) {
    String setting = idSetting(config);
    if (!config.kafka().containsKey(setting)) {
      return Optional.empty();
    }
    int configured = config.kafkaInt(setting, FIRST_NODE_ID);
    if (configured < 0) {
      throw StartupException.wrongConfiguration(
          setting + " is " + configured + ": it must be 0 or more");
    }
    return Optional.of(configured);
  }

  private static ClusterInfo askUntilAnswered(List<NodeConfig.Listener> addresses) {
    long nextReportNanos = System.nanoTime() + PROGRESS_INTERVAL.toNanos();
    while (true) {
      Optional<ClusterInfo> answer = askOnce(addresses);
      if (answer.isPresent()) {
        return answer.get();
      }
      if (System.nanoTime() - nextReportNanos > 0) {
        LOG.info(
            "waiting for a node to join: nobody answers at {}; it must be the Kafka listener of a"
                + " running Milena node",
            addresses);
        nextReportNanos = System.nanoTime() + PROGRESS_INTERVAL.toNanos();
      }
      try {
        Thread.sleep(ASK_INTERVAL.toMillis());
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new StartupException("interrupted while looking for a node to join", interrupted);
      }
    }
  }

  private static Optional<ClusterInfo> askOnce(List<NodeConfig.Listener> addresses) {
    for (NodeConfig.Listener address : addresses) {
      try {
        return Optional.of(
            ClusterInfo.decode(
                PrivateClient.ask(
                    new InetSocketAddress(address.host(), address.port()),
                    PrivateApi.CLUSTER_INFO,
                    CLUSTER_INFO_VERSION,
                    ByteBuffer.allocate(0),
                    ASK_TIMEOUT_MS)));
      } catch (IOException notNow) {
        LOG.debug("{}", notNow.getMessage());
      }
    }
    return Optional.empty();
  }

  private static Optional<KnownNodes> read(DataDirectory data) {
    try {
      return KnownNodes.read(data.metadata());
    } catch (IOException failure) {
      throw unusable(data.metadata(), failure);
    }
  }

  private static void write(DataDirectory data, KnownNodes known) {
    try {
      known.write(data.metadata());
    } catch (IOException failure) {
      throw unusable(data.metadata(), failure);
    }
  }

  private static StartupException unusable(Path directory, IOException failure) {
    return new StartupException("cannot use " + directory + ": " + failure.getMessage(), failure);
  }
}
