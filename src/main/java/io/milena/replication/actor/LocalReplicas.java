package io.milena.replication.actor;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import io.milena.common.Clock;
import io.milena.log.LogDirectory;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService.MetadataListener;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicas of this node, kept as the metadata image says: one is there as soon as an image
 * assigns a partition to this node, its log is opened by a few opener threads, and its actor takes
 * over from there. Images arrive one at a time; look-ups come from any thread.
 */
public final class LocalReplicas implements ReplicaDirectory, MetadataListener {

  private static final Logger LOG = LoggerFactory.getLogger(LocalReplicas.class);

  /** How long after a log found no space to be opened it is tried again. */
  private static final long OPEN_RETRY_MS = 1_000;

  /**
   * How often the common chores are done.
   *
   * @param maintain {@code log.retention.check.interval.ms}
   * @param highWatermarkCheckpoint {@code replica.high.watermark.checkpoint.interval.ms}
   * @param recoveryPointCheckpoint {@code log.flush.offset.checkpoint.interval.ms}
   */
  public record Intervals(
      Duration maintain, Duration highWatermarkCheckpoint, Duration recoveryPointCheckpoint) {}

  /** The effective configuration of a topic's replicas. */
  @FunctionalInterface
  public interface Configs {
    /** What the image and the node's own settings come to. */
    ReplicaConfig of(MetadataImage image, String topic);
  }

  /** Spawns the parent of the replica actors, and the keeper of the in-sync replicas. */
  public interface Spawner {
    /** Spawns it under this name. */
    <T> ActorRef<T> spawn(Behavior<T> behavior, String name);
  }

  private final int nodeId;
  private final Uuid incarnation;
  private final LogDirectories directories;
  private final Configs configs;
  private final Intervals intervals;
  private final Clock clock;
  private final Executor io;
  private final Executor flusher;
  private final ExecutorService openers;
  private final ReplicaCheckpoints written;
  private final StrayLogs strays;
  private final LogCleaner cleaner;
  private final LogMoves moves;

  /** How many logs are in no log directory that can be used. */
  private final AtomicInteger nowhere = new AtomicInteger();

  private final RecoverySummary recovery = new RecoverySummary();
  private final Map<TopicPartition, ReplicaHandle> byPartition = new ConcurrentHashMap<>();
  private final Map<Uuid, List<ReplicaHandle>> byTopic = new HashMap<>();
  private final Map<Integer, List<ReplicaHandle>> bySet = new HashMap<>();
  private final Map<TopicPartition, CompletableFuture<Void>> deleting = new ConcurrentHashMap<>();
  private @Nullable ActorRef<ReplicaSupervisor.Command> supervisor;
  private @Nullable ActorRef<InSyncActor.Command> inSync;
  private volatile @Nullable OfflineReports offline;

  /**
   * @param incarnation this life of the node: what an image grants to another one is not for it
   * @param directories where the partitions' directories are; checkpoints are kept there too
   * @param moveBytesPerSecond {@code replica.alter.log.dirs.io.max.bytes.per.second}
   * @param openers opens (and recovers) logs, as many at a time as it has threads
   * @param io runs flushes that nobody waits for, checkpoints and the removal of files
   * @param flusher runs the flushes of fsync mode, see {@link FlushRounds}
   */
  public LocalReplicas(
      int nodeId,
      Uuid incarnation,
      LogDirectories directories,
      Configs configs,
      Intervals intervals,
      CleanerSettings cleaning,
      long moveBytesPerSecond,
      Clock clock,
      ExecutorService openers,
      Executor io,
      Executor flusher) {
    this.nodeId = nodeId;
    this.incarnation = incarnation;
    this.directories = directories;
    this.configs = configs;
    this.intervals = intervals;
    this.clock = clock;
    this.openers = openers;
    this.io = io;
    this.flusher = flusher;
    this.written = new ReplicaCheckpoints(directories, byPartition::values, io);
    this.strays = new StrayLogs(directories, byPartition, openers);
    this.cleaner = new LogCleaner(byPartition::values, directories, cleaning, clock);
    this.moves = new LogMoves(written, clock, io, moveBytesPerSecond);
    directories.onFailure(this::takeOffline);
  }

  /**
   * Starts the parent of the replica actors. Call it once, before the first image arrives.
   *
   * @param spawner spawns their parent
   */
  public void start(Spawner spawner, InSyncProposals proposals) {
    ActorRef<InSyncActor.Command> keeper =
        spawner.spawn(InSyncActor.create(nodeId, this, proposals, clock), "in-sync");
    inSync = keeper;
    offline = new OfflineReports(nodeId, proposals, io);
    supervisor =
        spawner.spawn(
            ReplicaSupervisor.create(
                this,
                new ReplicaActor.Environment(
                    nodeId,
                    clock,
                    io,
                    flusher,
                    written::writeLogStartOffsetsSoon,
                    new DiskSpace(
                        () ->
                            proposals
                                .metadata()
                                .submit(
                                    new MetadataCommand.LeaveInSync(
                                        nodeId, proposals.nodeEpoch().getAsLong())),
                        clock),
                    this::onOffline,
                    handle -> new InSyncActor.Reporter(handle, keeper))),
            "replicas");
  }

  /** Compacts by other settings from now on. */
  public void reconfigureCleaner(CleanerSettings settings) {
    cleaner.reconfigure(settings);
  }

  /** Copies logs between directories no faster from now on. */
  public void moveBytesPerSecond(long newest) {
    moves.bytesPerSecond(newest);
  }

  Intervals intervals() {
    return intervals;
  }

  /** The replica of a partition on this node, or null. Any thread. */
  @Nullable ReplicaHandle handle(TopicPartition partition) {
    return byPartition.get(partition);
  }

  /** Every replica on this node. Any thread. */
  Collection<ReplicaHandle> handles() {
    return byPartition.values();
  }

  @Override
  public @Nullable Replica find(TopicPartition partition) {
    return byPartition.get(partition);
  }

  @Override
  public Collection<? extends Replica> all() {
    return byPartition.values();
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    ActorRef<InSyncActor.Command> keeper = inSync;
    if (keeper != null) {
      keeper.tell(new InSyncActor.Image(delta, image));
    }
    // First: with fewer in sync and the old minimum a leader could commit what it must not.
    reconfigure(delta, image);
    for (Uuid topicId : delta.topics()) {
      TopicImage topic = image.topic(topicId);
      if (topic == null) {
        removeTopic(topicId);
      } else {
        followMoves(topic, image);
        addPartitions(topic, image);
      }
    }
    for (int setId : delta.replicaSets()) {
      ReplicaSetImage set = image.replicaSets().get(setId);
      List<ReplicaHandle> handles = bySet.getOrDefault(setId, List.of());
      if (set != null && set.replicas().contains(nodeId)) {
        handles.forEach(handle -> assign(handle, set, image));
      } else if (set != null) {
        leave(List.copyOf(handles), image);
      }
    }
  }

  /** Partitions of a reassignment are in another set now, which may leave this node out. */
  private void followMoves(TopicImage topic, MetadataImage image) {
    List<ReplicaHandle> gone = new ArrayList<>();
    for (ReplicaHandle handle : byTopic.getOrDefault(topic.id(), List.of())) {
      PartitionImage partition = topic.partitions().get(handle.partition().partition());
      if (partition.replicaSetId() == handle.replicaSetId()) {
        continue;
      }
      ReplicaSetImage set = image.replicaSetOf(partition);
      if (set.replicas().contains(nodeId)) {
        forgetSetOf(handle);
        handle.replicaSetId(set.id());
        bySet.computeIfAbsent(set.id(), _ -> new ArrayList<>()).add(handle);
        assign(handle, set, image);
      } else {
        gone.add(handle);
      }
    }
    leave(gone, image);
  }

  private void forgetSetOf(ReplicaHandle handle) {
    bySet.computeIfPresent(
        handle.replicaSetId(),
        (_, handles) -> {
          handles.remove(handle);
          return handles.isEmpty() ? null : handles;
        });
  }

  /** This node is no replica of these any more: their logs go. */
  private void leave(List<ReplicaHandle> handles, MetadataImage image) {
    for (ReplicaHandle handle : handles) {
      TopicImage topic = image.topic(handle.topicId());
      if (topic != null) {
        // Who waits for an acknowledgement must look for the new leader, not give the topic up.
        PartitionImage partition = topic.partitions().get(handle.partition().partition());
        handle.tell(new ReplicaCommand.StepDown(image.replicaSetOf(partition).leaderEpoch()));
      }
      LOG.info("{} is no longer on this node: its log is removed", handle.partition());
      byTopic.computeIfPresent(
          handle.topicId(),
          (_, ofTopic) -> {
            ofTopic.remove(handle);
            return ofTopic.isEmpty() ? null : ofTopic;
          });
    }
    remove(handles);
  }

  private void addPartitions(TopicImage topic, MetadataImage image) {
    ReplicaConfig config = null;
    for (PartitionImage partition : topic.partitions()) {
      TopicPartition key = new TopicPartition(topic.name(), partition.partition());
      ReplicaHandle present = byPartition.get(key);
      if (present != null && present.topicId().equals(topic.id())) {
        continue;
      }
      ReplicaSetImage set = image.replicaSetOf(partition);
      if (!set.replicas().contains(nodeId)) {
        continue;
      }
      if (config == null) {
        config = configs.of(image, topic.name());
      }
      LogDirectory noted = directories.noted(key);
      ReplicaHandle handle =
          new ReplicaHandle(
              key,
              topic.id(),
              partition.replicaSetId(),
              noted == null
                  ? StartCheckpoints.NONE.offsets(key)
                  : directories.checkpoints(noted).offsets(key));
      if (noted != null) {
        handle.directory(noted);
      }
      byPartition.put(key, handle);
      byTopic.computeIfAbsent(topic.id(), _ -> new ArrayList<>()).add(handle);
      bySet.computeIfAbsent(partition.replicaSetId(), _ -> new ArrayList<>()).add(handle);
      handle.config(config);
      assign(handle, set, image);
      open(handle, config);
    }
  }

  private void assign(ReplicaHandle handle, ReplicaSetImage set, MetadataImage image) {
    ReplicaCommand role;
    if (set.leader() == nodeId && isOfThisLife(image)) {
      role = new ReplicaCommand.Lead(set.leaderEpoch(), set.replicas(), set.isr());
    } else if (set.leader() == ReplicaSetImage.NO_LEADER
        || set.leader() == nodeId
        || !set.replicas().contains(nodeId)) {
      role = new ReplicaCommand.StepDown(set.leaderEpoch());
    } else {
      role = new ReplicaCommand.Follow(set.leaderEpoch(), set.leader());
    }
    handle.assign(role);
  }

  /**
   * Until this life is registered an image speaks of an earlier one: others may lead by now, and
   * what would be committed alone is not.
   */
  private boolean isOfThisLife(MetadataImage image) {
    NodeImage self = image.nodes().get(nodeId);
    return self != null && self.incarnation().equals(incarnation);
  }

  private void open(ReplicaHandle handle, ReplicaConfig config) {
    CompletableFuture<Void> removed = deleting.get(handle.partition());
    if (removed == null) {
      openers.execute(() -> openNow(handle, config));
    } else {
      // A topic of the same name is being deleted: its directory must be gone first.
      var _ = removed.whenCompleteAsync((_, _) -> openNow(handle, config), openers);
    }
  }

  private void openNow(ReplicaHandle handle, ReplicaConfig config) {
    try {
      TopicPartition partition = handle.partition();
      LogDirectory directory = directories.find(partition, handle.topicId());
      Optional<Uuid> found = directory == null ? Optional.empty() : directory.topicId(partition);
      boolean ofAnother = found.isPresent() && !found.get().equals(handle.topicId());
      if (byPartition.get(partition) != handle) {
        // Deleted while it waited: an image of the past, or a topic of a short life.
        if (directory != null && found.isPresent() && !ofAnother) {
          directory.setAside(partition);
        }
        handle.fail();
        return;
      }
      // Checkpoints go by name: those of a deleted namesake say nothing of this log.
      boolean ownDirectory = found.isPresent() && !ofAnother;
      if (directory != null
          && ofAnother
          && !strays.removeNow(directory, partition, () -> openNow(handle, config))) {
        return;
      }
      if (directory == null) {
        directory = directories.place(handle, byPartition.values());
      }
      if (directory == null) {
        LOG.debug("{} stays offline: its log is in no log directory that can be used", partition);
        nowhere.incrementAndGet();
        handle.fail();
        onOffline(handle, Optional.empty());
        return;
      }
      handle.directory(directory);
      StartCheckpoints checkpoints = directories.checkpoints(directory);
      PartitionLog.Opened opened =
          PartitionLog.open(
              directory.logPath(partition),
              partition,
              Optional.of(handle.topicId()),
              config.log(),
              clock,
              ownDirectory ? checkpoints.openState(partition) : PartitionLog.OpenState.UNKNOWN);
      recovery.add(opened.report());
      if (opened.report().cutBytes() > 0 || !opened.report().faults().isEmpty()) {
        LOG.warn("{}", opened.report().summary());
      }
      long onDisk = checkpoints.offsets(partition).recoveryPoint();
      if (!ofAnother && opened.log().logEndOffset() < onDisk) {
        LOG.error(
            "{} ends at offset {}, and everything up to {} was on disk: its files were removed, or"
                + " the disk lost them. Stop the node and put a copy back, if you have one",
            partition,
            opened.log().logEndOffset(),
            onDisk);
      }
      supervisor()
          .tell(
              new ReplicaSupervisor.Start(
                  handle,
                  opened.log(),
                  config,
                  ownDirectory ? checkpoints.highWatermark(partition) : 0));
    } catch (Exception failure) {
      if (failure instanceof LogFailedException log
          && log.kind() == LogFailedException.Kind.DISK_FULL) {
        openLater(handle, config, log);
        return;
      }
      LOG.error(
          "{} cannot be opened and stays offline, the rest of the node goes on: {}",
          handle.partition(),
          failure.getMessage(),
          failure instanceof LogFailedException ? null : failure);
      handle.fail();
      onOffline(
          handle,
          failure instanceof LogFailedException ofLog ? Optional.of(ofLog) : Optional.empty());
    }
  }

  /** A log failed: others must lead its partition; and perhaps all of its directory has failed. */
  private void onOffline(ReplicaHandle handle, Optional<LogFailedException> failure) {
    OfflineReports reports = offline;
    if (reports != null) {
      reports.add(handle);
    }
    LogDirectory directory = handle.directory();
    if (directory != null && failure.isPresent()) {
      io.execute(() -> directories.check(directory));
    }
  }

  /** A directory has failed: none of its replicas serves any more, whatever is still cached. */
  private void takeOffline(LogDirectory directory) {
    for (ReplicaHandle handle : byPartition.values()) {
      if (directory.equals(handle.directory()) && handle.view().role() != ReplicaRole.OFFLINE) {
        handle.tell(
            new ReplicaCommand.ChangeLog(
                log -> {
                  throw LogFailedException.ofDirectory(log.directory(), directory.path());
                },
                new CompletableFuture<>()));
      }
    }
  }

  /** Path of the log directory that holds the log of a partition, or null. Any thread. */
  public @Nullable String directoryOf(TopicPartition partition) {
    ReplicaHandle handle = byPartition.get(partition);
    LogDirectory directory = handle == null ? null : handle.directory();
    return directory == null ? null : directory.path().toString();
  }

  /**
   * A log that is being moved.
   *
   * @param directory path of the log directory it goes to
   * @param copiedBytes so far
   * @param offsetLag offsets that the copy is behind the log
   */
  public record Arriving(
      TopicPartition partition, String directory, long copiedBytes, long offsetLag) {}

  /** The logs that are being moved. Any thread. */
  public List<Arriving> arriving() {
    return moves.moving().stream()
        .map(move ->
            new Arriving(
                move.partition(),
                move.target().path().toString(),
                move.copiedBytes(),
                move.offsetLag()))
        .toList();
  }

  /**
   * Has the log of a partition moved to another directory of the node (KIP-113); without a replica
   * here, a later one goes there. To where it is already: a move elsewhere is given up.
   *
   * @param path of the directory, as {@link LogDirectories#paths} says it
   * @return NONE when that was begun
   */
  public Errors move(TopicPartition partition, String path) {
    if (directories.paths().stream().noneMatch(known -> known.toString().equals(path))) {
      return Errors.LOG_DIR_NOT_FOUND;
    }
    LogDirectory target = directories.at(path);
    if (target == null) {
      return Errors.KAFKA_STORAGE_ERROR;
    }
    ReplicaHandle handle = byPartition.get(partition);
    if (handle == null) {
      directories.prefer(partition, target);
      return Errors.REPLICA_NOT_AVAILABLE;
    }
    if (handle.view().role() == ReplicaRole.OFFLINE) {
      return Errors.KAFKA_STORAGE_ERROR;
    }
    moves.move(handle, target);
    return Errors.NONE;
  }

  /** Moves that the last stop of the node has cut short begin anew. */
  private void resumeMoves() {
    for (LogDirectory directory : directories.usable()) {
      try {
        for (TopicPartition partition : directory.removeFutures()) {
          ReplicaHandle handle = byPartition.get(partition);
          if (handle != null) {
            moves.move(handle, directory);
          }
        }
      } catch (LogFailedException failure) {
        LOG.warn("a move of a log does not go on: {}", failure.getMessage());
        directories.check(directory);
      }
    }
  }

  /** There is no space for a log: it is offline until there is. */
  private void openLater(ReplicaHandle handle, ReplicaConfig config, LogFailedException failure) {
    if (handle.view().role() != ReplicaRole.OFFLINE) {
      LOG.error(
          "{} cannot be opened yet and stays offline until it can: {}",
          handle.partition(),
          failure.getMessage());
      handle.failForNow();
    }
    ReplicaConfig newest = handle.config();
    CompletableFuture.delayedExecutor(OPEN_RETRY_MS, TimeUnit.MILLISECONDS, openers)
        .execute(() -> openNow(handle, newest == null ? config : newest));
  }

  private ActorRef<ReplicaSupervisor.Command> supervisor() {
    ActorRef<ReplicaSupervisor.Command> ref = supervisor;
    if (ref == null) {
      throw new IllegalStateException("start() was not called before the first image");
    }
    return ref;
  }

  private void removeTopic(Uuid topicId) {
    List<ReplicaHandle> handles = byTopic.remove(topicId);
    if (handles != null) {
      remove(handles);
    }
  }

  private void remove(List<ReplicaHandle> handles) {
    if (handles.isEmpty()) {
      return;
    }
    List<CompletableFuture<Void>> removals = new ArrayList<>();
    CompletableFuture<Void> forgotten = new CompletableFuture<>();
    for (ReplicaHandle handle : handles) {
      byPartition.remove(handle.partition(), handle);
      moves.cancel(handle.partition());
      forgetSetOf(handle);
      CompletableFuture<Void> done = new CompletableFuture<>();
      deleting.put(handle.partition(), forgotten);
      removals.add(
          done.exceptionally(failure -> {
            LOG.warn(
                "the directory of deleted partition {} could not be removed: {}",
                handle.partition(),
                failure.getMessage());
            return null;
          }));
      if (!handle.tell(new ReplicaCommand.Delete(done))) {
        // It could not be opened: nobody has its files.
        openers.execute(() -> strays.delete(handle, done));
      }
    }
    var _ =
        CompletableFuture.allOf(removals.toArray(CompletableFuture[]::new))
            .thenRunAsync(() -> forget(handles, forgotten), io);
  }

  /**
   * Takes deleted partitions out of the checkpoint files, which go by name; only then may a topic
   * of the same name open its logs: after a crash it would be given the offsets of the old one.
   */
  private void forget(List<ReplicaHandle> handles, CompletableFuture<Void> forgotten) {
    if (!written.writeRecoveryPoints() || !written.writeHighWatermarks()) {
      CompletableFuture.delayedExecutor(OPEN_RETRY_MS, TimeUnit.MILLISECONDS, io)
          .execute(() -> forget(handles, forgotten));
      return;
    }
    for (ReplicaHandle handle : handles) {
      deleting.remove(handle.partition(), forgotten);
    }
    forgotten.complete(null);
  }

  private void reconfigure(MetadataDelta delta, MetadataImage image) {
    boolean everyTopic = false;
    for (ConfigResource resource : delta.configs()) {
      switch (resource.type()) {
        case TOPIC -> {
          TopicImage topic = image.topic(resource.name());
          if (topic != null) {
            reconfigure(image, topic);
          }
        }
        case BROKER ->
            everyTopic |=
                resource.name().isEmpty() || resource.name().equals(Integer.toString(nodeId));
        default -> {}
      }
    }
    if (everyTopic) {
      image.topicsByName().values().forEach(topic -> reconfigure(image, topic));
    }
  }

  private void reconfigure(MetadataImage image, TopicImage topic) {
    List<ReplicaHandle> handles = byTopic.getOrDefault(topic.id(), List.of());
    if (!handles.isEmpty()) {
      ReplicaConfig config = configs.of(image, topic.name());
      for (ReplicaHandle handle : handles) {
        handle.config(config);
        handle.tell(new ReplicaCommand.Reconfigure(config));
      }
    }
  }

  /**
   * Removes the logs of topics that were deleted while the node was down. The image must be
   * current: at least as new as the node's own registration.
   */
  public void removeStrays() {
    strays.remove();
  }

  /** From now on logs change: a crash after this makes the next start check them. */
  public void begin() {
    if (!recovery.untouched()) {
      LOG.info("{}", recovery.sentence(directories.cleanShutdown()));
    }
    if (nowhere.get() > 0) {
      LOG.error(
          "{} replicas stay offline: their logs are in no log directory that can be used",
          nowhere.get());
    }
    directories.begin();
    io.execute(strays::deleteFiles);
    io.execute(this::resumeMoves);
    cleaner.start();
  }

  /**
   * The node is registered: tells the metadata group which replicas are offline here, now and
   * whenever one fails.
   *
   * @return completes once it knows of all there are now, or this life of the node is over
   */
  public CompletionStage<Void> reportOffline() {
    OfflineReports reports = offline;
    return reports == null ? CompletableFuture.completedStage(null) : reports.begin();
  }

  /** How many replicas there are, and how many of them have been opened or have failed to. */
  public Progress openingProgress() {
    int opened = 0;
    int all = 0;
    for (ReplicaHandle handle : byPartition.values()) {
      all++;
      if (handle.opened().toCompletableFuture().isDone()) {
        opened++;
      }
    }
    return new Progress(opened, all);
  }

  /**
   * @param opened logs that are open, or have failed to open
   * @param all logs there are
   */
  public record Progress(int opened, int all) {}

  /** Completes when every replica there is now has been opened, or has failed to. */
  public CompletionStage<Void> allOpened() {
    return CompletableFuture.allOf(
        byPartition.values().stream()
            .map(handle -> handle.opened().toCompletableFuture())
            .toArray(CompletableFuture[]::new));
  }

  void maintain() {
    byPartition.values().forEach(handle -> handle.tell(new ReplicaCommand.Maintain()));
  }

  void checkpointHighWatermarks() {
    written.writeHighWatermarks();
  }

  void checkpointRecoveryPoints() {
    written.writeRecoveryPoints();
  }

  /**
   * The node does not come up: stops what runs beside the actors, and leaves the logs as a crash
   * would.
   */
  public void abandon() {
    stopReports();
    cleaner.stop();
    moves.stop();
  }

  /**
   * Closes every log cleanly; the next start will scan nothing. Blocks until it is done.
   *
   * @param onProgress told how many are closed, of how many
   */
  public void close(java.util.function.BiConsumer<Integer, Integer> onProgress) {
    stopReports();
    cleaner.stop();
    moves.stop();
    boolean noted = written.writeHighWatermarks();
    Set<LogDirectory> unclean = new HashSet<>();
    Map<ReplicaHandle, CompletableFuture<Void>> closing = new LinkedHashMap<>();
    for (ReplicaHandle handle : byPartition.values()) {
      CompletableFuture<Void> done = new CompletableFuture<>();
      if (handle.tell(new ReplicaCommand.Close(done))) {
        closing.put(handle, done);
      } else {
        // It could not be opened, so it may still have to be recovered.
        addDirectory(unclean, handle);
      }
    }
    int closed = 0;
    for (Map.Entry<ReplicaHandle, CompletableFuture<Void>> entry : closing.entrySet()) {
      try {
        entry.getValue().join();
      } catch (RuntimeException failure) {
        addDirectory(unclean, entry.getKey());
        if (entry.getKey().view().role() != ReplicaRole.OFFLINE) {
          LOG.error("a log could not be closed cleanly: {}", failure.getMessage());
        }
      }
      onProgress.accept(++closed, closing.size());
    }
    noted &= written.writeRecoveryPoints();
    for (LogDirectory directory : directories.usable()) {
      if (noted && !unclean.contains(directory)) {
        try {
          directory.markCleanShutdown();
        } catch (LogFailedException failure) {
          LOG.warn("the next start will check the logs: {}", failure.getMessage());
        }
      }
    }
  }

  private void stopReports() {
    OfflineReports reports = offline;
    if (reports != null) {
      reports.stop();
    }
  }

  private static void addDirectory(Set<LogDirectory> directories, ReplicaHandle handle) {
    LogDirectory directory = handle.directory();
    if (directory != null) {
      directories.add(directory);
    }
  }
}
