package io.milena.replication.actor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import io.milena.common.Clock;
import io.milena.log.AppendOrigin;
import io.milena.log.AppendOutcome;
import io.milena.log.LogConfig;
import io.milena.log.PartitionLog;
import io.milena.replication.InSyncReports;
import io.milena.replication.ReplicaConfig;
import io.milena.replication.ReplicaRole;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplicaActorTest {

  private static final int NODE = 1;
  private static final short ACKS_ALL = -1;
  private static final short ACKS_LEADER = 1;
  private static final int NO_EPOCH = -1;
  private static final TopicPartition PARTITION = new TopicPartition("t", 0);

  @TempDir Path directory;
  private ActorTestKit testKit;
  private ReplicaHandle handle;

  /** Flushes wait here until the test runs them. */
  private final Queue<Runnable> io = new ConcurrentLinkedQueue<>();

  private final AtomicInteger recordsDeleted = new AtomicInteger();

  @BeforeEach
  void createHandle() {
    testKit = ActorTestKit.create();
    handle = new ReplicaHandle(PARTITION, Uuid.randomUuid(), 0, new ReplicaHandle.Offsets(0, 0, 0));
  }

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  private void open(Map<String, String> config, int minInSyncReplicas) {
    LogConfig logConfig = LogConfig.of(config);
    PartitionLog log =
        PartitionLog.open(
                directory.resolve("t-0"),
                PARTITION,
                Optional.of(handle.topicId()),
                logConfig,
                Clock.system(),
                PartitionLog.OpenState.UNKNOWN)
            .log();
    handle.recoveryPoint(log::recoveryPoint);
    ActorRef<ReplicaCommand> actor =
        testKit.spawn(
            ReplicaActor.create(
                handle,
                log,
                new ReplicaConfig(logConfig, minInSyncReplicas),
                0,
                new ReplicaActor.Environment(
                    NODE,
                    Clock.system(),
                    io::add,
                    io::add,
                    recordsDeleted::incrementAndGet,
                    new DiskSpace(() -> CompletableFuture.completedStage(null), Clock.system()),
                    (_, _) -> {},
                    _ -> InSyncReports.NONE)));
    handle.attach(actor);
  }

  private static MemoryRecords batch(String... values) {
    SimpleRecord[] records = new SimpleRecord[values.length];
    for (int i = 0; i < values.length; i++) {
      records[i] = new SimpleRecord(System.currentTimeMillis(), null, values[i].getBytes());
    }
    return MemoryRecords.withRecords(Compression.NONE, records);
  }

  private CompletionStage<AppendOutcome> append(short acks, String... values) {
    return handle.append(batch(values), NO_EPOCH, AppendOrigin.CLIENT, acks, 30_000);
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(10, TimeUnit.SECONDS).join();
  }

  private static void assertRejected(AppendOutcome outcome, Errors error) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            AppendOutcome.Rejected.class,
            rejected -> assertThat(rejected.error()).isEqualTo(error));
  }

  @Test
  void whatComesBeforeTheActorIsServedInOrderOnceItIsThere() {
    handle.tell(new ReplicaCommand.Lead(3, List.of(NODE), List.of(NODE)));
    CompletionStage<AppendOutcome> first = append(ACKS_ALL, "a", "b");
    CompletionStage<AppendOutcome> second = append(ACKS_ALL, "c");
    assertThat(first.toCompletableFuture()).isNotDone();
    open(Map.of(), 1);
    assertThat(await(first)).isEqualTo(new AppendOutcome.Appended(0, 1, -1));
    assertThat(await(second)).isEqualTo(new AppendOutcome.Appended(2, 2, -1));
    assertThat(handle.view().role()).isEqualTo(ReplicaRole.LEADER);
    assertThat(handle.view().leaderEpoch()).isEqualTo(3);
    assertThat(handle.view().highWatermark()).isEqualTo(3);
  }

  @Test
  void parkedAppendsAreBoundedAndTheRestIsRefusedAsRetriable() {
    Queue<CompletionStage<AppendOutcome>> parked = new ArrayDeque<>();
    for (int i = 0; i < ReplicaHandle.PARKED_MAX; i++) {
      parked.add(append(ACKS_LEADER, "v"));
    }
    assertRejected(await(append(ACKS_LEADER, "one more")), Errors.NOT_LEADER_OR_FOLLOWER);
    handle.fail();
    for (CompletionStage<AppendOutcome> each : parked) {
      assertRejected(await(each), Errors.KAFKA_STORAGE_ERROR);
    }
    assertThat(handle.view().role()).isEqualTo(ReplicaRole.OFFLINE);
  }

  @Test
  void onlyALeaderInTheRightEpochTakesAppends() {
    open(Map.of(), 1);
    assertRejected(await(append(ACKS_LEADER, "v")), Errors.NOT_LEADER_OR_FOLLOWER);
    handle.tell(new ReplicaCommand.Lead(5, List.of(NODE), List.of(NODE)));
    assertRejected(
        await(handle.append(batch("v"), 4, AppendOrigin.CLIENT, ACKS_LEADER, 1_000)),
        Errors.FENCED_LEADER_EPOCH);
    assertRejected(
        await(handle.append(batch("v"), 6, AppendOrigin.CLIENT, ACKS_LEADER, 1_000)),
        Errors.UNKNOWN_LEADER_EPOCH);
    assertThat(await(handle.append(batch("v"), 5, AppendOrigin.CLIENT, ACKS_LEADER, 1_000)))
        .isEqualTo(new AppendOutcome.Appended(0, 0, -1));
    // An image of the past changes nothing.
    handle.tell(new ReplicaCommand.StepDown(4));
    assertThat(await(append(ACKS_LEADER, "w"))).isEqualTo(new AppendOutcome.Appended(1, 1, -1));
    handle.tell(new ReplicaCommand.StepDown(6));
    assertRejected(await(append(ACKS_LEADER, "x")), Errors.NOT_LEADER_OR_FOLLOWER);
  }

  @Test
  void acksAllNeedsTheMinimumOfInSyncReplicasAndAcksOneDoesNot() {
    open(Map.of(), 2);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE, 2), List.of(NODE)));
    assertRejected(await(append(ACKS_ALL, "v")), Errors.NOT_ENOUGH_REPLICAS);
    assertThat(await(append(ACKS_LEADER, "v"))).isEqualTo(new AppendOutcome.Appended(0, 0, -1));
  }

  @Test
  void aFollowerThatHasNotGotItHoldsTheAcknowledgementAndTheHighWatermark() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE, 2), List.of(NODE, 2)));
    CompletionStage<AppendOutcome> waiting = append(ACKS_ALL, "v");
    assertThat(await(append(ACKS_LEADER, "w"))).isEqualTo(new AppendOutcome.Appended(1, 1, -1));
    assertThat(waiting.toCompletableFuture()).isNotDone();
    assertThat(handle.view().highWatermark()).isZero();
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    assertThat(await(waiting)).isEqualTo(new AppendOutcome.Appended(0, 0, -1));
    assertThat(handle.view().highWatermark()).isEqualTo(2);
  }

  @Test
  void bytesAreFreeOnceWrittenWhereTheAcknowledgementWaitsForOthers() {
    open(Map.of(), 1);
    AtomicInteger written = new AtomicInteger();
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(
        handle.append(
            batch("a"), NO_EPOCH, AppendOrigin.CLIENT, ACKS_ALL, 30_000, written::incrementAndGet));
    assertThat(written).as("nothing had to wait").hasValue(0);
    handle.tell(new ReplicaCommand.Lead(1, List.of(NODE, 2), List.of(NODE, 2)));
    CompletionStage<AppendOutcome> waiting =
        handle.append(
            batch("b"), NO_EPOCH, AppendOrigin.CLIENT, ACKS_ALL, 30_000, written::incrementAndGet);
    await(append(ACKS_LEADER, "c"));
    assertThat(written).hasValue(1);
    assertThat(waiting.toCompletableFuture()).isNotDone();
  }

  @Test
  void steppingDownRefusesWhatStillWaited() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE, 2), List.of(NODE, 2)));
    CompletionStage<AppendOutcome> waiting = append(ACKS_ALL, "v");
    handle.tell(new ReplicaCommand.StepDown(1));
    assertRejected(await(waiting), Errors.NOT_LEADER_OR_FOLLOWER);
  }

  @Test
  void whatIsNotReplicatedInTimeIsAnsweredTimedOut() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE, 2), List.of(NODE, 2)));
    assertRejected(
        await(handle.append(batch("v"), NO_EPOCH, AppendOrigin.CLIENT, ACKS_ALL, 5)),
        Errors.REQUEST_TIMED_OUT);
  }

  @Test
  void inFsyncModeNothingIsAcknowledgedOrSeenBeforeAFlushThatCoversIt() {
    open(Map.of("durability", "fsync"), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    CompletionStage<AppendOutcome> first = append(ACKS_ALL, "a");
    Runnable flushOfFirst = awaitIo();
    CompletionStage<AppendOutcome> second = append(ACKS_LEADER, "b");
    CompletionStage<AppendOutcome> third = append(ACKS_ALL, "c");
    assertThat(first.toCompletableFuture()).isNotDone();
    assertThat(handle.view().highWatermark()).isZero();
    flushOfFirst.run();
    await(first);
    // The two that came meanwhile share the next flush.
    Runnable flushOfRest = awaitIo();
    assertThat(second.toCompletableFuture()).isNotDone();
    flushOfRest.run();
    await(second);
    await(third);
    assertThat(handle.view().highWatermark()).isEqualTo(3);
    assertThat(io).isEmpty();
  }

  /** What the actor has handed to the disk threads: a flush, or the removal of files. */
  @Test
  void aCompleteSegmentGoesToDiskSoThatACrashLeavesOnlyTheActiveOneToCheck() {
    open(Map.of("segment.bytes", "1000"), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a".repeat(600)));
    assertThat(io).isEmpty();
    await(append(ACKS_LEADER, "b".repeat(600)));
    awaitIo().run();
    // The next append is behind the end of that flush in the actor's mailbox.
    await(append(ACKS_LEADER, "c"));
    assertThat(handle.offsets().recoveryPoint()).isEqualTo(1);
  }

  @Test
  void aRetriedBatchIsAcknowledgedAfterTheTopicTurnedToFsync() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(handle.append(idempotentBatch(), NO_EPOCH, AppendOrigin.CLIENT, ACKS_LEADER, 30_000));
    long shown = handle.view().highWatermark();
    handle.tell(
        new ReplicaCommand.Reconfigure(
            new ReplicaConfig(LogConfig.of(Map.of("durability", "fsync")), 1)));
    handle.tell(new ReplicaCommand.Lead(1, List.of(NODE), List.of(NODE)));
    CompletionStage<AppendOutcome> again =
        handle.append(idempotentBatch(), NO_EPOCH, AppendOrigin.CLIENT, ACKS_LEADER, 30_000);
    awaitIo().run();
    assertThat(await(again)).isInstanceOf(AppendOutcome.Duplicate.class);
    assertThat(handle.view().highWatermark()).isEqualTo(shown);
  }

  private static MemoryRecords idempotentBatch() {
    return MemoryRecords.withIdempotentRecords(
        Compression.NONE, 7, (short) 0, 0, new SimpleRecord("v".getBytes(UTF_8)));
  }

  private Runnable awaitIo() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (System.nanoTime() < deadline) {
      Runnable flush = io.poll();
      if (flush != null) {
        return flush;
      }
      LockSupport.parkNanos(1_000_000);
    }
    throw new AssertionError("nothing was handed to the disk threads");
  }

  @Test
  void listenersHearOfEveryAppendUntilTheyAreRemoved() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a"));
    CompletableFuture<Long> heard = new CompletableFuture<>();
    Runnable listener = () -> heard.complete(handle.view().highWatermark());
    handle.addListener(listener);
    await(append(ACKS_LEADER, "b"));
    assertThat(await(heard)).isEqualTo(2);
    handle.removeListener(listener);
  }

  @Test
  void recordsAreDeletedUpToTheHighWatermarkOnly() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a"));
    await(append(ACKS_LEADER, "b"));
    assertThat(await(handle.deleteRecords(1))).isEqualTo(1);
    assertThatThrownBy(() -> await(handle.deleteRecords(3)))
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(OffsetOutOfRangeException.class);
    assertThat(await(handle.deleteRecords(-1))).isEqualTo(2);
    assertThat(handle.view().log().logStartOffset()).isEqualTo(2);
    assertThat(recordsDeleted).as("each is noted on disk soon").hasValue(2);
  }

  @Test
  void aLogThatFailsTakesOnlyItsOwnReplicaOffline() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    CompletableFuture<Void> changed = new CompletableFuture<>();
    handle.tell(
        new ReplicaCommand.ChangeLog(
            _ -> {
              throw new IllegalStateException("the disk is on fire");
            },
            changed));
    assertThatThrownBy(() -> await(changed)).isInstanceOf(CompletionException.class);
    assertRejected(await(append(ACKS_LEADER, "a")), Errors.KAFKA_STORAGE_ERROR);
    assertThat(handle.view().role()).isEqualTo(ReplicaRole.OFFLINE);
    CompletableFuture<Void> closed = new CompletableFuture<>();
    handle.tell(new ReplicaCommand.Close(closed));
    assertThatThrownBy(() -> await(closed))
        .as("the next start must check it")
        .isInstanceOf(CompletionException.class);
  }

  @Test
  void aFailedLogKeepsTheOffsetsThatItsCheckpointsShouldName() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a"));
    await(append(ACKS_LEADER, "b"));
    await(handle.deleteRecords(1));
    handle.tell(new ReplicaCommand.FlushFailed(new IllegalStateException("fsync failed")));
    assertRejected(await(append(ACKS_LEADER, "c")), Errors.KAFKA_STORAGE_ERROR);
    assertThat(handle.offsets()).isEqualTo(new ReplicaHandle.Offsets(0, 1, 2));
  }

  @Test
  void aFailedFlushAcknowledgesNothing() {
    open(Map.of("durability", "fsync"), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    CompletionStage<AppendOutcome> all = append(ACKS_ALL, "a");
    CompletionStage<AppendOutcome> one = append(ACKS_LEADER, "b");
    awaitIo();
    handle.tell(new ReplicaCommand.FlushFailed(new IllegalStateException("fsync failed")));
    assertRejected(await(all), Errors.KAFKA_STORAGE_ERROR);
    assertRejected(await(one), Errors.KAFKA_STORAGE_ERROR);
    assertThat(handle.view().role()).isEqualTo(ReplicaRole.OFFLINE);
  }

  @Test
  void inFsyncModeNothingIsAcknowledgedInAFileThatSomebodyHasRemoved() throws Exception {
    open(Map.of("durability", "fsync"), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    CompletionStage<AppendOutcome> acknowledgement = append(ACKS_ALL, "a");
    Runnable flush = awaitIo();
    Files.delete(directory.resolve("t-0").resolve("00000000000000000000.log"));
    flush.run();
    assertRejected(await(acknowledgement), Errors.KAFKA_STORAGE_ERROR);
    assertThat(handle.view().role()).isEqualTo(ReplicaRole.OFFLINE);
  }

  @Test
  void aRemovedDirectoryTakesTheReplicaOfflineWithTheNextUpkeep() throws Exception {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a"));
    Files.move(directory.resolve("t-0"), directory.resolve("elsewhere"));
    handle.tell(new ReplicaCommand.Maintain());
    assertRejected(await(append(ACKS_LEADER, "b")), Errors.KAFKA_STORAGE_ERROR);
    assertThat(handle.view().role()).isEqualTo(ReplicaRole.OFFLINE);
  }

  @Test
  void aFlushIsStartedEveryFlushMessages() {
    open(Map.of("flush.messages", "3"), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a", "b"));
    assertThat(io).isEmpty();
    await(append(ACKS_LEADER, "c"));
    awaitIo().run();
    await(append(ACKS_LEADER, "d", "e"));
    assertThat(handle.offsets().recoveryPoint()).isEqualTo(3);
    assertThat(io).isEmpty();
  }

  @Test
  void aFlushIsStartedAfterFlushMs() {
    open(Map.of("flush.ms", "5"), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    await(append(ACKS_LEADER, "a"));
    awaitIo().run();
    await(append(ACKS_LEADER, "b"));
    awaitIo().run();
  }

  @Test
  void aClosedOrDeletedReplicaAnswersWhatStillComes() {
    open(Map.of(), 1);
    handle.tell(new ReplicaCommand.Lead(0, List.of(NODE), List.of(NODE)));
    CompletableFuture<Void> deleted = new CompletableFuture<>();
    handle.tell(new ReplicaCommand.Delete(deleted));
    assertRejected(await(append(ACKS_LEADER, "a")), Errors.NOT_LEADER_OR_FOLLOWER);
    awaitIo().run();
    await(deleted);
    assertThat(directory).isEmptyDirectory();
    assertRejected(await(append(ACKS_LEADER, "b")), Errors.NOT_LEADER_OR_FOLLOWER);
  }
}
