package io.milena.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The process of one node; {@code bin/milena start} runs it. Exit codes: 0 stopped as asked, 1
 * cannot start, or its disks have failed, 2 wrong arguments or configuration, 5 the port or the
 * data directory is in use.
 *
 * <p>bin/milena passes {@code milena.started} and, for a daemon, {@code milena.log}, the file that
 * the output goes to. Once it serves it prints a banner and writes {@code DIR/milena.ready}: its
 * pid and addresses, a {@code key=value} a line.
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
    System.out.print(
        Banner.of(node, millisSinceStart(startNanos), System.getProperty("milena.log", "")));
    System.out.flush();
    var _ =
        node.failed()
            .thenAccept(
                reason -> Thread.ofPlatform().name("milena-fail").start(() -> end(node, reason)));
    try {
      writeReady(node, ready);
    } catch (IOException failure) {
      System.err.println("milena: cannot write " + ready + ": " + failure);
    }
  }

  private static void end(Node node, String reason) {
    System.err.println("milena: node " + node.nodeId() + " ends: " + reason);
    System.exit(1);
  }

  /**
   * Since bin/milena ran the JVM, which says when in {@code milena.started} (milliseconds since
   * 1970); what it did before, such as building, does not count. Else since {@code mainNanos}.
   */
  private static long millisSinceStart(long mainNanos) {
    String started = System.getProperty("milena.started", "");
    return started.matches("\\d{1,18}")
        ? Math.max(0, System.currentTimeMillis() - Long.parseLong(started))
        : (System.nanoTime() - mainNanos) / 1_000_000;
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
