package io.milena.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The command from its arguments to its exit code, without a cluster. */
class CommandLineTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void helpNamesEveryCommandAndExitCode() {
    assertThat(run("--help")).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains(
            "start", "stop", "status", "topics", "produce", "consume", "groups", "perf", "log",
            "cluster")
        .contains("completion", "Exit codes", "Examples")
        .doesNotContain("train");
  }

  @Test
  void everyCommandHasHelpWithExamples() {
    assertHelpWithExamples(Main.commandLine(false), "");
  }

  private static void assertHelpWithExamples(CommandLine command, String parent) {
    command
        .getSubcommands()
        .forEach((name, subcommand) -> {
          if (!name.equals("help") && !subcommand.getCommandSpec().usageMessage().hidden()) {
            String path = parent + name;
            assertThat(subcommand.getUsageMessage())
                .as(name)
                .contains("\nExamples:\n  ", "bin/milena " + path);
            assertHelpWithExamples(subcommand, path + " ");
          }
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "frobnicate",
        "topics create",
        "topics create t --partitions many",
        "topics alter t",
        "consume t --offset sometime",
        "consume t --count 0",
        "consume t --format %s --output json",
        "consume t --group g --partition 0",
        "consume t --group g --offset 7",
        "consume t --format %q",
        "produce t --input json --key k",
        "groups reset-offsets g --all-topics",
        "groups reset-offsets g --to earliest",
        "groups reset-offsets g --to earliest --shift-by 1 --all-topics",
        "perf latency t --size 4",
        "topics list --bootstrap nowhere",
        "start --daemon",
      })
  void aWrongCommandLineIsAUsageErrorOfAtMostThreeLines(String arguments) {
    assertThat(run(arguments.split(" "))).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("milena: ").doesNotContain("\tat ");
    assertThat(err.toString().lines().count()).isLessThanOrEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"topics list", "consume t", "produce t", "groups list", "perf produce t"})
  void whereNobodyListensTheAnswerIsQuickAndSaysWhatToDo(String arguments) throws IOException {
    assertThat(run((arguments + " --bootstrap " + refusingAddress()).split(" ")))
        .isEqualTo(ExitCode.UNREACHABLE);
    assertThat(err.toString())
        .contains("no broker answers at 127.0.0.1:", "connection refused", "bin/milena start");
  }

  @Test
  void statusOfAClusterThatIsNotThereIsNotRunning() throws IOException {
    assertThat(run("status", "--bootstrap", refusingAddress(), "--output", "json"))
        .isEqualTo(ExitCode.NOT_FOUND);
    assertThat(out.toString()).contains("\"running\" : false");
  }

  @Test
  void nothingRunsOnAnEmptyDirectory(@TempDir Path directory) {
    assertThat(run("status", "--data", directory.toString())).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(out.toString()).contains("not running");
    assertThat(run("stop", "--data", directory.toString())).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(err.toString()).contains("no node runs on " + directory);
  }

  @Test
  void theNodesOfALocalClusterAreFoundInItsDirectory(@TempDir Path directory) throws IOException {
    assertThat(new DataDirectory(directory).nodes()).hasSize(1);
    Files.createDirectory(directory.resolve("node-1"));
    Files.createDirectory(directory.resolve("node-2"));
    assertThat(new DataDirectory(directory).nodes())
        .extracting(DataDirectory::path)
        .containsExactly(directory.resolve("node-1"), directory.resolve("node-2"));
    assertThat(run("stop", "--data", directory.toString())).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(run("status", "--data", directory.toString())).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(out.toString()).contains("node-1      not running", "node-2      not running");
    Files.createDirectory(directory.resolve("metadata"));
    assertThat(new DataDirectory(directory).nodes()).as("a node's own directory").hasSize(1);
  }

  @Test
  void aPidThatNowBelongsToAnotherProgramIsNoNode(@TempDir Path directory) throws IOException {
    Files.writeString(
        directory.resolve("milena.pid"), Long.toString(ProcessHandle.current().pid()));
    assertThat(run("stop", "--data", directory.toString())).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(new DataDirectory(directory).runningNode()).isEmpty();
  }

  @Test
  void completionIsABashScriptForEveryCommand() {
    assertThat(run("completion")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("_complete_milena", "reset-offsets", "--bootstrap");
  }

  private int run(String... arguments) {
    CommandLine command = Main.commandLine(false);
    return command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments);
  }

  /** An address whose port was free a moment ago. */
  private static String refusingAddress() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      return "127.0.0.1:" + socket.getLocalPort();
    }
  }
}
