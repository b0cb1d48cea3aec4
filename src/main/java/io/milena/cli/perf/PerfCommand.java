package io.milena.cli.perf;

import picocli.CommandLine.Command;

/** The family of measurements. */
@Command(
    name = "perf",
    mixinStandardHelpOptions = true,
    description = "Measure a cluster: throughput of producing and consuming, and latency.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {ProduceCommand.class, ConsumeCommand.class, LatencyCommand.class},
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena perf produce bench --records 1000000 --size 1024",
      "  bin/milena perf consume bench",
      "  bin/milena perf latency bench --records 10000 --rate 1000",
      "",
      "The client runs on this machine too and takes its share: compare like with like."
    })
public final class PerfCommand {}
