package io.milena.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node's data directory as seen from outside: whether a node runs on it, and what it said of
 * itself.
 *
 * <ul>
 *   <li>{@code milena.pid}: the process id, written by bin/milena before it becomes the node;
 *   <li>{@code milena.ready}: {@code key=value} lines ({@code pid}, {@code kafka}, {@code http},
 *       ...), written by the node once it serves.
 * </ul>
 *
 * <p>Both may be left over from a node that was killed, and the pid may by now be another
 * program's, so a process counts only if its command line is that of a node on this directory.
 */
public final class DataDirectory {

  private static final String NODE_MAIN = "io.milena.node.Main";

  private final Path directory;

  DataDirectory(Path directory) {
    this.directory = directory.toAbsolutePath().normalize();
  }

  Path path() {
    return directory;
  }

  /**
   * The directories of the nodes that {@code start --nodes} made in this one, by number; this one
   * alone if it is a node's own.
   */
  List<DataDirectory> nodes() {
    if (Files.isDirectory(directory.resolve("metadata"))) {
      return List.of(this);
    }
    List<DataDirectory> found = new ArrayList<>();
    for (int number = 1; Files.isDirectory(directory.resolve("node-" + number)); number++) {
      found.add(new DataDirectory(directory.resolve("node-" + number)));
    }
    return found.isEmpty() ? List.of(this) : found;
  }

  /** Where the node of this directory logs when it is a daemon. */
  Path log() {
    return directory.resolve("logs").resolve("milena.log");
  }

  /** The process of the node that runs on this directory now. */
  Optional<ProcessHandle> runningNode() {
    return read("milena.pid")
        .map(String::strip)
        .filter(text -> text.matches("\\d{1,18}"))
        .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)))
        .filter(this::isNodeHere);
  }

  /** What the given node wrote when it began to serve; empty while it is still starting. */
  Map<String, String> readiness(ProcessHandle node) {
    Map<String, String> entries = parse(read("milena.ready").orElse(""));
    return Long.toString(node.pid()).equals(entries.get("pid")) ? entries : Map.of();
  }

  /** Removes what a stopped node may have left, so that nothing points at a stranger. */
  void forgetNode() {
    try {
      Files.deleteIfExists(directory.resolve("milena.pid"));
      Files.deleteIfExists(directory.resolve("milena.ready"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether {@code process} is alive and a node on this directory; a zombie is not alive. */
  boolean isNodeHere(ProcessHandle process) {
    return process.isAlive() && isNodeOn(commandLine(process), realPath());
  }

  static boolean isNodeOn(List<String> commandLine, String directory) {
    int data = commandLine.lastIndexOf("--data");
    return commandLine.contains(NODE_MAIN)
        && data >= 0
        && data + 1 < commandLine.size()
        && commandLine.get(data + 1).equals(directory);
  }

  static Map<String, String> parse(String text) {
    Map<String, String> entries = new LinkedHashMap<>();
    for (String line : text.lines().toList()) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        entries.put(line.substring(0, equals).strip(), line.substring(equals + 1).strip());
      }
    }
    return entries;
  }

  private String realPath() {
    try {
      return directory.toRealPath().toString();
    } catch (IOException _) {
      return directory.toString();
    }
  }

  private static List<String> commandLine(ProcessHandle process) {
    Path arguments = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    try {
      return List.of(Files.readString(arguments, StandardCharsets.UTF_8).split("\0"));
    } catch (NoSuchFileException _) {
      return process.info().arguments().map(List::of).orElse(List.of());
    } catch (IOException _) {
      return List.of();
    }
  }

  private Optional<String> read(String name) {
    try {
      return Optional.of(Files.readString(directory.resolve(name)));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The directory of {@code start} when no other is named. */
  public static Path defaultPath() {
    String named = System.getenv("MILENA_DATA");
    return named != null && !named.isBlank()
        ? Path.of(named)
        : Path.of(System.getProperty("milena.home", ".")).resolve("data");
  }
}
