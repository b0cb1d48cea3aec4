package io.milena.cli.topics;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Creates one or more topics alike. */
@Command(
    name = "create",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Create topics.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena topics create orders --partitions 6",
      "  bin/milena topics create users --config cleanup.policy=compact --if-not-exists",
      "  bin/milena topics create a b c --replication-factor 3 --dry-run"
    })
final class CreateCommand implements Callable<Integer> {

  @Parameters(arity = "1..*", paramLabel = "TOPIC", description = "The names.")
  private List<String> topics = List.of();

  @Option(
      names = {"-p", "--partitions"},
      paramLabel = "N",
      description = "How many partitions. Default: num.partitions of the cluster.")
  private @Nullable Integer partitions;

  @Option(
      names = {"-r", "--replication-factor"},
      paramLabel = "N",
      description = "On how many nodes. Default: default.replication.factor of the cluster.")
  private @Nullable Short replicationFactor;

  @Option(
      names = {"-c", "--config"},
      paramLabel = "KEY=VALUE",
      description = "A topic configuration under Kafka's name. Repeatable.")
  private Map<String, String> configs = new LinkedHashMap<>();

  @Option(names = "--if-not-exists", description = "Leave a topic that exists as it is.")
  private boolean isExistingAccepted;

  @Option(names = "--dry-run", description = "Let the cluster check, but create nothing.")
  private boolean isDryRun;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    List<NewTopic> requested =
        topics.stream()
            .map(name ->
                new NewTopic(
                        name,
                        Optional.ofNullable(partitions),
                        Optional.ofNullable(replicationFactor))
                    .configs(configs))
            .toList();
    var report = Output.array();
    CliException failure = null;
    try (Admin admin = connection.admin()) {
      CreateTopicsResult result =
          admin.createTopics(requested, new CreateTopicsOptions().validateOnly(isDryRun));
      for (String topic : topics) {
        String state;
        try {
          Failures.await(result.values().get(topic), "create topic '" + topic + "'");
          state = isDryRun ? "could be created" : "created";
        } catch (CliException e) {
          if (e.exitCode() != ExitCode.CONFLICT || !isExistingAccepted) {
            failure = Changes.remember(output, failure, e);
            continue;
          }
          state = "exists";
        }
        if (output.isJson()) {
          report.addObject().put("topic", topic).put("result", state);
        } else {
          output.line(state + ": " + topic);
        }
      }
    }
    return Changes.finish(output, report, failure);
  }
}
