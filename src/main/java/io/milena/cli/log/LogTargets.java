package io.milena.cli.log;

import io.milena.cli.CliException;
import io.milena.cli.DataDirectory;
import io.milena.cli.ExitCode;
import io.milena.log.LogCheck;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which logs a command is about, and the lock that keeps a node from using them meanwhile. */
final class LogTargets {

  private static final String PARTITIONS = "partitions";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The node's data directory. Default: MILENA_DATA, else 'data' here.")
  private @Nullable Path data;

  @Parameters(
      paramLabel = "DIR|PARTITION",
      description =
          "Partitions of the data directory, as in orders-0, or directories: of one log, of many,"
              + " or a node's. Default: all of the data directory.")
  private List<String> named = new ArrayList<>();

  /** The directories of the logs. */
  List<Path> logs() {
    Path root = data == null ? DataDirectory.defaultPath() : data;
    if (named.isEmpty()) {
      return logsOf(root);
    }
    Set<Path> logs = new LinkedHashSet<>();
    for (String name : named) {
      Path inData = root.resolve(PARTITIONS).resolve(name);
      if (Files.isDirectory(inData)) {
        logs.add(inData);
      } else if (Files.isDirectory(Path.of(name))) {
        Path directory = Path.of(name).toAbsolutePath().normalize();
        logs.addAll(LogCheck.isLog(directory) ? List.of(directory) : logsOf(directory));
      } else {
        throw new CliException(
            ExitCode.NOT_FOUND,
            "'%s' is no directory, and no partition in %s: name the node's data directory with --data"
                .formatted(name, root.resolve(PARTITIONS)));
      }
    }
    return List.copyOf(logs);
  }

  private static List<Path> logsOf(Path directory) {
    Path inNode = directory.resolve(PARTITIONS);
    Path holder = Files.isDirectory(inNode) ? inNode : directory;
    if (!Files.isDirectory(holder)) {
      throw new CliException(ExitCode.NOT_FOUND, "no such directory: " + holder);
    }
    return LogCheck.logsIn(holder);
  }

  /**
   * Does something while no node can use the logs.
   *
   * @throws CliException when a node does
   */
  static <T> T locked(List<Path> logs, Supplier<T> task) {
    List<LogDirectory> locked = new ArrayList<>();
    try {
      for (Path holder : logs.stream().map(Path::getParent).distinct().toList()) {
        if (holder != null && LogDirectory.isOne(holder)) {
          locked.add(lock(holder));
        }
      }
      return task.get();
    } catch (LogFailedException failure) {
      throw new CliException(ExitCode.FAILURE, String.valueOf(failure.getMessage()), failure);
    } finally {
      locked.forEach(LogDirectory::close);
    }
  }

  private static LogDirectory lock(Path holder) {
    try {
      return LogDirectory.open(holder);
    } catch (LogFailedException failure) {
      throw new CliException(
          ExitCode.CONFLICT,
          "a node seems to use %s: stop it first, with 'bin/milena stop --data %s' (%s)"
              .formatted(holder, holder.getParent(), failure.getMessage()),
          failure);
    }
  }
}
