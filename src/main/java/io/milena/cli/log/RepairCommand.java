package io.milena.cli.log;

import io.milena.cli.ExitCode;
import io.milena.cli.Output;
import io.milena.log.LogCheck;
import io.milena.log.LogCondition;
import io.milena.log.LogCondition.Kind;
import io.milena.log.LogRepair;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Mends logs; what loses records only when told to. */
@Command(
    name = "repair",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Mend the log files of partitions. The node must not run.",
      "Damaged indexes, leader epochs and producer snapshots are made anew, which loses nothing."
          + " Damaged records stay as they are unless --cut is given: a partition with another"
          + " replica is better copied from there (delete its directory), and a directory worth"
          + " anything is worth a copy first."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena log repair orders-0           # says what --cut would lose",
      "  bin/milena log repair orders-0 --cut",
      "",
      "Exit codes: 0 nothing is wrong any more, 1 something still is, 5 a node runs there."
    })
final class RepairCommand implements Callable<Integer> {

  @Option(
      names = "--cut",
      description =
          "Cut a damaged log after the last sound batch before the damage. Everything behind is"
              + " lost, the offsets are named.")
  private boolean isCut;

  @Mixin private LogTargets targets = new LogTargets();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    List<Path> logs = targets.logs();
    return LogTargets.locked(logs, () -> repair(logs));
  }

  private int repair(List<Path> logs) {
    var report = Output.array();
    boolean sound = true;
    for (Path directory : logs) {
      LogCondition before = LogCheck.check(directory);
      List<String> done = LogRepair.repair(before, isCut);
      LogCondition after = done.isEmpty() ? before : LogCheck.check(directory);
      sound &= after.sound();
      boolean hasLost = isCut && before.has(Kind.DAMAGED);
      if (output.isJson()) {
        var node = Findings.json(after);
        var steps = node.putArray("done");
        done.forEach(steps::add);
        if (hasLost) {
          node.put("lostFrom", before.endOffset()).put("lostTo", before.knownEndOffset());
        }
        report.add(node);
      } else {
        tell(before, after, done, hasLost);
      }
    }
    if (output.isJson()) {
      output.json(report);
    }
    return sound ? ExitCode.OK : ExitCode.FAILURE;
  }

  private void tell(LogCondition before, LogCondition after, List<String> done, boolean hasLost) {
    String name = Findings.name(before);
    done.forEach(step -> output.line(name + ": " + step));
    if (hasLost) {
      output.line(name + ": lost " + Findings.losses(before));
    }
    if (!after.sound()) {
      Findings.lines(after).forEach(output::line);
    }
    if (after.has(Kind.DAMAGED)) {
      output.line(name + ": --cut would lose " + Findings.losses(after));
    } else if (after.sound()) {
      output.line(name + ": sound, offsets " + after.startOffset() + " to " + after.endOffset());
    }
  }
}
