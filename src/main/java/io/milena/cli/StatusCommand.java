package io.milena.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Says whether a node runs and how the cluster behind it is. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Show whether a node runs, and how its cluster is.",
      "With --data: the node of that directory on this machine, and its cluster. Else the cluster"
          + " at --bootstrap where that is given, and the node of the default directory where not."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena status",
      "  bin/milena status --bootstrap broker.example:9092 --output json",
      "",
      "Exit codes: 0 running, 3 not running, 4 running but not answering in time."
    })
final class StatusCommand implements Callable<Integer> {

  @Option(names = "--data", paramLabel = "DIR", description = "A node's data directory.")
  private @Nullable Path data;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();
  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    ObjectNode report = Output.object();
    List<String> lines = new ArrayList<>();
    if (data != null || !isBootstrapGiven()) {
      DataDirectory directory =
          new DataDirectory(data == null ? DataDirectory.defaultPath() : data);
      ProcessHandle node = directory.runningNode().orElse(null);
      if (node != null) {
        if (!describeNode(directory, node, report, lines)) {
          print(report, lines);
          return ExitCode.UNREACHABLE;
        }
      } else if (data != null) {
        report.put("running", false).put("data", directory.path().toString());
        lines.add("not running (data: " + directory.path() + ")");
        print(report, lines);
        return ExitCode.NOT_FOUND;
      }
    }
    return describeCluster(report, lines);
  }

  /** Adds what is known of the process; false while it does not serve yet. */
  private boolean describeNode(
      DataDirectory directory, ProcessHandle node, ObjectNode report, List<String> lines) {
    Map<String, String> readiness = directory.readiness(node);
    String uptime =
        node.info()
            .startInstant()
            .map(start -> ", up " + duration(Duration.between(start, Instant.now())))
            .orElse("");
    report.put("running", true).put("pid", node.pid()).put("data", directory.path().toString());
    lines.add("running (pid " + node.pid() + uptime + ")");
    lines.add("data        " + directory.path());
    readiness.forEach((key, value) -> {
      if (!key.equals("pid")) {
        report.put(key, value);
        lines.add("%-11s %s".formatted(key, value));
      }
    });
    report.put("ready", !readiness.isEmpty());
    if (readiness.isEmpty()) {
      lines.add("not ready yet (log: " + directory.log() + ")");
      return false;
    }
    String kafka = readiness.get("kafka");
    if (kafka != null && !isBootstrapGiven()) {
      connection.bootstrap(reachable(kafka));
    }
    return true;
  }

  private int describeCluster(ObjectNode report, List<String> lines) {
    boolean isNodeKnown = report.has("pid");
    try (Admin admin = connection.admin()) {
      DescribeClusterResult cluster = admin.describeCluster();
      String id = Failures.await(cluster.clusterId(), "ask for the cluster's id");
      Node controller = Failures.await(cluster.controller(), "ask for the controller");
      Collection<Node> nodes = Failures.await(cluster.nodes(), "list the nodes");
      Health health = health(admin);
      report.put("running", true).put("bootstrap", connection.bootstrap()).put("clusterId", id);
      report.put("controller", controller == null ? -1 : controller.id());
      ArrayNode nodeList = report.putArray("nodes");
      Table table = new Table("NODE", "ADDRESS", "RACK", "ROLE");
      nodes.stream()
          .sorted((left, right) -> Integer.compare(left.id(), right.id()))
          .forEach(node -> {
            String address = node.host() + ":" + node.port();
            boolean isController = controller != null && node.id() == controller.id();
            nodeList
                .addObject()
                .put("id", node.id())
                .put("address", address)
                .put("rack", node.rack());
            table.row(
                node.id(),
                address,
                node.hasRack() ? node.rack() : "-",
                isController ? "controller" : "");
          });
      report
          .put("topics", health.topics)
          .put("partitions", health.partitions)
          .put("partitionsWithoutLeader", health.withoutLeader)
          .put("partitionsUnderReplicated", health.underReplicated);
      lines.add("cluster     " + id);
      lines.add(
          "topics      %d with %d partitions, %d without a leader, %d under-replicated"
              .formatted(
                  health.topics, health.partitions, health.withoutLeader, health.underReplicated));
      lines.addAll(table.lines());
      print(report, lines);
      return ExitCode.OK;
    } catch (CliException e) {
      if (e.exitCode() != ExitCode.UNREACHABLE) {
        throw e;
      }
      report.put("error", e.getMessage());
      if (!isNodeKnown) {
        report.put("running", false);
      }
      lines.add(e.getMessage());
      print(report, lines);
      return isNodeKnown || isTimeout(e) ? ExitCode.UNREACHABLE : ExitCode.NOT_FOUND;
    }
  }

  private static boolean isTimeout(CliException failure) {
    return failure.getCause() instanceof org.apache.kafka.common.errors.TimeoutException;
  }

  private record Health(int topics, int partitions, int withoutLeader, int underReplicated) {}

  private static Health health(Admin admin) {
    var names =
        Failures.await(
            admin.listTopics(new ListTopicsOptions().listInternal(true)).names(), "list topics");
    int partitions = 0;
    int withoutLeader = 0;
    int underReplicated = 0;
    for (TopicDescription topic :
        Failures.await(admin.describeTopics(names).allTopicNames(), "describe topics").values()) {
      for (TopicPartitionInfo partition : topic.partitions()) {
        partitions++;
        withoutLeader += partition.leader() == null || partition.leader().isEmpty() ? 1 : 0;
        underReplicated += partition.isr().size() < partition.replicas().size() ? 1 : 0;
      }
    }
    return new Health(names.size(), partitions, withoutLeader, underReplicated);
  }

  /** The address to connect to for a listener that may be bound to every interface. */
  static String reachable(String listener) {
    int colon = listener.lastIndexOf(':');
    String host = listener.substring(0, Math.max(colon, 0));
    return switch (host) {
      case "0.0.0.0", "", "*" -> "127.0.0.1" + listener.substring(Math.max(colon, 0));
      case "[::]", "::" -> "[::1]" + listener.substring(colon);
      default -> listener;
    };
  }

  static String duration(Duration duration) {
    long hours = duration.toHours();
    return hours >= 48
        ? duration.toDays() + " days"
        : hours > 0
            ? "%d h %d min".formatted(hours, duration.toMinutesPart())
            : duration.toMinutes() > 0
                ? "%d min %d s".formatted(duration.toMinutes(), duration.toSecondsPart())
                : duration.toSeconds() + " s";
  }

  private boolean isBootstrapGiven() {
    ParseResult parsed = spec == null ? null : spec.commandLine().getParseResult();
    return System.getenv("MILENA_BOOTSTRAP") != null
        || (parsed != null && parsed.hasMatchedOption("--bootstrap"));
  }

  private void print(ObjectNode report, List<String> lines) {
    if (output.isJson()) {
      output.json(report);
    } else {
      lines.forEach(output::line);
    }
  }
}
