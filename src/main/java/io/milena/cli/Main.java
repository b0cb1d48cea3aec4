package io.milena.cli;

import io.milena.cli.cluster.ClusterCommand;
import io.milena.cli.groups.GroupsCommand;
import io.milena.cli.log.LogCommand;
import io.milena.cli.perf.PerfCommand;
import io.milena.cli.topics.TopicsCommand;
import java.io.PrintWriter;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** The {@code milena} command without its {@code start}, which bin/milena runs itself. */
@Command(
    name = "milena",
    versionProvider = Main.Version.class,
    mixinStandardHelpOptions = true,
    description = "An event-streaming platform that speaks the Kafka protocol.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      StartCommand.class,
      StopCommand.class,
      StatusCommand.class,
      ClusterCommand.class,
      TopicsCommand.class,
      ProduceCommand.class,
      ConsumeCommand.class,
      GroupsCommand.class,
      LogCommand.class,
      PerfCommand.class,
      CompletionCommand.class,
      TrainCommand.class,
      HelpCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:the cluster or this machine refused or failed",
      "2:the command line or a configuration value is wrong; nothing was done",
      "3:what was named does not exist, or the node is not running",
      "4:nobody answers at the address, or not in time",
      "5:what was to be made exists already, or is in use",
      "69:no JDK 25 here, or the build failed (bin/milena itself)"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena start --daemon                    # a node on 127.0.0.1:9092",
      "  bin/milena topics create hello --partitions 3",
      "  echo 'hello, world' | bin/milena produce hello",
      "  bin/milena consume hello --follow",
      "  bin/milena stop",
      "  bin/milena start --nodes 3 --daemon          # a cluster on 127.0.0.1:9092 to 9094",
      "  bin/milena cluster",
      "",
      "Every command takes --help. Tab completion: source <(bin/milena completion)"
    })
public final class Main {

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the clients' log and, on failure, the stack trace.")
  @SuppressWarnings("UnusedVariable") // read from the arguments before parsing, see logging()
  private boolean isDebug;

  public static void main(String[] args) {
    logging(isDebug(args));
    System.exit(commandLine(isDebug(args)).execute(args));
  }

  /** The command, ready to parse and run; failures go to its error writer in one or two lines. */
  static CommandLine commandLine(boolean isDebug) {
    CommandLine command = new CommandLine(new Main());
    command.setCaseInsensitiveEnumValuesAllowed(true);
    command.setAbbreviatedOptionsAllowed(false);
    command.setUsageHelpAutoWidth(true);
    command.setExecutionExceptionHandler((failure, at, _) -> {
      Throwable root = Failures.unwrap(failure);
      PrintWriter err = at.getErr();
      err.println("milena: " + Failures.reason(root));
      if (isDebug) {
        failure.printStackTrace(err);
      }
      err.flush();
      return Failures.exitCode(root);
    });
    command.setParameterExceptionHandler(Main::onUsageError);
    return command;
  }

  private static int onUsageError(ParameterException failure, String[] args) {
    CommandLine at = failure.getCommandLine();
    PrintWriter err = at.getErr();
    err.println("milena: " + failure.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(failure, err);
    err.println("Try: bin/" + at.getCommandSpec().qualifiedName() + " --help");
    err.flush();
    return ExitCode.USAGE;
  }

  /**
   * Silences the clients unless asked: their warnings (a broker that is not up yet, a topic that is
   * being created) repeat what the command itself says. Must run before the first logger exists.
   */
  private static void logging(boolean isDebug) {
    System.setProperty("slf4j.internal.verbosity", "WARN");
    if (isDebug) {
      System.setProperty("logback.configurationFile", "logback-cli.xml");
    } else {
      System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
    }
  }

  private static boolean isDebug(String[] args) {
    return Arrays.asList(args).contains("--debug");
  }

  /** The version of the jar. */
  static final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
      return new String[] {Ansi.OFF.string("Milena " + version())};
    }

    static String version() {
      String version = Main.class.getPackage().getImplementationVersion();
      return version == null ? "(development build)" : version;
    }
  }
}
