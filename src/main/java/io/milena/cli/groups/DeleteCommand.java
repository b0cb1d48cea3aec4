package io.milena.cli.groups;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes groups with what they have committed. */
@Command(
    name = "delete",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Delete groups that have no members, with all they have committed.",
    footerHeading = "%nExamples:%n",
    footer = {"  bin/milena groups delete billing"})
final class DeleteCommand implements Callable<Integer> {

  @Parameters(arity = "1..*", paramLabel = "GROUP", description = "The groups' ids.")
  private List<String> groups = List.of();

  @Option(names = "--if-exists", description = "Accept that a group is not there.")
  private boolean isMissingAccepted;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    var report = Output.array();
    CliException failure = null;
    try (Admin admin = connection.admin()) {
      var deleted = admin.deleteConsumerGroups(groups).deletedGroups();
      for (String group : groups) {
        String state = "deleted";
        try {
          Failures.await(deleted.get(group), "delete group '" + group + "'");
        } catch (CliException e) {
          if (e.exitCode() != ExitCode.NOT_FOUND || !isMissingAccepted) {
            if (failure == null) {
              failure = e;
            } else {
              output.remark("milena: " + e.getMessage());
            }
            continue;
          }
          state = "did not exist";
        }
        if (output.isJson()) {
          report.addObject().put("group", group).put("result", state);
        } else {
          output.line(state + ": " + group);
        }
      }
    }
    if (output.isJson()) {
      output.json(report);
    }
    if (failure != null) {
      throw failure;
    }
    return ExitCode.OK;
  }
}
