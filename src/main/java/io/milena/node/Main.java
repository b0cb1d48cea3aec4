package io.milena.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The process of one node; {@code bin/milena start} runs it. Exit codes: 0 stopped as asked, 1
 * cannot start, 2 wrong arguments or configuration.
 *
 * <p>Once it serves it prints a banner and writes {@code DIR/milena.ready}: its pid and addresses,
 * a {@code key=value} a line.
 */
public final class Main {

  private Main() {}

  /**
   * Starts a node with the given arguments and returns once it serves; the process goes on until it
   * is stopped.
   */
  public static void main(String[] arguments) {
    long startNanos = System.nanoTime();
    NodeLogging.configure();
    Node node;
    try {
      node = Node.start(NodeConfig.load(StartOptions.parse(arguments)));
    } catch (StartupException failure) {
      System.err.println("milena: " + failure.getMessage());
      System.exit(failure.exitCode());
      return;
    }
    Path ready = node.dataDirectory().resolve("milena.ready");
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  node.stop();
                  deleteQuietly(ready);
                },
                "milena-stop"));
    long processMs =
        ProcessHandle.current()
            .info()
            .startInstant()
            .map(start -> System.currentTimeMillis() - start.toEpochMilli())
            .orElseGet(() -> (System.nanoTime() - startNanos) / 1_000_000);
    System.out.print(Banner.of(node, processMs));
    System.out.flush();
    try {
      writeReady(node, ready);
    } catch (IOException failure) {
      System.err.println("milena: cannot write " + ready + ": " + failure);
    }
  }

  private static void writeReady(Node node, Path ready) throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("pid=").append(ProcessHandle.current().pid()).append('\n');
    text.append("node.id=").append(node.nodeId()).append('\n');
    text.append("kafka=").append(node.kafkaAddresses().getFirst()).append('\n');
    node.httpAddress().ifPresent(http -> text.append("http=").append(http).append('\n'));
    Path temporary = ready.resolveSibling("milena.ready.new");
    Files.writeString(temporary, text);
    Files.move(
        temporary, ready, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException ignored) {
      // The file only helps scripts that wait for this node, and it is on its way out.
    }
  }
}
