package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import io.milena.log.LogCondition.Finding;
import io.milena.log.LogCondition.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damage of every kind, found and mended. */
class LogCheckTest {

  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
  private static final long NOW_MS = Clock.system().wallClockMs();
  private static final int BATCHES = 40;
  private static final int RECORDS = 3;
  private static final long END = BATCHES * RECORDS;

  @TempDir Path root;
  private Path directory;
  private List<byte[]> written;

  @BeforeEach
  void writeLog() throws Exception {
    directory = root.resolve("orders-0");
    PartitionLog log = open(PartitionLog.OpenState.UNKNOWN).log();
    for (int i = 0; i < BATCHES; i++) {
      log.appendAsLeader(
          LogFixtures.batch(NOW_MS + i, RECORDS, 50), i / 15, AppendOrigin.CLIENT, NOW_MS);
    }
    written = LogFixtures.readAll(log.view(), 0, END, 1_000);
    log.close();
    checkpoint(END);
    try (LogDirectory logs = LogDirectory.open(root)) {
      logs.markCleanShutdown();
    }
  }

  private void checkpoint(long recoveryPoint) {
    try (LogDirectory logs = LogDirectory.open(root)) {
      logs.writeRecoveryPoints(Map.of(PARTITION, recoveryPoint));
    }
  }

  private PartitionLog.Opened open(PartitionLog.OpenState state) {
    return PartitionLog.open(
        directory,
        PARTITION,
        Optional.of(Uuid.ONE_UUID),
        LogConfig.of(Map.of("segment.bytes", "2000", "index.interval.bytes", "300")),
        Clock.system(),
        state);
  }

  /** As a node does after a clean stop. */
  private PartitionLog reopen() {
    return open(new PartitionLog.OpenState(END, 0, true)).log();
  }

  private List<Long> baseOffsets() throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(LogFiles.LOG))
          .map(LogFiles::offsetOf)
          .sorted()
          .toList();
    }
  }

  private Path file(long baseOffset, String kind) {
    return LogFiles.file(directory, baseOffset, kind);
  }

  private static void flip(Path file, long position) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(position);
      int old = bytes.read();
      bytes.seek(position);
      bytes.write(old ^ 0x10);
    }
  }

  private static void cutFile(Path file, long bytes) throws IOException {
    try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "rw")) {
      log.setLength(log.length() - bytes);
    }
  }

  private static void assertFound(LogCondition found, Kind kind, String file, String what) {
    assertThat(found.findings())
        .as("%s", found)
        .anySatisfy(finding -> {
          assertThat(finding.kind()).isEqualTo(kind);
          assertThat(finding.file()).isEqualTo(file);
          assertThat(finding.what()).contains(what);
        });
  }

  private void assertHoldsFirst(PartitionLog log, long endOffset) throws Exception {
    assertThat(log.logEndOffset()).isEqualTo(endOffset);
    List<byte[]> read = LogFixtures.readAll(log.view(), 0, endOffset, 1_000);
    assertThat(read).hasSize((int) endOffset / RECORDS);
    for (int i = 0; i < read.size(); i++) {
      assertThat(read.get(i)).isEqualTo(written.get(i));
    }
  }

  @Test
  void aSoundLogHasNoFindings() throws Exception {
    LogCondition found = LogCheck.check(directory);
    assertThat(found.findings()).isEmpty();
    assertThat(found.sound()).isTrue();
    assertThat(found.batches()).isEqualTo(BATCHES);
    assertThat(found.records()).isEqualTo(END);
    assertThat(found.startOffset()).isZero();
    assertThat(found.endOffset()).isEqualTo(END);
    assertThat(found.segments()).isEqualTo(baseOffsets().size()).isGreaterThan(3);
    assertThat(found.epochs().latestEpoch()).isEqualTo(2);
    assertThat(LogRepair.repair(found, true)).isEmpty();
    assertThat(LogCheck.logsIn(root)).containsExactly(directory);
  }

  @Test
  void aTornEndBelowTheRecoveryPointIsNamedAndCutOnlyOnDemand() throws Exception {
    Path last = file(baseOffsets().getLast(), LogFiles.LOG);
    cutFile(last, 10);

    assertThatThrownBy(this::reopen)
        .isInstanceOf(LogFailedException.class)
        .hasMessageContainingAll("bin/milena log check " + directory, "log repair");
    LogCondition found = LogCheck.check(directory);
    assertFound(found, Kind.DAMAGED, last.getFileName().toString(), "is cut after");
    assertThat(found.endOffset()).isEqualTo(END - RECORDS);
    assertThat(found.knownEndOffset()).isEqualTo(END);

    assertThat(LogRepair.repair(found, false)).isEmpty();
    assertThat(LogCheck.check(directory)).isEqualTo(found);
    assertThat(LogRepair.repair(found, true)).hasSize(1).first().asString().contains("cut ");
    assertThat(LogCheck.check(directory).sound()).isTrue();
    assertHoldsFirst(reopen(), END - RECORDS);
  }

  @Test
  void aTornEndThatWasNotFlushedIsLeftToTheNextStart() throws Exception {
    Files.delete(root.resolve(LogDirectory.CLEAN_SHUTDOWN));
    checkpoint(baseOffsets().getLast());
    Path last = file(baseOffsets().getLast(), LogFiles.LOG);
    cutFile(last, 10);
    LogCondition found = LogCheck.check(directory);
    assertThat(found.sound()).isTrue();
    assertFound(found, Kind.NOTE, last.getFileName().toString(), "the next start cuts");
    assertHoldsFirst(
        open(new PartitionLog.OpenState(baseOffsets().getLast(), 0, false)).log(), END - RECORDS);
  }

  @Test
  void aFlippedBitAnywhereIsFoundAndACutKeepsAllThatIsBeforeIt() throws Exception {
    long seed = 20_261_121;
    Random random = new Random(seed);
    Path sound = root.resolve("sound");
    copy(directory, sound);
    for (int run = 0; run < 60; run++) {
      String where = "seed " + seed + ", run " + run;
      LogFiles.deleteRecursively(directory);
      copy(sound, directory);
      checkpoint(END);
      List<Long> bases = baseOffsets();
      int segment = random.nextInt(bases.size());
      Path file = file(bases.get(segment), LogFiles.LOG);
      // Offset and epoch are outside of the checksum.
      int batch = random.nextInt((int) Files.size(file) / written.getFirst().length);
      int inBatch = random.nextInt(BatchLayout.MAGIC, written.getFirst().length);
      flip(file, (long) batch * written.getFirst().length + inBatch);
      long expectedEnd = bases.get(segment) + (long) batch * RECORDS;

      LogCondition found = LogCheck.check(directory);
      assertThat(found.has(Kind.DAMAGED)).as(where).isTrue();
      assertThat(found.endOffset()).as(where).isEqualTo(expectedEnd);
      assertThat(found.knownEndOffset()).as(where).isEqualTo(END);
      LogRepair.repair(found, true);
      LogCondition after = LogCheck.check(directory);
      assertThat(after.sound()).as(where + ": " + after.findings()).isTrue();
      assertThat(after.endOffset()).as(where).isEqualTo(expectedEnd);
      assertHoldsFirst(reopen(), expectedEnd);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (var files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void whatIsSoundBehindTheDamageIsCounted() throws Exception {
    Path first = file(0, LogFiles.LOG);
    flip(first, 70);
    LogCondition found = LogCheck.check(directory);
    assertThat(found.endOffset()).isZero();
    assertThat(found.batches()).isEqualTo(BATCHES - 1);
    LogRepair.repair(found, true);
    assertThat(baseOffsets()).containsExactly(0L);
    assertThat(Files.size(first)).isZero();
    assertHoldsFirst(reopen(), 0);
  }

  @Test
  void missingSegmentsAreNamedByTheirOffsets() throws Exception {
    List<Long> bases = baseOffsets();
    Files.delete(file(bases.get(1), LogFiles.LOG));
    LogCondition middle = LogCheck.check(directory);
    assertFound(
        middle,
        Kind.LOST,
        "",
        "offsets " + bases.get(1) + " to " + (bases.get(2) - 1) + " are missing");
    assertThat(middle.sound()).isFalse();
    assertThat(LogRepair.repair(middle, true)).as("nothing brings them back").isEmpty();

    Files.delete(file(bases.getLast(), LogFiles.LOG));
    assertFound(
        LogCheck.check(directory),
        Kind.LOST,
        "",
        "offsets " + bases.getLast() + " to " + (END - 1) + " are missing");
  }

  @Test
  void aCompactedLogMayHaveGaps() throws Exception {
    Files.delete(file(baseOffsets().get(1), LogFiles.LOG));
    try (LogDirectory logs = LogDirectory.open(root)) {
      logs.writeCleanerOffsets(Map.of(PARTITION, END));
    }
    assertThat(LogCheck.check(directory).sound()).isTrue();
  }

  @Test
  void wrongIndexesAreFoundAndMadeAnew() throws Exception {
    List<Long> bases = baseOffsets();
    flip(file(bases.get(0), LogFiles.OFFSET_INDEX), 7);
    cutFile(file(bases.get(1), LogFiles.TIME_INDEX), 1);
    flip(file(bases.get(2), LogFiles.TIME_INDEX), 10);
    Files.delete(file(bases.get(3), LogFiles.OFFSET_INDEX));

    LogCondition found = LogCheck.check(directory);
    assertThat(found.findings())
        .filteredOn(finding -> finding.kind() == Kind.SIDE_FILE)
        .extracting(Finding::file)
        .containsExactlyInAnyOrder(
            LogFiles.prefix(bases.get(0)) + LogFiles.OFFSET_INDEX,
            LogFiles.prefix(bases.get(1)) + LogFiles.TIME_INDEX,
            LogFiles.prefix(bases.get(2)) + LogFiles.TIME_INDEX);
    assertThat(found.has(Kind.DAMAGED)).isFalse();
    assertThat(LogRepair.repair(found, false)).hasSize(3);
    PartitionLog log = reopen();
    assertHoldsFirst(log, END);
    log.close();
    assertThat(LogCheck.check(directory).findings()).isEmpty();
  }

  @Test
  void damagedEpochsAreMadeAnewFromTheBatches() throws Exception {
    Path epochs = directory.resolve(LogLoader.EPOCHS_FILE);
    LeaderEpochHistory before = CheckpointFile.readEpochs(epochs);
    for (String content : List.of("rubbish", "0\n1\n7 0\n", "")) {
      Files.writeString(epochs, content);
      LogCondition found = LogCheck.check(directory);
      assertThat(found.has(Kind.SIDE_FILE)).as(content).isTrue();
      LogRepair.repair(found, false);
      assertThat(CheckpointFile.readEpochs(epochs)).isEqualTo(before);
      assertThat(LogCheck.check(directory).findings()).isEmpty();
    }
  }

  @Test
  void aDamagedProducerSnapshotIsRemoved() throws Exception {
    Path snapshot = directory.resolve(LogFiles.prefix(END) + LogFiles.PRODUCER_SNAPSHOT);
    flip(snapshot, 3);
    LogCondition found = LogCheck.check(directory);
    assertFound(found, Kind.SIDE_FILE, snapshot.getFileName().toString(), "checksum");
    LogRepair.repair(found, false);
    assertThat(snapshot).doesNotExist();
    assertHoldsFirst(reopen(), END);
  }

  @Test
  void leftoversAndAMissingTopicIdAreNoted() throws Exception {
    Files.delete(directory.resolve(PartitionMetadataFile.NAME));
    Files.createFile(directory.resolve(LogFiles.prefix(7) + LogFiles.LOG + LogFiles.CLEANED));
    LogCondition found = LogCheck.check(directory);
    assertThat(found.sound()).isTrue();
    assertThat(found.findings()).hasSize(2);
    Files.writeString(directory.resolve(PartitionMetadataFile.NAME), "version: 0\n");
    assertFound(LogCheck.check(directory), Kind.LOST, PartitionMetadataFile.NAME, "no topic id");
  }
}
