package io.milena.cli;

import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Runs the commands that people use most, so that the JVM can record in its AOT cache what they
 * load. Run by bin/milena with {@code -XX:AOTCacheOutput}; where nobody answers at the address, the
 * commands fail after having loaded most of it.
 */
@Command(name = "train", hidden = true, mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {

  private static final String TOPIC = "milena-training";

  private static final List<List<String>> RUNS =
      List.of(
          List.of("--help"),
          List.of("status"),
          List.of("topics", "create", TOPIC, "--if-not-exists"),
          List.of("topics", "list"),
          List.of("topics", "describe", TOPIC),
          List.of("topics", "list", "--output", "json"),
          List.of("produce", TOPIC, "/dev/null", "--quiet"),
          List.of("perf", "produce", TOPIC, "--records", "100", "--output", "json"),
          List.of("consume", TOPIC, "--count", "1", "--group", TOPIC, "--format", ""),
          List.of("groups", "list"),
          List.of("groups", "describe", TOPIC));

  @Mixin private Connection connection = new Connection();

  @Override
  public Integer call() {
    PrintWriter nowhere =
        new PrintWriter(
            new OutputStreamWriter(OutputStream.nullOutputStream(), StandardCharsets.UTF_8));
    for (List<String> run : RUNS) {
      CommandLine command = Main.commandLine(false).setOut(nowhere).setErr(nowhere);
      String[] arguments =
          run.contains("--help")
              ? run.toArray(String[]::new)
              : java.util.stream.Stream.concat(
                      run.stream(),
                      java.util.stream.Stream.of(
                          "--bootstrap", connection.bootstrap(), "--timeout", "5"))
                  .toArray(String[]::new);
      var _ = command.execute(arguments);
    }
    return ExitCode.OK;
  }
}
