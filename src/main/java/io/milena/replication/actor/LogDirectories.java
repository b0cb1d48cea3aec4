package io.milena.replication.actor;

import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directories in which a node keeps its logs, {@code log.dirs}: which of them can be used,
 * which holds the log of a partition, and where a new one goes. One that fails is not used again
 * before the node is restarted (KIP-112); its replicas go offline, the others go on. Any thread.
 */
public final class LogDirectories {

  private static final Logger LOG = LoggerFactory.getLogger(LogDirectories.class);

  /** Partitions without a replica here for which somebody has named a directory beforehand. */
  private static final int PREFERRED_MAX = 100_000;

  private final List<Path> paths;
  private final Map<LogDirectory, StartCheckpoints> usable = new ConcurrentHashMap<>();
  private final List<LogDirectory> ordered;
  private final Map<TopicPartition, LogDirectory> preferred = new ConcurrentHashMap<>();
  private final boolean anyDeadAtStart;
  private final boolean anyGivenUp;
  private final CompletableFuture<Void> allFailed = new CompletableFuture<>();
  private volatile boolean starting = true;
  private volatile Consumer<LogDirectory> onFailure = _ -> {};

  private LogDirectories(List<Path> paths, List<LogDirectory> opened, boolean anyGivenUp) {
    this.anyGivenUp = anyGivenUp;
    this.paths = List.copyOf(paths);
    List<LogDirectory> alive = new ArrayList<>();
    for (LogDirectory directory : opened) {
      try {
        directory.probe();
        usable.put(directory, StartCheckpoints.read(directory));
        alive.add(directory);
      } catch (LogFailedException failure) {
        report(directory.path(), failure);
      }
    }
    this.ordered = List.copyOf(alive);
    this.anyDeadAtStart = alive.size() < paths.size();
  }

  /**
   * @param paths all there should be, in the order of the configuration
   * @param opened those that could be taken into use
   * @param anyGivenUp whether one is gone that had logs before, and is not expected to come back
   */
  public static LogDirectories of(List<Path> paths, List<LogDirectory> opened, boolean anyGivenUp) {
    return new LogDirectories(paths, opened, anyGivenUp);
  }

  /** Only one, which can be used. */
  public static LogDirectories of(LogDirectory only) {
    return new LogDirectories(List.of(only.path()), List.of(only), false);
  }

  private static void report(Path path, Exception failure) {
    LOG.error(
        "log directory {} cannot be used, its replicas are offline until the disk is repaired and"
            + " the node restarted; other directories go on: {}",
        path,
        failure.getMessage());
  }

  /** All there should be. */
  public List<Path> paths() {
    return paths;
  }

  /** Those that can be used, in the order of the configuration. */
  public List<LogDirectory> usable() {
    return ordered.stream().filter(usable::containsKey).toList();
  }

  /** Completes once no directory can be used any more: the node is of no use then. */
  public CompletionStage<Void> allFailed() {
    return allFailed.minimalCompletionStage();
  }

  boolean isUsable(LogDirectory directory) {
    return usable.containsKey(directory);
  }

  /** The one at a path, if it can be used. */
  @Nullable LogDirectory at(String path) {
    return usable().stream()
        .filter(directory -> directory.path().toString().equals(path))
        .findFirst()
        .orElse(null);
  }

  StartCheckpoints checkpoints(LogDirectory directory) {
    return usable.getOrDefault(directory, StartCheckpoints.NONE);
  }

  /** The directory whose checkpoints know a partition, before anybody has looked for its log. */
  @Nullable LogDirectory noted(TopicPartition partition) {
    return usable().stream()
        .filter(directory -> checkpoints(directory).knows(partition))
        .findFirst()
        .orElse(null);
  }

  /** Has somebody told of each directory that fails; on the thread that found out. */
  void onFailure(Consumer<LogDirectory> listener) {
    onFailure = listener;
  }

  /** Whether every directory was closed cleanly when it was last used. */
  boolean cleanShutdown() {
    return usable.values().stream().allMatch(StartCheckpoints::cleanShutdown);
  }

  /**
   * Whether a log may lack what was written but not on disk; true also for a directory that nobody
   * has used before: it may stand where another one was lost.
   */
  public boolean mayHaveLostRecords() {
    return anyGivenUp || usable().stream().anyMatch(LogDirectory::mayHaveLostRecords);
  }

  /**
   * The node serves from now on.
   *
   * @throws LogFailedException when no directory can be used
   */
  void begin() {
    starting = false;
    for (LogDirectory directory : usable()) {
      try {
        directory.markInUse();
        checkpoints(directory).forget();
      } catch (LogFailedException failure) {
        fail(directory, failure);
        if (usable.isEmpty()) {
          throw failure;
        }
      }
    }
  }

  /**
   * The directory that has the log of a partition; null when none that can be used has. Of two that
   * have one, the log that is ahead counts and the other is set aside.
   */
  @Nullable LogDirectory find(TopicPartition partition, Uuid topicId) {
    LogDirectory found = null;
    for (LogDirectory directory : usable()) {
      if (!directory.has(partition)) {
        continue;
      }
      if (found == null) {
        found = directory;
      } else {
        found = better(partition, topicId, found, directory);
      }
    }
    return found;
  }

  private static LogDirectory better(
      TopicPartition partition, Uuid topicId, LogDirectory one, LogDirectory other) {
    boolean oneIs = one.topicId(partition).equals(Optional.of(topicId));
    boolean otherIs = other.topicId(partition).equals(Optional.of(topicId));
    boolean takesOne =
        oneIs == otherIs
            ? one.freshness(partition).compareTo(other.freshness(partition)) >= 0
            : oneIs;
    LogDirectory kept = takesOne ? one : other;
    LogDirectory dropped = takesOne ? other : one;
    Path aside = dropped.setAsideStray(partition);
    LOG.warn(
        "two directories have a log of {}: the one in {} is ahead and is used, the other is now {};"
            + " delete it once you do not need it",
        partition,
        kept.path(),
        aside);
    return kept;
  }

  /**
   * Decides where the log of a replica goes that is in none of the directories, and tells the
   * replica: to the one named for it, else to that with the fewest, as in Kafka. Null when it may
   * be in one that cannot be used: while the node starts, what it has been assigned before.
   *
   * @param replicas of the node
   */
  synchronized @Nullable LogDirectory place(
      ReplicaHandle replica, Collection<ReplicaHandle> replicas) {
    if (starting && anyDeadAtStart) {
      return null;
    }
    LogDirectory chosen = preferred.remove(replica.partition());
    if (chosen == null || !isUsable(chosen)) {
      chosen = withFewest(replicas);
    }
    if (chosen != null) {
      replica.directory(chosen);
    }
    return chosen;
  }

  private @Nullable LogDirectory withFewest(Collection<ReplicaHandle> replicas) {
    List<LogDirectory> candidates = usable();
    if (candidates.size() == 1) {
      return candidates.getFirst();
    }
    Map<LogDirectory, Long> counts = new LinkedHashMap<>();
    candidates.forEach(directory -> counts.put(directory, 0L));
    for (ReplicaHandle replica : replicas) {
      LogDirectory directory = replica.directory();
      if (directory != null) {
        counts.computeIfPresent(directory, (_, count) -> count + 1);
      }
    }
    return counts.entrySet().stream()
        .min(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(null);
  }

  /** The log of a partition that is not on this node yet shall go to a directory. */
  void prefer(TopicPartition partition, LogDirectory directory) {
    if (preferred.size() < PREFERRED_MAX) {
      preferred.put(partition, directory);
    }
  }

  /**
   * Something in a directory has failed: makes sure that the directory can be used.
   *
   * @return whether it can be used
   */
  boolean check(LogDirectory directory) {
    if (!isUsable(directory)) {
      return false;
    }
    try {
      directory.probe();
      return true;
    } catch (LogFailedException failure) {
      fail(directory, failure);
      return false;
    }
  }

  private void fail(LogDirectory directory, LogFailedException failure) {
    if (usable.remove(directory) != null) {
      report(directory.path(), failure);
      onFailure.accept(directory);
      if (usable.isEmpty()) {
        allFailed.complete(null);
      }
    }
  }

  /** An offset of each partition that has its log in a directory, or is about to. */
  static Map<TopicPartition, Long> offsetsIn(
      LogDirectory directory,
      Collection<ReplicaHandle> replicas,
      ToLongFunction<ReplicaHandle.Offsets> which) {
    Map<TopicPartition, Long> offsets = new LinkedHashMap<>();
    for (ReplicaHandle handle : replicas) {
      if (directory.equals(handle.directory()) || directory.equals(handle.movingTo())) {
        offsets.put(handle.partition(), which.applyAsLong(handle.offsets()));
      }
    }
    return offsets;
  }
}
