package io.milena.replication.actor;

import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Directories of partitions that the metadata no longer knows: topics that were deleted, or deleted
 * and made anew, while the node was down. Nothing is removed before the image is known to be
 * current, as a starting node passes through images of the past. Any thread.
 */
final class StrayLogs {

  private static final Logger LOG = LoggerFactory.getLogger(StrayLogs.class);

  private final LogDirectories directories;
  private final Map<TopicPartition, ReplicaHandle> replicas;
  private final Executor openers;
  private final List<Runnable> waiting = new ArrayList<>();
  private boolean imageIsCurrent;

  /**
   * @param replicas those that the newest image assigns to this node
   */
  StrayLogs(
      LogDirectories directories, Map<TopicPartition, ReplicaHandle> replicas, Executor openers) {
    this.directories = directories;
    this.replicas = replicas;
    this.openers = openers;
  }

  /**
   * Removes the directory of a partition that belongs to another topic of its name; when it is too
   * early to tell, remembers what to do once it is not.
   *
   * @return whether it was removed
   */
  boolean removeNow(LogDirectory directory, TopicPartition partition, Runnable later) {
    synchronized (this) {
      if (!imageIsCurrent) {
        waiting.add(later);
        return false;
      }
    }
    setAside(directory, partition);
    return true;
  }

  /** The image is current: removes what it does not know, and opens what waited for that. */
  void remove() {
    for (LogDirectory directory : directories.usable()) {
      try {
        removeUnknown(directory);
      } catch (LogFailedException failure) {
        LOG.warn("logs of deleted topics may be left behind: {}", failure.getMessage());
      }
    }
    synchronized (this) {
      imageIsCurrent = true;
      waiting.forEach(openers::execute);
      waiting.clear();
    }
  }

  private void removeUnknown(LogDirectory directory) {
    Map<TopicPartition, Optional<Uuid>> present = directory.partitions();
    if (replicas.isEmpty() && !present.isEmpty()) {
      LOG.warn(
          "{} has {} logs, and the metadata knows no topic at all: they are left alone. If the"
              + " metadata was lost, restore it; else remove them by hand.",
          directory.path(),
          present.size());
      return;
    }
    present.forEach((partition, topicId) -> {
      if (replicas.containsKey(partition)) {
        return;
      }
      if (topicId.isPresent()) {
        setAside(directory, partition);
      } else {
        // As Kafka: out of the way, so that a topic of the name does not get it, and left there.
        LOG.warn(
            "{} is no log of a topic that this node knows, and names no topic id: it is now {};"
                + " delete it once you do not need it",
            directory.logPath(partition),
            directory.setAsideStray(partition));
      }
    });
  }

  private static void setAside(LogDirectory directory, TopicPartition partition) {
    directory.setAside(partition);
    LOG.info(
        "removed the log of {}: while the node was down its topic was deleted, or moved elsewhere",
        partition);
  }

  /** Deletes the files of everything set aside, now and before a crash; takes its time. */
  void deleteFiles() {
    for (LogDirectory directory : directories.usable()) {
      try {
        directory.deleteLeftovers();
      } catch (LogFailedException failure) {
        LOG.warn("files of deleted topics are left behind: {}", failure.getMessage());
      }
    }
  }

  /** Deletes the log of a replica that has no actor, if it still has one. */
  void delete(ReplicaHandle handle, CompletableFuture<Void> done) {
    try {
      for (LogDirectory directory : directories.usable()) {
        if (directory.topicId(handle.partition()).equals(Optional.of(handle.topicId()))) {
          directory.setAside(handle.partition());
          directory.deleteLeftovers();
        }
      }
      done.complete(null);
    } catch (LogFailedException failure) {
      done.completeExceptionally(failure);
    }
  }
}
