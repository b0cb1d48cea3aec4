package io.milena.cli.topics;

import picocli.CommandLine.Command;

/** The family of commands about topics. */
@Command(
    name = "topics",
    mixinStandardHelpOptions = true,
    description = "Create, list, describe, alter and delete topics.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CreateCommand.class,
      ListCommand.class,
      DescribeCommand.class,
      AlterCommand.class,
      DeleteCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena topics create orders --partitions 6 --config retention.ms=86400000",
      "  bin/milena topics list",
      "  bin/milena topics describe orders"
    })
public final class TopicsCommand {}
