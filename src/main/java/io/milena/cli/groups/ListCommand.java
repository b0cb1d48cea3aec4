package io.milena.cli.groups;

import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.Table;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists the groups of the cluster. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "List groups and their state.",
    footerHeading = "%nExamples:%n",
    footer = {"  bin/milena groups list", "  bin/milena groups list --output json"})
final class ListCommand implements Callable<Integer> {

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    try (Admin admin = connection.admin()) {
      List<GroupListing> groups =
          Failures.await(admin.listGroups().all(), "list groups").stream()
              .sorted(Comparator.comparing(GroupListing::groupId))
              .toList();
      Table table = new Table("GROUP", "TYPE", "PROTOCOL", "STATE");
      var report = Output.array();
      for (GroupListing group : groups) {
        String type = group.type().map(Object::toString).orElse("-");
        String state = group.groupState().map(Object::toString).orElse("-");
        table.row(group.groupId(), type, group.protocol(), state);
        report
            .addObject()
            .put("group", group.groupId())
            .put("type", type)
            .put("protocol", group.protocol())
            .put("state", state);
      }
      if (table.isEmpty() && !output.isJson()) {
        output.remark("no groups: a consumer with a group id makes one");
      } else {
        output.either(table, report);
      }
      return ExitCode.OK;
    }
  }
}
