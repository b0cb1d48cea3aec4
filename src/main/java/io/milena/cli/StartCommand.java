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
    description = "Start a node on this machine, in the foreground or with --daemon.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena start                                  # until Ctrl-C",
      "  bin/milena start --data /var/lib/milena --kafka 0.0.0.0:9092 \\",
      "      -o advertised.listeners=PLAINTEXT://broker.example:9092 --daemon",
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
      description = "Listen here for Kafka clients. Default: 127.0.0.1:9092.")
  private @Nullable String kafka;

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      description = "Listen here for HTTP. Default: see config/milena.conf.")
  private @Nullable String http;

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
