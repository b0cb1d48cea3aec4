package io.milena.cli.groups;

import picocli.CommandLine.Command;

/** The family of commands about consumer groups. */
@Command(
    name = "groups",
    mixinStandardHelpOptions = true,
    description = "List, describe (with lag), reset and delete consumer groups.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      ListCommand.class,
      DescribeCommand.class,
      ResetOffsetsCommand.class,
      DeleteCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena groups list",
      "  bin/milena groups describe billing",
      "  bin/milena groups reset-offsets billing --topic orders --to earliest --execute"
    })
public final class GroupsCommand {}
