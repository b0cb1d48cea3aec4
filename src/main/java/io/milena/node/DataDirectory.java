package io.milena.node;

import io.milena.log.DirectoryInUseException;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import io.milena.replication.actor.LogDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's data directory, locked for as long as the node runs, and its log directories.
 *
 * <pre>
 * DIR/partitions/         meta.properties: whose directory it is; and unless log.dirs says otherwise,
 *                         a directory for each partition replica, and checkpoints
 * DIR/log-dirs            where the logs were when the node last served, a path a line
 * DIR/metadata/           the metadata group's journal and snapshots
 * DIR/logs/milena.log     what a node started with --daemon prints
 * DIR/milena.pid, DIR/milena.ready   while a node runs
 * </pre>
 */
final class DataDirectory implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);

  private static final String LOG_DIRS = "log-dirs";

  private final Path root;
  private final LogDirectory partitions;

  /** Paths of {@code log.dirs}, and those of them that could be taken into use. */
  private final List<Path> logPaths;

  private final List<LogDirectory> logs;

  /** Log directories that were nobody's before this process. */
  private final Set<LogDirectory> marked = new HashSet<>();

  private DataDirectory(
      Path root, LogDirectory partitions, List<Path> logPaths, List<LogDirectory> logs) {
    this.root = root;
    this.partitions = partitions;
    this.logPaths = logPaths;
    this.logs = logs;
  }

  /**
   * Opens the directory, which is created when it is not there, and locks it; and the log
   * directories, if there are others.
   *
   * @param logDirs {@code log.dirs}; empty for the one in the data directory
   * @throws StartupException when another node uses one of them, or it or all of them cannot be
   *     written
   */
  static DataDirectory open(Path root, List<Path> logDirs) {
    LogDirectory partitions = openHome(root);
    List<Path> paths =
        logDirs.isEmpty()
            ? List.of(partitions.path())
            : logDirs.stream().map(path -> path.toAbsolutePath().normalize()).distinct().toList();
    List<LogDirectory> logs = new ArrayList<>();
    try {
      for (Path path : paths) {
        openLogs(root, path, partitions).ifPresent(logs::add);
      }
      if (logs.isEmpty()) {
        throw new StartupException(
            "none of the directories of log.dirs can be used, see above: "
                + paths
                + ". Check that they are writable and have space");
      }
      if (!paths.contains(partitions.path()) && !partitions.partitions().isEmpty()) {
        throw StartupException.wrongConfiguration(
            "log.dirs does not name "
                + partitions.path()
                + ", which has logs in it: name it first, and the others behind it");
      }
      return new DataDirectory(root, partitions, paths, logs);
    } catch (RuntimeException failure) {
      logs.forEach(LogDirectory::close);
      if (!logs.contains(partitions)) {
        partitions.close();
      }
      throw failure;
    }
  }

  private static LogDirectory openHome(Path root) {
    try {
      Files.createDirectories(root.resolve("metadata"));
      return LogDirectory.open(root.resolve("partitions").toAbsolutePath().normalize());
    } catch (LogFailedException failure) {
      if (failure.getCause() instanceof DirectoryInUseException) {
        throw StartupException.inUse(
            "another process uses data directory %s: stop it with 'bin/milena stop --data %s', or give another --data"
                .formatted(root, root),
            failure);
      }
      throw unusable(root, String.valueOf(failure.getMessage()), failure);
    } catch (IOException failure) {
      throw unusable(root, failure.toString(), failure);
    }
  }

  /** A directory that cannot be used costs only its replicas. */
  private static Optional<LogDirectory> openLogs(Path root, Path path, LogDirectory partitions) {
    if (path.equals(partitions.path())) {
      return Optional.of(partitions);
    }
    try {
      return Optional.of(LogDirectory.open(path));
    } catch (LogFailedException failure) {
      if (failure.getCause() instanceof DirectoryInUseException) {
        throw StartupException.inUse(
            "another process uses log directory %s: stop it, or name another in log.dirs of data directory %s"
                .formatted(path, root),
            failure);
      }
      LOG.error(
          "log directory {} cannot be used, its replicas stay offline: {}",
          path,
          failure.getMessage());
      return Optional.empty();
    }
  }

  private static StartupException unusable(Path root, String reason, Exception cause) {
    return new StartupException(
        "cannot use data directory %s: %s. Check that it is writable and has space, or give another --data"
            .formatted(root, reason),
        cause);
  }

  Path root() {
    return root;
  }

  /** Where the partition replicas' directories are. */
  LogDirectory partitions() {
    return partitions;
  }

  /** Where the metadata journal is. */
  Path metadata() {
    return root.resolve("metadata");
  }

  /** Whose directory this is; empty when it is new. */
  Optional<LogDirectory.Meta> owner() {
    return partitions.meta();
  }

  /**
   * Marks the data directory, and every log directory that is nobody's yet, as this node's; again
   * when its id has changed.
   *
   * @param directoryId of the data directory
   */
  void mark(String clusterId, int nodeId, Uuid directoryId) {
    partitions.writeMeta(new LogDirectory.Meta(clusterId, nodeId, directoryId));
    for (LogDirectory directory : logs) {
      if (directory == partitions) {
        continue;
      }
      try {
        Optional<LogDirectory.Meta> meta = directory.meta();
        if (meta.isEmpty() || marked.contains(directory)) {
          Uuid id = meta.map(LogDirectory.Meta::directoryId).orElseGet(Uuid::randomUuid);
          directory.writeMeta(new LogDirectory.Meta(clusterId, nodeId, id));
          marked.add(directory);
        }
      } catch (LogFailedException failure) {
        LOG.warn("log directory {} was not marked: {}", directory.path(), failure.getMessage());
      }
    }
  }

  /**
   * The log directories, which are this node's.
   *
   * @throws StartupException when one of them is another's
   */
  LogDirectories logDirectories(String clusterId, int nodeId) {
    List<LogDirectory> own = new ArrayList<>();
    List<Path> known = knownLogPaths();
    for (LogDirectory directory : logs) {
      try {
        Optional<LogDirectory.Meta> meta = directory.meta();
        if (meta.isEmpty()) {
          directory.writeMeta(new LogDirectory.Meta(clusterId, nodeId, Uuid.randomUuid()));
          if (!known.isEmpty() && !known.contains(directory.path())) {
            // A further disk: nothing can have been lost of it.
            directory.markInUse();
          }
        } else if (!meta.get().clusterId().equals(clusterId) || meta.get().nodeId() != nodeId) {
          throw StartupException.wrongConfiguration(
              "log directory "
                  + directory.path()
                  + " belongs to node "
                  + meta.get().nodeId()
                  + " of cluster "
                  + meta.get().clusterId()
                  + ", not to node "
                  + nodeId
                  + " of "
                  + clusterId
                  + ": name another in log.dirs");
        }
        own.add(directory);
      } catch (LogFailedException failure) {
        LOG.error(
            "log directory {} cannot be used, its replicas stay offline: {}",
            directory.path(),
            failure.getMessage());
      }
    }
    return LogDirectories.of(logPaths, own, hasGivenUpDirectories());
  }

  /**
   * Whether a directory that had logs of the node is neither named any more nor there: its disk was
   * taken out, and what it had is begun anew.
   *
   * @throws StartupException when one that has logs is not named any more
   */
  private boolean hasGivenUpDirectories() {
    List<Path> missing = knownLogPaths();
    missing.removeAll(logPaths);
    List<Path> gone = new ArrayList<>();
    for (Path path : missing) {
      if (LogDirectory.hasLogs(path)) {
        throw StartupException.wrongConfiguration(
            "log.dirs does not name "
                + path
                + ", which has logs of this node: name it again, or move its logs elsewhere with"
                + " kafka-reassign-partitions first; if they are to be given up, rename it");
      }
      if (!Files.isDirectory(path)) {
        gone.add(path);
      }
    }
    if (!gone.isEmpty()) {
      LOG.warn(
          "log.dirs does not name {} any more, and it is not there: replicas that were in it begin"
              + " anew, with what other nodes have",
          gone);
    }
    return !gone.isEmpty();
  }

  private List<Path> knownLogPaths() {
    Path file = root.resolve(LOG_DIRS);
    try {
      return Files.exists(file)
          ? Files.readAllLines(file).stream()
              .filter(line -> !line.isBlank())
              .map(Path::of)
              .collect(Collectors.toCollection(ArrayList::new))
          : new ArrayList<>();
    } catch (IOException | InvalidPathException failure) {
      throw unusable(root, "cannot read " + file + ": " + failure, failure);
    }
  }

  /** The node serves with its log directories: the next start expects them to be named again. */
  void rememberLogDirectories() {
    if (knownLogPaths().equals(logPaths)) {
      return;
    }
    Path file = root.resolve(LOG_DIRS);
    Path temporary = root.resolve(LOG_DIRS + ".new");
    try {
      Files.write(temporary, logPaths.stream().map(Path::toString).toList());
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failure) {
      LOG.warn("{} cannot be written, the next start tries it again: {}", file, failure.toString());
    }
  }

  @Override
  public void close() {
    logs.forEach(LogDirectory::close);
    if (!logs.contains(partitions)) {
      partitions.close();
    }
  }
}
