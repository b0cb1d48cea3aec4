package io.milena;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/**
 * A real node process, started with this JVM's class path and Java, that tests kill, pause and
 * start again.
 */
public final class NodeProcess implements AutoCloseable {

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private final Path data;
  private final int port;
  private final List<String> settings;
  private Process process;

  private NodeProcess(Path data, int port, List<String> settings) {
    this.data = data;
    this.port = port;
    this.settings = settings;
  }

  /**
   * Starts a node over a data directory, on a port that stays its own over restarts, and waits
   * until it serves.
   */
  public static NodeProcess start(Path data, String... settings) throws Exception {
    NodeProcess node = new NodeProcess(data, freePort(), List.of(settings));
    node.start();
    return node;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress("127.0.0.1", 0));
      return socket.getLocalPort();
    }
  }

  /** Starts the process (again) and waits until it serves. */
  public void start() throws Exception {
    Path ready = data.resolve("milena.ready");
    Files.createDirectories(data);
    Files.deleteIfExists(ready);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--sun-misc-unsafe-memory-access=allow",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            "io.milena.node.Main",
            "--data",
            data.toString(),
            "--kafka",
            bootstrap(),
            "--http",
            "off"));
    for (String setting : settings) {
      command.add("-o");
      command.add(setting);
    }
    Path output = data.resolve("output.txt");
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
            .start();
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!isReady(ready)) {
      if (process.waitFor(20, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
        process.destroyForcibly();
        throw new IllegalStateException("the node did not start:\n" + Files.readString(output));
      }
    }
  }

  private boolean isReady(Path ready) throws IOException {
    if (!Files.exists(ready)) {
      return false;
    }
    Properties properties = new Properties();
    try (var reader = Files.newBufferedReader(ready)) {
      properties.load(reader);
    }
    return Long.toString(process.pid()).equals(properties.getProperty("pid"));
  }

  public String bootstrap() {
    return "127.0.0.1:" + port;
  }

  public Path data() {
    return data;
  }

  public long pid() {
    return process.pid();
  }

  /** kill -9, and waits until the process is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** SIGSTOP: the process stands still, and its connections stay open. */
  public void pause() throws Exception {
    signal("STOP");
  }

  /** SIGCONT: it goes on as if nothing had been. */
  public void resume() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    int exit =
        new ProcessBuilder("kill", "-" + name, Long.toString(pid())).inheritIO().start().waitFor();
    if (exit != 0) {
      throw new IllegalStateException("kill -" + name + " " + pid() + ": exit code " + exit);
    }
  }

  /** SIGTERM, and waits until the process is gone; returns its exit code. */
  public int terminate() throws InterruptedException {
    process.destroy();
    return process.waitFor();
  }

  /** What the node has printed in all its lives. */
  public String output() throws IOException {
    return Files.readString(data.resolve("output.txt"));
  }

  @Override
  public void close() throws InterruptedException {
    if (process != null) {
      kill();
    }
  }
}
