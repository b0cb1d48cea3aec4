package io.milena.cli.topics;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DeleteTopicsResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes topics with all their records. */
@Command(
    name = "delete",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Delete topics and all their records. There is no way back.",
    footerHeading = "%nExamples:%n",
    footer = {"  bin/milena topics delete orders", "  bin/milena topics delete a b c --if-exists"})
final class DeleteCommand implements Callable<Integer> {

  @Parameters(arity = "1..*", paramLabel = "TOPIC", description = "The names.")
  private List<String> topics = List.of();

  @Option(names = "--if-exists", description = "Accept that a topic is not there.")
  private boolean isMissingAccepted;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    var report = Output.array();
    CliException failure = null;
    try (Admin admin = connection.admin()) {
      DeleteTopicsResult result = admin.deleteTopics(topics);
      for (String topic : topics) {
        String state = "deleted";
        try {
          Failures.await(result.topicNameValues().get(topic), "delete topic '" + topic + "'");
        } catch (CliException e) {
          if (e.exitCode() != ExitCode.NOT_FOUND || !isMissingAccepted) {
            failure = Changes.remember(output, failure, e);
            continue;
          }
          state = "did not exist";
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
