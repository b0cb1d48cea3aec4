package io.milena;

import java.io.IOException;
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

  private static final Duration START_TIMEOUT = Duration.ofSeconds(120);

  /**
   * Where a node runs.
   *
   * @param host the address it listens on
   * @param port of its Kafka listener
   * @param entry what to run its command with, such as {@code ip netns exec NAME}; must replace
   *     itself by the node, for the pid to be the node's
   */
  public record Place(String host, int port, List<String> entry) {

    /** On the loopback interface, at a port that stays its own over restarts. */
    public static Place onLoopback() throws IOException {
      return new Place("127.0.0.1", FreePorts.next(), List.of());
    }
  }

  private final Path data;
  private final Place place;
  private final Path output;
  private final List<String> settings;
  private Process process;

  /**
   * A node that is not started yet.
   *
   * @param output the file that gets what it prints
   */
  public NodeProcess(Path data, Place place, Path output, List<String> settings) {
    this.data = data;
    this.place = place;
    this.output = output;
    this.settings = List.copyOf(settings);
    // A test run that is interrupted must not leave nodes behind.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              if (process != null) {
                process.destroyForcibly();
              }
            }));
  }

  /**
   * Starts a node over a data directory, on a port that stays its own over restarts, and waits
   * until it serves.
   */
  public static NodeProcess start(Path data, String... settings) throws Exception {
    NodeProcess node =
        new NodeProcess(data, Place.onLoopback(), data.resolve("output.txt"), List.of(settings));
    node.start();
    return node;
  }

  /** Starts the process (again) and waits until it serves. */
  public void start() throws Exception {
    launch();
    awaitReady();
  }

  /** Starts the process (again), without waiting. */
  public void launch() throws IOException {
    Files.createDirectories(data);
    Files.deleteIfExists(ready());
    List<String> command = new ArrayList<>(place.entry());
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
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
            .start();
  }

  /** Waits until the process that was launched serves. */
  public void awaitReady() throws Exception {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!isReady()) {
      if (process.waitFor(20, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
        process.destroyForcibly();
        throw new IllegalStateException("the node did not start:\n" + output());
      }
    }
  }

  private Path ready() {
    return data.resolve("milena.ready");
  }

  private boolean isReady() throws IOException {
    Path ready = ready();
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
    return place.host() + ":" + place.port();
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

  /** Whether the process runs; one that is paused does. */
  public boolean isRunning() {
    return process != null && process.isAlive();
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

  /** SIGTERM, without waiting. */
  public void signalTermination() {
    process.destroy();
  }

  /** SIGTERM, and waits until the process is gone; returns its exit code. */
  public int terminate() throws InterruptedException {
    process.destroy();
    return process.waitFor();
  }

  /** What the node has printed in all its lives. */
  public String output() throws IOException {
    return Files.readString(output);
  }

  @Override
  public void close() throws InterruptedException {
    if (process != null) {
      kill();
    }
  }
}
