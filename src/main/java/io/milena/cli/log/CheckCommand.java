package io.milena.cli.log;

import io.milena.cli.ExitCode;
import io.milena.cli.Output;
import io.milena.log.LogCheck;
import io.milena.log.LogCondition;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Reads logs from end to end and says what is wrong with them. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Read the log files of partitions from end to end and say what is wrong with them.",
      "Every batch is checked against its checksum, and indexes, leader epochs and producer"
          + " snapshots against the batches. Changes nothing. The node must not run."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena log check",
      "  bin/milena log check orders-0 orders-1 --data /var/lib/milena",
      "  bin/milena log check /mnt/copy/orders-0 --output json",
      "",
      "Exit codes: 0 all sound, 1 something is damaged or missing, 5 a node runs there."
    })
final class CheckCommand implements Callable<Integer> {

  @Mixin private LogTargets targets = new LogTargets();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    List<Path> logs = targets.logs();
    List<LogCondition> found =
        LogTargets.locked(logs, () -> logs.stream().map(LogCheck::check).toList());
    var report = Output.array();
    found.forEach(log -> report.add(Findings.json(log)));
    if (found.isEmpty() && !output.isJson()) {
      output.remark("there are no logs");
      return ExitCode.OK;
    }
    output.either(Findings.table(found), report);
    if (!output.isJson()) {
      found.forEach(log -> Findings.lines(log).forEach(output::line));
    }
    boolean sound = found.stream().allMatch(LogCondition::sound);
    if (!sound) {
      output.remark("'bin/milena log repair PARTITION' says what can be done");
    }
    return sound ? ExitCode.OK : ExitCode.FAILURE;
  }
}
