package io.milena.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Asks the node of a data directory to stop, and waits until it has. */
@Command(
    name = "stop",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Stop the node that runs on a data directory, and wait until it has stopped.",
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

  @Override
  public Integer call() throws InterruptedException {
    DataDirectory directory = new DataDirectory(data == null ? DataDirectory.defaultPath() : data);
    ProcessHandle node =
        directory
            .runningNode()
            .orElseThrow(() ->
                new CliException(
                    ExitCode.NOT_FOUND,
                    "no node runs on " + directory.path() + ": nothing to stop"));
    if (!node.destroy()) {
      throw new CliException(
          ExitCode.FAILURE,
          "no permission to stop process " + node.pid() + ": stop it as the user who started it");
    }
    boolean isKilled = false;
    if (!awaitEnd(directory, node, Duration.ofSeconds(waitSeconds))) {
      if (!isForced) {
        throw new CliException(
            ExitCode.UNREACHABLE,
            "process %d is still stopping after %d s: wait with a larger --wait, or kill it with --force (log: %s)"
                .formatted(node.pid(), waitSeconds, directory.log()));
      }
      isKilled = node.destroyForcibly();
      if (!awaitEnd(directory, node, KILL_WAIT)) {
        throw new CliException(
            ExitCode.FAILURE, "process " + node.pid() + " does not end even when killed");
      }
    }
    directory.forgetNode();
    if (output.isJson()) {
      output.json(
          Output.object()
              .put("data", directory.path().toString())
              .put("pid", node.pid())
              .put("killed", isKilled));
    } else {
      output.line((isKilled ? "killed" : "stopped") + " (pid " + node.pid() + ")");
    }
    return ExitCode.OK;
  }

  private boolean awaitEnd(DataDirectory directory, ProcessHandle node, Duration patience)
      throws InterruptedException {
    long started = System.nanoTime();
    long remarked = started;
    while (directory.isNodeHere(node)) {
      long now = System.nanoTime();
      if (now - started > patience.toNanos()) {
        return false;
      }
      if (now - remarked > REMARK_INTERVAL.toNanos()) {
        remarked = now;
        output.remark(
            "stopping process %d (%d s) ..."
                .formatted(node.pid(), Duration.ofNanos(now - started).toSeconds()));
      }
      Thread.sleep(POLL_INTERVAL);
    }
    return true;
  }
}
