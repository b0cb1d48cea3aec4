package io.milena.node;

import io.milena.log.DirectoryInUseException;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A node's data directory, locked for as long as the node runs.
 *
 * <pre>
 * DIR/partitions/         a directory for each partition replica, checkpoints, and meta.properties: whose directory it is
 * DIR/metadata/           the metadata group's journal and snapshots
 * DIR/logs/milena.log     what a node started with --daemon prints
 * DIR/milena.pid, DIR/milena.ready   while a node runs
 * </pre>
 */
final class DataDirectory implements AutoCloseable {

  private final Path root;
  private final LogDirectory partitions;

  private DataDirectory(Path root, LogDirectory partitions) {
    this.root = root;
    this.partitions = partitions;
  }

  /**
   * Opens the directory, which is created when it is not there, and locks it.
   *
   * @throws StartupException when another node uses it, or it cannot be written
   */
  static DataDirectory open(Path root) {
    try {
      Files.createDirectories(root.resolve("metadata"));
      return new DataDirectory(root, LogDirectory.open(root.resolve("partitions")));
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

  @Override
  public void close() {
    partitions.close();
  }
}
