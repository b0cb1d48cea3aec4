package io.milena.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Asks the node of a data directory, or all of its nodes, to stop, and waits until they have. */
@Command(
    name = "stop",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Stop the node that runs on a data directory, and wait until it has stopped.",
      "On a directory of 'start --nodes': all of its nodes, at the same time."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena stop",
      "  bin/milena stop --data /var/lib/milena --wait 120",
      "",
      "Exit codes: 0 stopped, 3 no node was running there, 4 still stopping after --wait."
    })
final class StopCommand implements Callable<Integer> {

  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);
  private static final Duration REMARK_INTERVAL = Duration.ofSeconds(2);

  /** How long a killed process may take to be gone. */
  private static final Duration KILL_WAIT = Duration.ofSeconds(10);

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The node's data directory. Default: MILENA_DATA, else 'data' here.")
  private @Nullable Path data;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "How long to wait. Default: ${DEFAULT-VALUE}.")
  private int waitSeconds = 60;

  @Option(
      names = "--force",
      description =
          "Kill the node if it has not stopped after --wait. What it has acknowledged is kept, the"
              + " next start takes longer.")
  private boolean isForced;

  @Mixin private Output output = new Output();

  /** A node that is asked to stop. */
  private record Stopping(DataDirectory directory, ProcessHandle node) {}

  @Override
  public Integer call() throws InterruptedException {
    DataDirectory given = new DataDirectory(data == null ? DataDirectory.defaultPath() : data);
    List<Stopping> running = new ArrayList<>();
    for (DataDirectory directory : given.nodes()) {
      directory.runningNode().ifPresent(node -> running.add(new Stopping(directory, node)));
    }
    if (running.isEmpty()) {
      throw new CliException(
          ExitCode.NOT_FOUND, "no node runs on " + given.path() + ": nothing to stop");
    }
    for (Stopping each : running) {
      if (!each.node().destroy()) {
        throw new CliException(
            ExitCode.FAILURE,
            "no permission to stop process "
                + each.node().pid()
                + ": stop it as the user who started it");
      }
    }
    long deadline = System.nanoTime() + Duration.ofSeconds(waitSeconds).toNanos();
    ArrayNode report = Output.array();
    for (Stopping each : running) {
      boolean isKilled = awaitEnd(each, deadline);
      each.directory().forgetNode();
      report
          .addObject()
          .put("data", each.directory().path().toString())
          .put("pid", each.node().pid())
          .put("killed", isKilled);
      if (!output.isJson()) {
        output.line((isKilled ? "killed" : "stopped") + " (pid " + each.node().pid() + ")");
      }
    }
    if (output.isJson()) {
      output.json(report.size() == 1 ? report.get(0) : report);
    }
    return ExitCode.OK;
  }

  /** Waits for one node; true when it had to be killed. */
  private boolean awaitEnd(Stopping each, long deadline) throws InterruptedException {
    if (isGoneBy(each, deadline)) {
      return false;
    }
    long pid = each.node().pid();
    if (!isForced) {
      throw new CliException(
          ExitCode.UNREACHABLE,
          "process %d is still stopping after %d s: wait with a larger --wait, or kill it with --force (log: %s)"
              .formatted(pid, waitSeconds, each.directory().log()));
    }
    boolean isKilled = each.node().destroyForcibly();
    if (!isGoneBy(each, System.nanoTime() + KILL_WAIT.toNanos())) {
      throw new CliException(ExitCode.FAILURE, "process " + pid + " does not end even when killed");
    }
    return isKilled;
  }

  private boolean isGoneBy(Stopping each, long deadline) throws InterruptedException {
    long started = System.nanoTime();
    long remarked = started;
    while (each.directory().isNodeHere(each.node())) {
      long now = System.nanoTime();
      if (now - deadline > 0) {
        return false;
      }
      if (now - remarked > REMARK_INTERVAL.toNanos()) {
        remarked = now;
        output.remark(
            "stopping process %d (%d s) ..."
                .formatted(each.node().pid(), Duration.ofNanos(now - started).toSeconds()));
      }
      Thread.sleep(POLL_INTERVAL);
    }
    return true;
  }
}
