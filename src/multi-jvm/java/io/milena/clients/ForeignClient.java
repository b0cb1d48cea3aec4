package io.milena.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command that a test runs, with its whole output; what is not installed skips the test. */
final class ForeignClient {

  /** Where the scripts of the clients lie; tests run in the project's directory. */
  static final Path SCRIPTS = Path.of("src/multi-jvm/clients").toAbsolutePath();

  private static final long TIMEOUT_S = 120;

  private ForeignClient() {}

  /** Skips the test where the command ends with another status than 0, or does not exist. */
  static void assumeInstalled(String whatToInstall, String... command) throws Exception {
    boolean installed;
    try {
      installed = start(List.of(command), Map.of(), "").waitFor() == 0;
    } catch (IOException missing) {
      installed = false;
    }
    assumeTrue(installed, "not installed, so not tried: " + whatToInstall);
  }

  /** Runs the command to its end, which must be status 0, and returns what it printed. */
  static String run(Map<String, String> environment, String input, String... command)
      throws Exception {
    Path output = Files.createTempFile("milena-client", ".txt");
    try {
      ProcessBuilder builder = builder(List.of(command), environment);
      Process process = builder.redirectOutput(output.toFile()).start();
      write(process, input);
      boolean ended = process.waitFor(TIMEOUT_S, TimeUnit.SECONDS);
      if (!ended) {
        process.destroyForcibly().waitFor();
      }
      String text = Files.readString(output);
      assertThat(ended).as("%s ends in time:%n%s", List.of(command), text).isTrue();
      assertThat(process.exitValue()).as("%s:%n%s", List.of(command), text).isZero();
      return text;
    } finally {
      Files.delete(output);
    }
  }

  static String run(String... command) throws Exception {
    return run(Map.of(), "", command);
  }

  private static Process start(List<String> command, Map<String, String> environment, String input)
      throws IOException {
    Process process =
        builder(command, environment).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    write(process, input);
    return process;
  }

  private static ProcessBuilder builder(List<String> command, Map<String, String> environment) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return builder;
  }

  private static void write(Process process, String input) throws IOException {
    try (var writer = process.outputWriter()) {
      writer.write(input);
    }
  }
}
