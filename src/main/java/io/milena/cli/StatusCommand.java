package io.milena.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.cli.cluster.ClusterView;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
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
      List<DataDirectory> nodes = directory.nodes();
      boolean isReady =
          nodes.size() == 1
              ? describeOne(nodes.getFirst(), report, lines)
              : describeAll(nodes, report, lines);
      boolean isRunning = report.path("running").asBoolean();
      if (!isReady && (data != null || isRunning)) {
        if (!isRunning) {
          report.put("running", false).put("data", directory.path().toString());
          lines.add("not running (data: " + directory.path() + ")");
        }
        print(report, lines);
        return isRunning ? ExitCode.UNREACHABLE : ExitCode.NOT_FOUND;
      }
    }
    return describeCluster(report, lines);
  }

  /** Adds what is known of the directory's only node; whether it serves. */
  private boolean describeOne(DataDirectory directory, ObjectNode report, List<String> lines) {
    Optional<ProcessHandle> node = directory.runningNode();
    return node.isPresent() && describeNode(directory, node.get(), report, lines);
  }

  /** Adds a line for each of several nodes; whether one of them serves. */
  private boolean describeAll(
      List<DataDirectory> directories, ObjectNode report, List<String> lines) {
    boolean isAnyReady = false;
    ArrayNode processes = report.putArray("processes");
    for (DataDirectory directory : directories) {
      ObjectNode each = processes.addObject();
      List<String> told = new ArrayList<>();
      if (describeOne(directory, each, told)) {
        isAnyReady = true;
      }
      if (each.has("pid")) {
        report.put("running", true);
      } else {
        each.put("running", false).put("data", directory.path().toString());
        told.add("not running");
      }
      lines.add(
          "%-11s %s%s"
              .formatted(
                  directory.path().getFileName(),
                  told.getFirst(),
                  each.has("kafka") ? "  Kafka " + each.get("kafka").asText() : ""));
    }
    return isAnyReady;
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
    boolean isNodeKnown = report.path("running").asBoolean();
    try (Admin admin = connection.admin()) {
      ClusterView view = ClusterView.read(admin);
      String id = view.clusterId();
      report.put("running", true).put("bootstrap", connection.bootstrap()).put("clusterId", id);
      report.put("controller", view.controller());
      ArrayNode nodeList = report.putArray("nodes");
      Table table = new Table("NODE", "ADDRESS", "RACK", "ROLE");
      view.nodes()
          .forEach(node -> {
            String address = node.host() + ":" + node.port();
            nodeList
                .addObject()
                .put("id", node.id())
                .put("address", address)
                .put("rack", node.rack())
                .put("fenced", node.isFenced());
            table.row(
                node.id(),
                address,
                node.hasRack() ? node.rack() : "-",
                node.isFenced() ? "fenced" : node.id() == view.controller() ? "controller" : "");
          });
      report
          .put("topics", view.topics())
          .put("partitions", view.partitions().size())
          .put("partitionsWithoutLeader", view.withoutLeader())
          .put("partitionsUnderReplicated", view.underReplicated());
      lines.add("cluster     " + id);
      lines.add(
          "topics      %d with %d partitions, %d without a leader, %d under-replicated"
              .formatted(
                  view.topics(),
                  view.partitions().size(),
                  view.withoutLeader(),
                  view.underReplicated()));
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
