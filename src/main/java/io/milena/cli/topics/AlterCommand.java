package io.milena.cli.topics;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes configurations of a topic and adds partitions to it. */
@Command(
    name = "alter",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Change a topic's configuration, or add partitions to it.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena topics alter orders --config retention.ms=3600000",
      "  bin/milena topics alter orders --delete-config retention.ms",
      "  bin/milena topics alter orders --partitions 12",
      "",
      "More partitions move keys: records of one key are in order only within a partition."
    })
final class AlterCommand implements Callable<Integer> {

  @Parameters(paramLabel = "TOPIC", description = "The name.")
  private String topic = "";

  @Option(
      names = {"-c", "--config"},
      paramLabel = "KEY=VALUE",
      description = "Set a configuration. Repeatable.")
  private Map<String, String> configs = new LinkedHashMap<>();

  @Option(
      names = "--delete-config",
      paramLabel = "KEY",
      description = "Set a configuration back to its default. Repeatable.")
  private List<String> deletedConfigs = new ArrayList<>();

  @Option(
      names = {"-p", "--partitions"},
      paramLabel = "N",
      description = "Grow to this many partitions.")
  private @Nullable Integer partitions;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    List<AlterConfigOp> operations = new ArrayList<>();
    configs.forEach((key, value) ->
        operations.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
    deletedConfigs.forEach(key ->
        operations.add(new AlterConfigOp(new ConfigEntry(key, ""), AlterConfigOp.OpType.DELETE)));
    if (operations.isEmpty() && partitions == null) {
      throw CliException.usage(
          "nothing to change: give --config KEY=VALUE, --delete-config KEY or --partitions N");
    }
    try (Admin admin = connection.admin()) {
      if (!operations.isEmpty()) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Failures.await(
            admin.incrementalAlterConfigs(Map.of(resource, operations)).all(),
            "change the configuration of topic '" + topic + "'");
      }
      if (partitions != null) {
        Failures.await(
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all(),
            "grow topic '%s' to %d partitions".formatted(topic, partitions));
      }
    }
    if (output.isJson()) {
      output.json(Output.object().put("topic", topic).put("result", "altered"));
    } else {
      output.line("altered: " + topic);
    }
    return ExitCode.OK;
  }
}
