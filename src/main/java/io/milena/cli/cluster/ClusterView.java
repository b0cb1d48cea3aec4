package io.milena.cli.cluster;

import io.milena.cli.CliException;
import io.milena.cli.Failures;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;

/**
 * What stock Admin calls say of a cluster at one moment.
 *
 * @param controller node id of the metadata leader as clients see it, -1 for none
 * @param nodes by id, fenced ones too where the server tells
 * @param quorum the metadata group; empty where the server does not tell
 * @param topics how many, internal ones too
 * @param partitions every partition, by topic and number
 */
public record ClusterView(
    String clusterId,
    int controller,
    List<Node> nodes,
    Optional<QuorumInfo> quorum,
    int topics,
    List<PartitionState> partitions) {

  private static final int NO_CONTROLLER = -1;

  /**
   * Asks the cluster.
   *
   * @throws CliException when it does not answer
   */
  public static ClusterView read(Admin admin) {
    DescribeClusterResult cluster = describe(admin);
    String id = Failures.await(cluster.clusterId(), "ask for the cluster's id");
    @Nullable Node controller = Failures.await(cluster.controller(), "ask for the controller");
    Collection<Node> nodes = Failures.await(cluster.nodes(), "list the nodes");
    Set<String> names =
        Failures.await(
            admin.listTopics(new ListTopicsOptions().listInternal(true)).names(), "list topics");
    Map<String, TopicDescription> topics = new TreeMap<>();
    admin
        .describeTopics(names)
        .topicNameValues()
        .forEach((name, description) -> {
          try {
            topics.put(name, Failures.await(description, "describe topic '" + name + "'"));
          } catch (CliException e) {
            if (!Failures.isNotFound(e)) { // deleted meanwhile
              throw e;
            }
          }
        });
    List<PartitionState> partitions = new ArrayList<>();
    topics.forEach((name, topic) ->
        topic.partitions().forEach(info -> partitions.add(PartitionState.of(name, info))));
    return new ClusterView(
        id,
        controller == null ? NO_CONTROLLER : controller.id(),
        nodes.stream().sorted(Comparator.comparingInt(Node::id)).toList(),
        quorum(admin),
        topics.size(),
        partitions);
  }

  /** With fenced nodes, unless the server is too old to tell. */
  private static DescribeClusterResult describe(Admin admin) {
    DescribeClusterResult withFenced =
        admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true));
    try {
      var _ = Failures.await(withFenced.nodes(), "list the nodes");
      return withFenced;
    } catch (CliException e) {
      if (e.getCause() instanceof UnsupportedVersionException) {
        return admin.describeCluster();
      }
      throw e;
    }
  }

  private static Optional<QuorumInfo> quorum(Admin admin) {
    try {
      return Optional.of(
          Failures.await(
              admin.describeMetadataQuorum().quorumInfo(), "describe the metadata quorum"));
    } catch (CliException e) {
      if (e.getCause() instanceof UnsupportedVersionException) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** How many partitions have no leader. */
  public long withoutLeader() {
    return partitions.stream().filter(partition -> !partition.hasLeader()).count();
  }

  /** How many partitions have replicas that are not in sync. */
  public long underReplicated() {
    return partitions.stream().filter(partition -> !partition.missing().isEmpty()).count();
  }

  Map<Integer, NodeState> nodeStates() {
    return nodes.stream()
        .collect(
            Collectors.toMap(
                Node::id, node -> node.isFenced() ? NodeState.FENCED : NodeState.LIVE));
  }

  /** {@code min.insync.replicas} of the topics that have a partition with replicas missing. */
  Map<String, Integer> minInSync(Admin admin) {
    List<ConfigResource> asked =
        partitions.stream()
            .filter(partition -> !partition.missing().isEmpty())
            .map(partition -> new ConfigResource(ConfigResource.Type.TOPIC, partition.topic()))
            .distinct()
            .toList();
    Map<String, Integer> minimums = new HashMap<>();
    admin
        .describeConfigs(asked)
        .values()
        .forEach((topic, answer) -> {
          try {
            Config config = Failures.await(answer, "read the configuration of " + topic.name());
            minimums.put(
                topic.name(),
                Integer.parseInt(config.get(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG).value()));
          } catch (CliException e) {
            if (!Failures.isNotFound(e)) {
              throw e;
            }
          }
        });
    return minimums;
  }
}
