package io.milena.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The help and the completion of {@code start}. bin/milena reads these options itself and becomes
 * the node's process, so that a node costs one JVM and not two.
 */
@Command(
    name = "start",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Start a node on this machine, or several, in the foreground or with --daemon.",
      "With --nodes N: a cluster of N nodes in DIR/node-1 to DIR/node-N, on consecutive ports. They"
          + " can be killed and started one by one: start --data DIR/node-2. What makes each of"
          + " them a node of that cluster is in its DIR/node-N/milena.conf."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena start                                  # until Ctrl-C",
      "  bin/milena start --data /var/lib/milena --kafka 0.0.0.0:9092 \\",
      "      -o advertised.listeners=PLAINTEXT://broker.example:9092 --daemon",
      "  bin/milena start --nodes 3 --data cluster         # three nodes on this machine",
      "  bin/milena start --join broker.example:9092       # one more node of a running cluster",
      "",
      "Environment: MILENA_HEAP (512m), MILENA_OPTS (more JVM flags), MILENA_AOT=off (no",
      "start-up cache), JAVA_HOME. The JVM's own flags are in config/jvm.options."
    })
@SuppressWarnings("UnusedVariable") // the fields are the declaration of the options
final class StartCommand implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where records and metadata lie. Default: MILENA_DATA, else 'data' here.")
  private @Nullable Path data;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description =
          "Listen here for Kafka clients. Default: 127.0.0.1:9092; with --nodes, the first node.")
  private @Nullable String kafka;

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      description = "Listen here for HTTP. Default: see config/milena.conf.")
  private @Nullable String http;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "Start a cluster of so many nodes on this machine.")
  private @Nullable Integer nodes;

  @Option(
      names = "--join",
      paramLabel = "HOST:PORT",
      description =
          "Join the cluster of the node that listens there for Kafka clients; several with commas."
              + " Needed at a node's first start only.")
  private @Nullable String join;

  @Option(
      names = "--cluster",
      paramLabel = "HOST:PORT",
      description = "Listen here for the other nodes. Default: the port for Kafka plus 10000.")
  private @Nullable String cluster;

  @Option(
      names = "-o",
      paramLabel = "KEY=VALUE",
      description = "One setting, under Kafka's name for it, over every file. Repeatable.")
  private Map<String, String> settings = new LinkedHashMap<>();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings (HOCON) over those of DIR/milena.conf, over those of config/milena.conf.")
  private @Nullable Path config;

  @Option(
      names = "--daemon",
      description = "Return once the node is ready; log to DIR/logs/milena.log.")
  private boolean isDaemon;

  @Option(
      names = "--ready-timeout",
      paramLabel = "SECONDS",
      description = "With --daemon: give up waiting (not the node) after this. Default: 300.")
  private int readyTimeoutSeconds = 300;

  @Override
  public Integer call() {
    throw CliException.usage("a node is started by the script: bin/milena start");
  }
}
