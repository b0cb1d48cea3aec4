package io.milena.cli.topics;

import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.Table;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lists the topics. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "List topics, with partitions and replicas.",
    footerHeading = "%nExamples:%n",
    footer = {"  bin/milena topics list", "  bin/milena topics list --internal --output json"})
final class ListCommand implements Callable<Integer> {

  @Option(names = "--internal", description = "Also the topics the cluster keeps for itself.")
  private boolean isInternalListed;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    try (Admin admin = connection.admin()) {
      var names =
          Failures.await(
              admin.listTopics(new ListTopicsOptions().listInternal(isInternalListed)).names(),
              "list topics");
      var topics =
          Failures.await(admin.describeTopics(names).allTopicNames(), "describe the topics");
      Table table = new Table("TOPIC", "PARTITIONS", "REPLICAS");
      var report = Output.array();
      new TreeMap<>(topics)
          .forEach((name, topic) -> {
            int partitions = topic.partitions().size();
            int replicas =
                topic.partitions().stream()
                    .mapToInt(partition -> partition.replicas().size())
                    .max()
                    .orElse(0);
            table.row(name, partitions, replicas);
            report
                .addObject()
                .put("topic", name)
                .put("id", topic.topicId().toString())
                .put("partitions", partitions)
                .put("replicas", replicas)
                .put("internal", topic.isInternal());
          });
      if (table.isEmpty() && !output.isJson()) {
        output.remark("no topics yet: make one with 'bin/milena topics create NAME'");
      } else {
        output.either(table, report);
      }
      return ExitCode.OK;
    }
  }
}
