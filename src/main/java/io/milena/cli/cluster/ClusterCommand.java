package io.milena.cli.cluster;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Output;
import io.milena.cli.Table;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.QuorumInfo.ReplicaState;
import org.apache.kafka.common.Node;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows the nodes of a cluster, its metadata quorum, and what keeps partitions back. */
@Command(
    name = "cluster",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Show nodes, the metadata quorum, leaders, and what keeps partitions from advancing.",
      "METADATA is a node's part in the metadata group; LAG how many of its entries the node is"
          + " behind. LEADS counts the partitions a node leads, PREFERRED those it should lead when"
          + " all is well, REPLICAS those it holds, IN SYNC those of them that are in sync."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena cluster",
      "  bin/milena cluster --bootstrap broker.example:9092 --output json"
    })
public final class ClusterCommand implements Callable<Integer> {

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    try (Admin admin = connection.admin()) {
      ClusterView view = ClusterView.read(admin);
      List<Trouble> troubles =
          Trouble.find(view.partitions(), view.nodeStates(), view.minInSync(admin));
      Map<Integer, List<String>> dead =
          troubles.isEmpty() ? Map.of() : DeadDirectories.of(admin, live(view));
      if (output.isJson()) {
        output.json(json(view, troubles, dead));
      } else {
        print(view, troubles, dead);
      }
    }
    return ExitCode.OK;
  }

  private static List<Integer> live(ClusterView view) {
    return view.nodes().stream().filter(node -> !node.isFenced()).map(Node::id).toList();
  }

  private void print(ClusterView view, List<Trouble> troubles, Map<Integer, List<String>> dead) {
    output.line("cluster   " + view.clusterId());
    output.line("metadata  " + metadata(view));
    output.line(
        "topics    %d with %d partitions: %d without a leader, %d under-replicated"
            .formatted(
                view.topics(),
                view.partitions().size(),
                view.withoutLeader(),
                view.underReplicated()));
    Table nodes =
        new Table(
            "NODE",
            "ADDRESS",
            "RACK",
            "STATE",
            "METADATA",
            "LAG",
            "LEADS",
            "PREFERRED",
            "REPLICAS",
            "IN SYNC");
    for (Node node : view.nodes()) {
      NodeCounts counts = NodeCounts.of(view, node.id());
      nodes.row(
          node.id(),
          node.host() + ":" + node.port(),
          node.hasRack() ? node.rack() : "-",
          node.isFenced() ? NodeState.FENCED : NodeState.LIVE,
          role(view, node.id()),
          lag(view, node.id()).map(String::valueOf).orElse("-"),
          counts.leads(),
          counts.preferred(),
          counts.replicas(),
          counts.inSync());
    }
    nodes.lines().forEach(output::line);
    for (Trouble trouble : troubles) {
      output.line(
          "%s: %s %s: %s"
              .formatted(trouble.kind(), trouble.topic(), trouble.ranges(), trouble.reason()));
    }
    dead.forEach((node, paths) ->
        paths.forEach(path ->
            output.line(
                ("log directory %s of node %d cannot be used: its replicas are offline there until"
                        + " the disk is repaired and the node restarted")
                    .formatted(path, node))));
  }

  private static String metadata(ClusterView view) {
    return view.quorum()
        .map(quorum ->
            (quorum.leaderId() < 0 ? "no leader" : "leader node " + quorum.leaderId())
                + ", epoch %d, %d of %d voters needed, high watermark %d"
                    .formatted(
                        quorum.leaderEpoch(),
                        quorum.voters().size() / 2 + 1,
                        quorum.voters().size(),
                        quorum.highWatermark()))
        .orElseGet(() -> "controller node " + view.controller());
  }

  private static String role(ClusterView view, int node) {
    return view.quorum()
        .map(quorum ->
            quorum.leaderId() == node
                ? "leader"
                : has(quorum.voters(), node)
                    ? "voter"
                    : has(quorum.observers(), node) ? "observer" : "-")
        .orElse(view.controller() == node ? "controller" : "-");
  }

  private static boolean has(List<ReplicaState> states, int node) {
    return states.stream().anyMatch(state -> state.replicaId() == node);
  }

  /** Entries of the metadata log that the node does not have yet, as its leader knows. */
  private static Optional<Long> lag(ClusterView view, int node) {
    return view.quorum().flatMap(quorum -> state(quorum, node).map(state -> lag(quorum, state)));
  }

  private static long lag(QuorumInfo quorum, ReplicaState state) {
    long end =
        state(quorum, quorum.leaderId())
            .map(ReplicaState::logEndOffset)
            .orElse(state.logEndOffset());
    return Math.max(0, end - state.logEndOffset());
  }

  private static Optional<ReplicaState> state(QuorumInfo quorum, int node) {
    return java.util.stream.Stream.concat(quorum.voters().stream(), quorum.observers().stream())
        .filter(state -> state.replicaId() == node)
        .findFirst();
  }

  /** How many partitions a node has to do with. */
  private record NodeCounts(long leads, long preferred, long replicas, long inSync) {

    static NodeCounts of(ClusterView view, int node) {
      return new NodeCounts(
          count(view, partition -> partition.leader() == node),
          count(view, partition -> partition.replicas().indexOf(node) == 0),
          count(view, partition -> partition.replicas().contains(node)),
          count(view, partition -> partition.inSync().contains(node)));
    }

    private static long count(ClusterView view, Predicate<PartitionState> which) {
      return view.partitions().stream().filter(which).count();
    }
  }

  private static ObjectNode json(
      ClusterView view, List<Trouble> troubles, Map<Integer, List<String>> dead) {
    ObjectNode report =
        Output.object().put("clusterId", view.clusterId()).put("controller", view.controller());
    view.quorum()
        .ifPresent(quorum -> {
          ObjectNode metadata =
              report
                  .putObject("metadata")
                  .put("leader", quorum.leaderId())
                  .put("epoch", quorum.leaderEpoch())
                  .put("highWatermark", quorum.highWatermark());
          states(metadata.putArray("voters"), quorum, quorum.voters());
          states(metadata.putArray("observers"), quorum, quorum.observers());
        });
    ArrayNode nodes = report.putArray("nodes");
    for (Node node : view.nodes()) {
      NodeCounts counts = NodeCounts.of(view, node.id());
      nodes
          .addObject()
          .put("id", node.id())
          .put("address", node.host() + ":" + node.port())
          .put("rack", node.rack())
          .put("fenced", node.isFenced())
          .put("metadata", role(view, node.id()))
          .put("leads", counts.leads())
          .put("preferred", counts.preferred())
          .put("replicas", counts.replicas())
          .put("inSync", counts.inSync());
    }
    report
        .put("topics", view.topics())
        .put("partitions", view.partitions().size())
        .put("partitionsWithoutLeader", view.withoutLeader())
        .put("partitionsUnderReplicated", view.underReplicated());
    ArrayNode found = report.putArray("troubles");
    for (Trouble trouble : troubles) {
      ObjectNode node =
          found.addObject().put("kind", trouble.kind().toString()).put("topic", trouble.topic());
      trouble.partitions().forEach(node.putArray("partitions")::add);
      trouble.state().replicas().forEach(node.putArray("replicas")::add);
      trouble.state().inSync().forEach(node.putArray("inSync")::add);
      trouble.state().missing().forEach(node.putArray("missing")::add);
      node.put("minInSync", trouble.minInSync()).put("reason", trouble.reason());
    }
    ArrayNode directories = report.putArray("deadLogDirectories");
    dead.forEach((node, paths) ->
        paths.forEach(path -> directories.addObject().put("node", node).put("path", path)));
    return report;
  }

  private static void states(ArrayNode array, QuorumInfo quorum, List<ReplicaState> states) {
    for (ReplicaState state : states) {
      array
          .addObject()
          .put("id", state.replicaId())
          .put("logEndOffset", state.logEndOffset())
          .put("lag", lag(quorum, state))
          .put("lastFetchMs", orNull(state.lastFetchTimestamp()))
          .put("lastCaughtUpMs", orNull(state.lastCaughtUpTimestamp()));
    }
  }

  private static @Nullable Long orNull(OptionalLong value) {
    return value.isPresent() ? value.getAsLong() : null;
  }
}
