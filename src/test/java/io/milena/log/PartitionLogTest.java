package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartitionLogTest {

  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
  private static final long NOW_MS = Clock.system().wallClockMs();

  @TempDir Path root;
  private PartitionLog log;

  @BeforeEach
  void open() {
    log = open("leader", Map.of("segment.bytes", "1000", "index.interval.bytes", "100"));
  }

  private PartitionLog open(String name, Map<String, String> config) {
    return PartitionLog.open(
            root.resolve(name),
            PARTITION,
            Optional.empty(),
            LogConfig.of(config),
            Clock.system(),
            PartitionLog.OpenState.UNKNOWN)
        .log();
  }

  private AppendOutcome append(int epoch) {
    return log.appendAsLeader(LogFixtures.batch(NOW_MS, 3, 50), epoch, AppendOrigin.CLIENT, NOW_MS);
  }

  @Test
  void producersAreForgottenWhenTheirTimeIsUpWhichMayBeChanged() {
    MemoryRecords batch = Batches.batch().by(7, 0, 0).of(Batches.record(NOW_MS, "k", "v"));
    byte[] sent = Batches.copyOf(batch);
    log.appendAsLeader(batch, 0, AppendOrigin.CLIENT, NOW_MS);
    log.removeExpiredProducers(NOW_MS + 5_000);
    assertThat(resend(sent)).isInstanceOf(AppendOutcome.Duplicate.class);
    log.updateConfig(LogConfig.of(Map.of("producer.id.expiration.ms", "4000")));
    log.removeExpiredProducers(NOW_MS + 5_000);
    assertThat(resend(sent)).isInstanceOf(AppendOutcome.Appended.class);
  }

  private AppendOutcome resend(byte[] sent) {
    return log.appendAsLeader(
        MemoryRecords.readableRecords(ByteBuffer.wrap(sent.clone())),
        0,
        AppendOrigin.CLIENT,
        NOW_MS);
  }

  @Test
  void followerHoldsTheSameBytes() throws Exception {
    PartitionLog follower = open("follower", Map.of("segment.bytes", "1000"));
    for (int i = 0; i < 20; i++) {
      append(i / 5);
    }
    while (follower.logEndOffset() < log.logEndOffset()) {
      // Cut at any byte, as a fetch answer is.
      FileRegion region = log.view().read(follower.logEndOffset(), 700, Long.MAX_VALUE, true);
      MemoryRecords records =
          MemoryRecords.readableRecords(ByteBuffer.wrap(LogFixtures.bytes(region)));
      assertThat(follower.appendAsFollower(records, NOW_MS))
          .isInstanceOf(AppendOutcome.Appended.class);
    }
    assertThat(follower.view().sizeBytes()).isEqualTo(log.view().sizeBytes());
    assertThat(follower.view().latestLeaderEpoch()).isEqualTo(3);
    assertThat(follower.view().endOffsetForEpoch(1)).isEqualTo(log.view().endOffsetForEpoch(1));
  }

  @Test
  void followerRefusesWhatItHasAndWhatIsDamaged() throws Exception {
    append(0);
    byte[] bytes = LogFixtures.bytes(log.view().read(0, 10_000, Long.MAX_VALUE, true));
    PartitionLog follower = open("follower", Map.of());
    follower.appendAsFollower(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)), NOW_MS);
    assertThat(follower.appendAsFollower(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)), 0))
        .isInstanceOfSatisfying(
            AppendOutcome.Rejected.class,
            rejected -> assertThat(rejected.error()).isEqualTo(Errors.OFFSET_OUT_OF_RANGE));
    bytes[70] ^= 1;
    assertThat(follower.appendAsFollower(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)), 0))
        .isInstanceOfSatisfying(
            AppendOutcome.Rejected.class,
            rejected -> assertThat(rejected.error()).isEqualTo(Errors.CORRUPT_MESSAGE));
    assertThat(follower.logEndOffset()).isEqualTo(3);
  }

  @Test
  void readerOfAnOlderViewGoesOnUntilTheFilesExpire() throws Exception {
    for (int i = 0; i < 20; i++) {
      append(0);
    }
    LogView old = log.view();
    log.advanceLogStartOffset(50);
    assertThat(log.enforceRetention(NOW_MS, 60)).isPositive();
    assertThat(LogFixtures.readAll(old, 0, 60, 300)).hasSize(20);
    assertThatThrownBy(() -> log.view().read(0, 300, 60, true))
        .isInstanceOf(OffsetOutOfRangeException.class);
    log.deleteExpiredFiles(NOW_MS + 60_001);
    assertThatThrownBy(() -> old.read(0, 300, 60, true)).isInstanceOf(IOException.class);
    assertThat(root.resolve("leader")).isDirectoryNotContaining("glob:**.deleted");
  }

  @Test
  void retentionBySizeKeepsWhatTheHighWatermarkHasNotPassed() {
    log.updateConfig(LogConfig.of(Map.of("segment.bytes", "1000", "retention.bytes", "1")));
    for (int i = 0; i < 20; i++) {
      append(0);
    }
    log.enforceRetention(NOW_MS, 30);
    assertThat(log.logStartOffset()).isBetween(20L, 30L);
    log.enforceRetention(NOW_MS, 60);
    assertThat(log.logStartOffset()).isEqualTo(48);
    assertThat(log.logEndOffset()).isEqualTo(60);
  }

  @Test
  void retentionByTimeRollsTheActiveSegmentAndEmptiesTheLog() {
    append(0);
    log.enforceRetention(NOW_MS + 8 * 86_400_000L, 3);
    assertThat(log.logStartOffset()).isEqualTo(3);
    assertThat(log.view().sizeBytes()).isZero();
    assertThat(append(0)).isEqualTo(new AppendOutcome.Appended(3, 5, -1));
  }

  @Test
  void rollsWhenTheSegmentIsTooOld() {
    log.updateConfig(LogConfig.of(Map.of("segment.ms", "1000")));
    append(0);
    log.appendAsLeader(
        LogFixtures.batch(NOW_MS + 1010, 1, 10), 0, AppendOrigin.CLIENT, NOW_MS + 1010);
    assertThat(root.resolve("leader")).isDirectoryContaining("glob:**00003.log");
  }

  @Test
  void failedAppendLeavesTheLogAsItWasAndCanBeTriedAgain() throws Exception {
    append(0);
    for (int i = 0; log.view().sizeBytes() < 900 && i < 10; i++) {
      append(0);
    }
    long end = log.logEndOffset();
    // A directory in the place of the next segment: rolling fails.
    Path blocker = root.resolve("leader").resolve(LogFiles.prefix(end) + ".log");
    Files.createDirectory(blocker);
    assertThatThrownBy(
            () -> {
              while (true) {
                append(0);
              }
            })
        .isInstanceOf(LogFailedException.class)
        .hasMessageContaining(root.resolve("leader").toString());
    assertThat(log.logEndOffset()).isEqualTo(end);
    Files.delete(blocker);
    assertThat(append(0)).isEqualTo(new AppendOutcome.Appended(end, end + 2, -1));
    assertThat(log.verify()).isEmpty();
  }

  @Test
  void abortedTransactionsAreFoundAndFoundAgain() throws Exception {
    SimpleRecord record = Batches.record(NOW_MS, "k", "v");
    for (int i = 0; i < 8; i++) {
      append(0);
    }
    long first = log.logEndOffset();
    log.appendAsLeader(
        Batches.batch().by(9, 0, 0).transactional().of(record), 0, AppendOrigin.CLIENT, NOW_MS);
    assertThat(log.firstUnstableOffset()).hasValue(first);
    log.appendAsLeader(
        Batches.marker(0, 9, 0, 0, ControlRecordType.ABORT), 0, AppendOrigin.COORDINATOR, NOW_MS);
    var aborted = List.of(new LogView.AbortedTransaction(9, first));
    assertThat(log.view().abortedTransactions(0, log.logEndOffset())).isEqualTo(aborted);
    log.onHighWatermark(log.logEndOffset());
    assertThat(log.firstUnstableOffset()).isEmpty();
    PartitionLog again =
        open("leader", Map.of("segment.bytes", "1000", "index.interval.bytes", "100"));
    assertThat(again.view().abortedTransactions(0, again.logEndOffset())).isEqualTo(aborted);
    again.truncateTo(first);
    assertThat(again.view().abortedTransactions(0, again.logEndOffset())).isEmpty();
  }

  @Test
  void compactedSegmentTakesThePlaceOfTheOriginals() throws Exception {
    for (int i = 0; i < 20; i++) {
      append(0);
    }
    List<CompactionSource> sources = log.compactionSources();
    List<Long> replaced = sources.stream().limit(2).map(CompactionSource::baseOffset).toList();
    long end = sources.get(2).baseOffset();
    LogView old = log.view();
    try (var writer = new CompactedSegmentWriter(root.resolve("leader"), 0, 100)) {
      writer.append(ByteBuffer.wrap(LogFixtures.readAll(old, 3, 6, 1000).getFirst()));
      writer.finish(NOW_MS);
    }
    assertThat(log.replaceSegments(log.directory(), replaced, end + 1, NOW_MS)).isFalse();
    assertThat(log.replaceSegments(log.directory(), replaced, end, NOW_MS)).isTrue();
    assertThat(LogFixtures.readAll(log.view(), 0, 60, 300)).hasSize(1 + (60 - (int) end) / 3);
    assertThat(LogFixtures.readAll(old, 0, 60, 300)).hasSize(20);
    PartitionLog again = open("leader", Map.of("segment.bytes", "1000"));
    assertThat(LogFixtures.readAll(again.view(), 0, 60, 300)).hasSize(1 + (60 - (int) end) / 3);
  }

  @Test
  void flushedInTheBackgroundWhileItRolls() {
    append(0);
    PartitionLog.PendingFlush flush = log.prepareFlush(log.logEndOffset());
    while (log.compactionSources().size() < 2) {
      append(0);
    }
    flush.run();
    log.completeFlush(flush);
    assertThat(log.recoveryPoint()).as("the rolled segment's indexes are not on disk").isZero();
    log.flush(log.logEndOffset());
    assertThat(log.recoveryPoint()).isEqualTo(log.logEndOffset());
  }

  private AppendOutcome appendAt(long nowMs) {
    return log.appendAsLeader(LogFixtures.batch(NOW_MS, 3, 50), 0, AppendOrigin.CLIENT, nowMs);
  }

  private Path segmentFile(long baseOffset) {
    return LogFiles.file(root.resolve("leader"), baseOffset, LogFiles.LOG);
  }

  @Test
  void aRemovedFileIsNoticedByTheAppendASecondLaterAndByEveryFlush() throws Exception {
    appendAt(NOW_MS);
    Files.delete(segmentFile(0));
    assertThat(appendAt(NOW_MS + LogAppender.CHECK_INTERVAL_MS - 1))
        .as("one look a second")
        .isInstanceOf(AppendOutcome.Appended.class);
    assertThatThrownBy(() -> appendAt(NOW_MS + LogAppender.CHECK_INTERVAL_MS))
        .isInstanceOf(LogFailedException.class)
        .hasMessageContainingAll(root.resolve("leader").toString(), "0.log", "removed");
    assertThat(log.logEndOffset()).isEqualTo(6);
    assertThatThrownBy(() -> log.flush(6)).hasMessageContaining("removed");
    assertThat(log.recoveryPoint()).isZero();
  }

  @Test
  void anotherFileInThePlaceOfTheOneInUseIsNoticed() throws Exception {
    appendAt(NOW_MS);
    log.checkFiles();
    Path copy = root.resolve("copy");
    Files.copy(segmentFile(0), copy);
    Files.move(copy, segmentFile(0), StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(log::checkFiles)
        .isInstanceOf(LogFailedException.class)
        .hasMessageContaining("replaced");
  }

  @Test
  void aSealedSegmentOrTheWholeDirectoryThatIsGoneIsNoticed() throws Exception {
    for (int i = 0; i < 20; i++) {
      appendAt(NOW_MS);
    }
    log.checkFiles();
    long sealed = log.compactionSources().get(1).baseOffset();
    Path aside = root.resolve("aside");
    Files.move(segmentFile(sealed), aside);
    assertThatThrownBy(log::checkFiles).hasMessageContaining(sealed + ".log");
    Files.move(aside, segmentFile(sealed));
    log.checkFiles();
    Files.move(root.resolve("leader"), root.resolve("elsewhere"));
    assertThatThrownBy(log::checkFiles).hasMessageContaining("removed");
  }

  @Test
  void filesThatTheLogItselfTakesAwayAreNotMissed() throws Exception {
    for (int i = 0; i < 20; i++) {
      appendAt(NOW_MS);
    }
    PartitionLog.PendingFlush flush = log.prepareFlush(60);
    log.advanceLogStartOffset(50);
    assertThat(log.enforceRetention(NOW_MS, 60)).isPositive();
    flush.run();
    log.deleteExpiredFiles(NOW_MS + 60_001);
    flush.run();
    log.checkFiles();
    log.truncateTo(52);
    log.truncateFullyAndStartAt(7);
    log.checkFiles();
    assertThat(appendAt(NOW_MS + 10_000)).isInstanceOf(AppendOutcome.Appended.class);
  }
}
