package io.milena.cli.log;

import picocli.CommandLine.Command;

/** The family of commands about the files of partitions. */
@Command(
    name = "log",
    mixinStandardHelpOptions = true,
    description = "Check and repair the log files of a node that does not run.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {CheckCommand.class, RepairCommand.class},
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena log check",
      "  bin/milena log check orders-0 --data /var/lib/milena",
      "  bin/milena log repair orders-0 --cut"
    })
public final class LogCommand {}
