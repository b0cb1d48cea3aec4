package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a log is after a crash: every whole batch, nothing else, and what it knew of producers. */
class PartitionLogRecoveryTest {

  private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
  private static final LogConfig CONFIG =
      LogConfig.of(Map.of("segment.bytes", "3000", "index.interval.bytes", "200"));
  private static final long NOW_MS = Clock.system().wallClockMs();

  @TempDir Path root;

  private Path original;
  private PartitionLog log;
  private final List<byte[]> batches = new ArrayList<>();

  @BeforeEach
  void fill() {
    original = root.resolve("original");
    log = open(original, 0, false).log();
    Random random = new Random(42);
    for (int i = 0; i < 40; i++) {
      MemoryRecords records = LogFixtures.random(random, NOW_MS + i);
      log.appendAsLeader(records, i / 10, AppendOrigin.CLIENT, NOW_MS);
      batches.add(LogFixtures.bytes(records));
    }
    assertThat(segmentFiles(original)).hasSizeGreaterThan(2);
  }

  @Test
  void keepsEveryWholeBatchWhereverTheTailIsTorn() throws Exception {
    Path last = segmentFiles(original).getLast();
    int size = (int) Files.size(last);
    long before = bytesBefore(last);
    for (int cut = 0; cut <= size; cut += cut < size - 300 ? 13 : 1) {
      Path copy = copy(original, "torn");
      truncate(copy.resolve(last.getFileName()), cut);
      PartitionLog.Opened opened = open(copy, 0, false);
      assertThat(opened.report().cutBytes())
          .as("cut at %d", cut)
          .isEqualTo(before + cut - opened.log().view().sizeBytes());
      assertHolds(opened.log(), before + cut, "cut at " + cut);
      LogFiles.deleteRecursively(copy);
    }
  }

  @Test
  void endsAtTheFirstDamagedByteAndSaysSo() throws Exception {
    Random random = new Random(7);
    List<Path> files = segmentFiles(original);
    for (int i = 0; i < 150; i++) {
      Path damaged = files.get(random.nextInt(files.size()));
      int position = random.nextInt((int) Files.size(damaged));
      int inBatch = position - batchStart(damaged, position);
      if (inBatch >= BatchLayout.LEADER_EPOCH && inBatch < 16) {
        continue; // Kafka's format does not protect the leader epoch.
      }
      Path copy = copy(original, "garbled");
      Path file = copy.resolve(damaged.getFileName());
      byte[] bytes = Files.readAllBytes(file);
      bytes[position] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, bytes);
      PartitionLog.Opened opened = open(copy, 0, false);
      if (inBatch >= BatchLayout.LENGTH) {
        assertHolds(opened.log(), bytesBefore(damaged) + position, "bit at " + position);
        assertThat(opened.report().faults()).hasSize(1);
        assertThat(opened.report().summary()).contains("cut", damaged.getFileName().toString());
      } else {
        // A base offset is not protected either; it must still never go backwards.
        assertThat(opened.log().verify()).isEmpty();
      }
      LogFiles.deleteRecursively(copy);
    }
  }

  @Test
  void rebuiltIndexesFindEverything() throws Exception {
    Path copy = copy(original, "no-indexes");
    for (Path file : files(copy)) {
      if (file.toString().endsWith("index")) {
        Files.delete(file);
      }
    }
    assertHolds(open(copy, 0, false).log(), Long.MAX_VALUE, "after a crash");
    log.close();
    Path closed = copy(original, "closed");
    for (Path file : files(closed)) {
      if (file.toString().endsWith("index")) {
        Files.delete(file);
      }
    }
    PartitionLog.Opened opened = open(closed, 0, true);
    assertThat(opened.report().rebuiltIndexes()).isEqualTo(segmentFiles(closed).size());
    assertHolds(opened.log(), Long.MAX_VALUE, "after a clean stop");
  }

  @Test
  void cleanStopScansNothing() throws Exception {
    log.close();
    PartitionLog.Opened opened = open(original, 0, true);
    assertThat(opened.report().untouched()).isTrue();
    assertHolds(opened.log(), Long.MAX_VALUE, "reopened");
  }

  @Test
  void scansOnlyFromTheRecoveryPointOn() throws Exception {
    log.flush(log.logEndOffset());
    PartitionLog.Opened opened = open(copy(original, "flushed"), log.recoveryPoint(), false);
    assertThat(opened.report().scannedSegments()).isEqualTo(1);
    assertThat(opened.report().rebuiltIndexes()).isZero();
    assertHolds(opened.log(), Long.MAX_VALUE, "flushed");
  }

  @Test
  void knowsProducersAndEpochsAgain() throws Exception {
    MemoryRecords first = idempotent(0);
    AppendOutcome.Appended appended =
        (AppendOutcome.Appended) log.appendAsLeader(first, 9, AppendOrigin.CLIENT, NOW_MS);
    log.roll(NOW_MS);
    PartitionLog again = open(copy(original, "producers"), 0, false).log();
    assertThat(again.view().latestLeaderEpoch()).isEqualTo(9);
    assertThat(again.view().endOffsetForEpoch(1)).isEqualTo(log.view().endOffsetForEpoch(1));
    assertThat(again.appendAsLeader(idempotent(0), 9, AppendOrigin.CLIENT, NOW_MS))
        .isEqualTo(new AppendOutcome.Duplicate(appended.baseOffset(), appended.lastOffset(), -1));
    assertThat(again.appendAsLeader(idempotent(5), 9, AppendOrigin.CLIENT, NOW_MS))
        .isInstanceOfSatisfying(
            AppendOutcome.Rejected.class,
            rejected ->
                assertThat(rejected.error()).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER));
  }

  private static MemoryRecords idempotent(int sequence) {
    return MemoryRecords.withIdempotentRecords(
        Compression.NONE,
        4711,
        (short) 0,
        sequence,
        new SimpleRecord(NOW_MS, "a".getBytes(), "b".getBytes()),
        new SimpleRecord(NOW_MS, "c".getBytes(), "d".getBytes()));
  }

  /**
   * The log has the batches that lie wholly below a count of bytes, can be appended to, verified.
   */
  private void assertHolds(PartitionLog actual, long bytes, String context) throws Exception {
    List<byte[]> expected = new ArrayList<>();
    long end = 0;
    for (byte[] batch : batches) {
      end += batch.length;
      if (end > bytes) {
        break;
      }
      expected.add(batch);
    }
    LogView view = actual.view();
    assertThat(LogFixtures.readAll(view, 0, view.logEndOffset(), 700))
        .as(context)
        .usingElementComparator(java.util.Arrays::compare)
        .containsExactlyElementsOf(expected);
    assertThat(
            actual.appendAsLeader(LogFixtures.batch(NOW_MS, 1, 10), 5, AppendOrigin.CLIENT, NOW_MS))
        .as(context)
        .isInstanceOf(AppendOutcome.Appended.class);
    assertThat(actual.verify()).as(context).isEmpty();
    actual.delete();
  }

  private static PartitionLog.Opened open(Path directory, long recoveryPoint, boolean clean) {
    return PartitionLog.open(
        directory,
        PARTITION,
        Optional.empty(),
        CONFIG,
        Clock.system(),
        new PartitionLog.OpenState(recoveryPoint, 0, clean));
  }

  private long bytesBefore(Path segment) throws IOException {
    long bytes = 0;
    for (Path file : segmentFiles(original)) {
      if (file.equals(segment)) {
        break;
      }
      bytes += Files.size(file);
    }
    return bytes;
  }

  private static int batchStart(Path file, int position) throws IOException {
    var bytes = java.nio.ByteBuffer.wrap(Files.readAllBytes(file));
    int start = 0;
    while (start + BatchHeader.read(bytes, start).sizeBytes() <= position) {
      start += BatchHeader.read(bytes, start).sizeBytes();
    }
    return start;
  }

  private static List<Path> segmentFiles(Path directory) {
    return files(directory).stream().filter(file -> file.toString().endsWith(".log")).toList();
  }

  private static List<Path> files(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private Path copy(Path from, String name) throws IOException {
    Path to = Files.createDirectories(root.resolve(name));
    for (Path file : files(from)) {
      Files.copy(file, to.resolve(file.getFileName()));
    }
    return to;
  }

  private static void truncate(Path file, int size) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, size));
  }
}
