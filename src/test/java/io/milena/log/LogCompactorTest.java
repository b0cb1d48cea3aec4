package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.log.CompactionLog.Stored;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogCompactorTest {

  private static final long NOW = 1_700_000_000_000L;
  private static final LogConfig CONFIG =
      LogConfig.of(
          Map.of(
              "cleanup.policy",
              "compact",
              "segment.bytes",
              "1500",
              "index.interval.bytes",
              "100",
              "delete.retention.ms",
              "1000"));

  @TempDir Path temporary;

  /** Ends the run as a kill would: nothing after it happens. */
  private static final class Killed extends RuntimeException {}

  /** Counts steps, and ends the run before one of them. */
  private static final class Steps {
    int left;
    int taken;

    Steps(int left) {
      this.left = left;
    }

    void step() {
      if (left-- == 0) {
        throw new Killed();
      }
      taken++;
    }
  }

  private static LogCompactor.Outcome compact(
      Path directory, CompactionLog log, long checkpoint, long memory, long nowMs, Steps steps)
      throws IOException, InterruptedException {
    CompactionPlanner.Candidate candidate =
        CompactionPlanner.examine(
            CompactionLog.describe(directory, CONFIG, log.lastStableOffset(), checkpoint), nowMs);
    CompactionPace pace =
        _ -> {
          steps.step();
          return true;
        };
    return new LogCompactor(directory, CONFIG, memory, pace)
        .compact(
            candidate,
            log.producers.lastBatches(),
            nowMs,
            (replaced, _) -> {
              SegmentSwap.commit(directory, replaced.getFirst(), steps::step);
              for (long old : replaced) {
                steps.step();
                Files.move(
                    LogFiles.file(directory, old, LogFiles.LOG),
                    LogFiles.file(directory, old, LogFiles.LOG + LogFiles.DELETED),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
                for (String kind :
                    List.of(
                        LogFiles.OFFSET_INDEX, LogFiles.TIME_INDEX, LogFiles.TRANSACTION_INDEX)) {
                  Files.deleteIfExists(LogFiles.file(directory, old, kind));
                }
              }
              SegmentSwap.finish(directory, replaced.getFirst(), steps::step);
              return true;
            });
  }

  private static LogCompactor.Outcome compact(CompactionLog log, long checkpoint, long nowMs)
      throws IOException, InterruptedException {
    return compact(log.directory, log, checkpoint, 1 << 20, nowMs, new Steps(Integer.MAX_VALUE));
  }

  private static void append(CompactionLog log, String key, @Nullable String value)
      throws IOException {
    log.append(Batches.batch().at(log.endOffset()).of(Batches.record(NOW, key, value)));
  }

  private CompactionLog newLog() throws IOException {
    return new CompactionLog(Files.createTempDirectory(temporary, "log"));
  }

  /**
   * A log of random batches, transactions and rolls; some transactions are still open at its end.
   */
  private CompactionLog randomLog(Random random) throws IOException {
    CompactionLog log = newLog();
    Compression[] compressions = {
      Compression.NONE, Compression.of("lz4").build(), Compression.of("zstd").build()
    };
    Map<Long, Integer> sequences = new HashMap<>();
    Set<Long> inTransaction = new HashSet<>();
    int steps = 40 + random.nextInt(60);
    for (int step = 0; step < steps; step++) {
      long producer = random.nextInt(5);
      boolean transactional = producer >= 3;
      if (transactional && inTransaction.contains(producer) && random.nextInt(3) == 0) {
        log.append(
            Batches.marker(
                log.endOffset(),
                producer,
                0,
                0,
                random.nextBoolean() ? ControlRecordType.ABORT : ControlRecordType.COMMIT));
        inTransaction.remove(producer);
        continue;
      }
      Batches batch =
          Batches.batch()
              .at(log.endOffset())
              .compressed(compressions[random.nextInt(compressions.length)]);
      SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(4)];
      for (int i = 0; i < records.length; i++) {
        records[i] =
            Batches.record(
                NOW + step,
                "key" + random.nextInt(12),
                random.nextInt(6) == 0 ? null : "value " + step + "/" + i);
      }
      if (producer > 0) {
        batch.by(
            producer, 0, sequences.merge(producer, records.length, Integer::sum) - records.length);
      }
      if (transactional) {
        batch.transactional();
        inTransaction.add(producer);
      }
      log.append(batch.of(records));
      if (random.nextInt(8) == 0) {
        log.roll();
      }
    }
    if (random.nextBoolean()) {
      for (long producer : inTransaction) {
        log.append(Batches.marker(log.endOffset(), producer, 0, 0, ControlRecordType.ABORT));
      }
    }
    log.roll();
    append(log, "active", "segment");
    log.close();
    return log;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(from)) {
      for (Path file : files) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  private static void checkMeaning(String run, Path directory, CompactionLog log)
      throws IOException {
    List<Stored> records = CompactionLog.records(directory);
    Map<Long, Stored> original = new HashMap<>();
    log.written.forEach(record -> original.put(record.offset(), record));
    for (Stored record : records) {
      assertThat(record).as(run).isEqualTo(original.get(record.offset()));
    }
    assertThat(CompactionLog.table(records, log.abortedOffsets))
        .as(run)
        .isEqualTo(CompactionLog.table(log.written, log.abortedOffsets));
    // An aborted record that is still there must still be known as aborted.
    Set<Long> stillAborted = new HashSet<>();
    records.stream()
        .filter(record -> log.abortedOffsets.contains(record.offset()))
        .forEach(record -> stillAborted.add(record.offset()));
    List<TransactionIndex.Entry> entries = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(directory, "*" + LogFiles.TRANSACTION_INDEX)) {
      for (Path file : files) {
        entries.addAll(TransactionIndex.read(file));
      }
    }
    for (long offset : stillAborted) {
      assertThat(entries)
          .as(run + ": aborted offset " + offset)
          .anyMatch(entry -> entry.firstOffset() <= offset && offset < entry.lastOffset());
    }
  }

  private static void checkCompacted(
      String run, Path directory, CompactionLog log, long cleanedToOffset) throws IOException {
    Set<String> keys = new HashSet<>();
    for (Stored record : CompactionLog.records(directory)) {
      if (record.offset() < cleanedToOffset) {
        assertThat(keys.add(record.key())).as(run + ": once only: " + record).isTrue();
        assertThat(log.abortedOffsets).as(run).doesNotContain(record.offset());
      }
    }
  }

  @Test
  void killedAtAnyStepALogMeansTheSameAndCanBeCompactedAgain() throws Exception {
    int kills = 0;
    for (long seed = 1; seed <= 2; seed++) {
      CompactionLog log = randomLog(new Random(seed));
      Path rehearsal = Files.createTempDirectory(temporary, "rehearsal");
      copy(log.directory, rehearsal);
      Steps all = new Steps(Integer.MAX_VALUE);
      compact(rehearsal, log, -1, 1 << 20, NOW, all);
      for (int kill = 0; kill <= all.taken; kill++) {
        String run = "seed " + seed + ", killed before step " + kill;
        Path directory = Files.createTempDirectory(temporary, "run");
        copy(log.directory, directory);
        try {
          compact(directory, log, -1, 1 << 20, NOW, new Steps(kill));
        } catch (Killed e) {
          kills++;
        }
        SegmentSwap.recover(directory);
        checkMeaning(run, directory, log);
        LogCompactor.Outcome outcome =
            compact(directory, log, -1, 1 << 20, NOW, new Steps(Integer.MAX_VALUE));
        assertThat(outcome.completed()).isTrue();
        checkMeaning(run + ", compacted again", directory, log);
        checkCompacted(run, directory, log, outcome.cleanedToOffset());
      }
    }
    assertThat(kills).isGreaterThan(30);
  }

  @Test
  void eachKeyKeepsItsLastCommittedValue() throws Exception {
    for (long seed = 1_000; seed < 1_025; seed++) {
      CompactionLog log = randomLog(new Random(seed));
      LogCompactor.Outcome outcome = compact(log, -1, NOW);
      checkMeaning("seed " + seed, log.directory, log);
      checkCompacted("seed " + seed, log.directory, log, outcome.cleanedToOffset());
    }
  }

  @Test
  void abortMarkerBehindTheCompactedPartCounts() throws Exception {
    CompactionLog log = newLog();
    append(log, "a", "1");
    log.append(
        Batches.batch()
            .at(log.endOffset())
            .by(7, 0, 0)
            .transactional()
            .of(Batches.record(NOW, "a", "aborted")));
    log.roll();
    log.append(Batches.marker(log.endOffset(), 7, 0, 0, ControlRecordType.ABORT));
    log.append(
        Batches.batch()
            .at(log.endOffset())
            .by(8, 0, 0)
            .transactional()
            .of(Batches.record(NOW, "b", "open")));
    log.roll();
    append(log, "active", "x");
    log.close();
    assertThat(compact(log, -1, NOW).cleanedToOffset()).isEqualTo(2);
    assertThat(CompactionLog.records(log.directory))
        .extracting(Stored::offset)
        .containsExactly(0L, 3L, 4L);
  }

  @Test
  void smallMapCleansAsFarAsItReachesAndGoesOnFromThere() throws Exception {
    int full = 0;
    for (long seed = 100; seed < 114; seed++) {
      CompactionLog log = randomLog(new Random(seed));
      long checkpoint = -1;
      long previous;
      do {
        previous = checkpoint;
        // Six slots, of which five may be used: fewer than there are keys.
        LogCompactor.Outcome outcome =
            compact(log.directory, log, checkpoint, 6 * 24, NOW, new Steps(Integer.MAX_VALUE));
        checkpoint = outcome.cleanedToOffset();
        full += outcome.mapFull() ? 1 : 0;
        checkMeaning("seed " + seed, log.directory, log);
      } while (checkpoint != previous);
      checkCompacted("seed " + seed, log.directory, log, checkpoint);
    }
    assertThat(full).isGreaterThan(12);
  }

  @Test
  void tombstonesAndMarkersGoAfterTheirDeleteHorizon() throws Exception {
    CompactionLog log = newLog();
    append(log, "a", "1");
    append(log, "a", null);
    log.append(
        Batches.batch()
            .at(log.endOffset())
            .by(7, 0, 0)
            .transactional()
            .of(Batches.record(NOW, "b", "2")));
    log.append(Batches.marker(log.endOffset(), 7, 0, 0, ControlRecordType.ABORT));
    append(log, "c", "3");
    log.append(Batches.batch().at(log.endOffset()).by(7, 0, 1).of(Batches.record(NOW, "d", "4")));
    log.roll();
    append(log, "active", "x");
    log.close();

    compact(log, -1, NOW);
    assertThat(CompactionLog.records(log.directory))
        .extracting(Stored::offset)
        .containsExactly(1L, 4L, 5L, 6L);
    RecordBatch tombstone = CompactionLog.batches(log.directory).getFirst();
    assertThat(tombstone.deleteHorizonMs()).hasValue(NOW + 1_000);

    compact(log, -1, NOW + 999);
    assertThat(CompactionLog.records(log.directory)).hasSize(4);
    assertThat(CompactionLog.batches(log.directory)).anyMatch(RecordBatch::isControlBatch);
    compact(log, -1, NOW + 1_000);
    assertThat(CompactionLog.records(log.directory))
        .extracting(Stored::offset)
        .containsExactly(4L, 5L, 6L);
    compact(log, -1, NOW + 5_000);
    assertThat(CompactionLog.batches(log.directory)).noneMatch(RecordBatch::isControlBatch);
  }

  @Test
  void lastBatchOfAProducerStaysEvenWithoutRecords() throws Exception {
    CompactionLog log = newLog();
    log.append(Batches.batch().at(0).by(7, 2, 0).of(Batches.record(NOW, "a", "1")));
    log.append(Batches.batch().at(1).by(7, 2, 1).of(Batches.record(NOW, "a", "2")));
    append(log, "a", "3");
    append(log, "b", "1");
    log.roll();
    append(log, "active", "x");
    log.close();
    compact(log, -1, NOW);
    RecordBatch first = CompactionLog.batches(log.directory).getFirst();
    assertThat(first.baseOffset()).isEqualTo(1);
    assertThat(first.countOrNull()).isZero();
    assertThat(first.producerId()).isEqualTo(7);
    assertThat(first.lastSequence()).isEqualTo(1);

    ProducerStates replayed = new ProducerStates(0);
    for (RecordBatch batch : CompactionLog.batches(log.directory)) {
      assertThat(replayed.update(batch)).isNull();
    }
    assertThat(replayed.lastBatch(7)).isEqualTo(log.producers.lastBatch(7));
  }

  @Test
  void smallSegmentsBecomeOne() throws Exception {
    CompactionLog log = newLog();
    for (int i = 0; i < 30; i++) {
      append(log, "key" + i % 3, "v" + i);
      log.roll();
    }
    LogCompactor.Outcome outcome = compact(log, -1, NOW);
    assertThat(outcome.cleanedToOffset()).isEqualTo(30);
    assertThat(CompactionLog.logFiles(log.directory)).hasSizeLessThan(5);
    assertThat(CompactionLog.records(log.directory))
        .extracting(Stored::offset)
        .containsExactly(27L, 28L, 29L);
  }

  @Test
  void damagedSegmentIsNotCompactedAndNothingIsLost() throws Exception {
    CompactionLog log = newLog();
    append(log, "a", "1");
    append(log, "a", "2");
    log.roll();
    Path file = CompactionLog.logFiles(log.directory).getFirst();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(() -> compact(log, -1, NOW))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("checksum");
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
  }

  @Test
  void stoppedRunLeavesTheLogAsItWas() throws Exception {
    CompactionLog log = newLog();
    append(log, "a", "1");
    append(log, "a", "2");
    log.roll();
    CompactionPlanner.Candidate candidate =
        CompactionPlanner.examine(
            CompactionLog.describe(log.directory, CONFIG, log.endOffset(), -1), NOW);
    LogCompactor.Outcome outcome =
        new LogCompactor(log.directory, CONFIG, 1 << 20, _ -> false)
            .compact(
                candidate,
                Map.of(),
                NOW,
                (_, _) -> {
                  throw new AssertionError("no swap after a stop");
                });
    assertThat(outcome.completed()).isFalse();
    assertThat(outcome.cleanedToOffset()).isZero();
    assertThat(CompactionLog.records(log.directory)).hasSize(2);
  }

  @Test
  void transactionsThatAreOpenAreLeftAlone() throws Exception {
    CompactionLog log = newLog();
    append(log, "a", "1");
    log.roll();
    log.append(
        Batches.batch()
            .at(log.endOffset())
            .by(7, 0, 0)
            .transactional()
            .of(Batches.record(NOW, "a", "2")));
    log.roll();
    append(log, "a", "3");
    log.roll();
    assertThat(compact(log, -1, NOW).cleanedToOffset()).isEqualTo(1);
    assertThat(CompactionLog.records(log.directory)).hasSize(3);
  }
}
