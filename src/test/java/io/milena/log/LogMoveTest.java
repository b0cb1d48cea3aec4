package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogMoveTest {

  private static final TopicPartition PARTITION = new TopicPartition("orders", 3);
  private static final long NOW_MS = Clock.system().wallClockMs();
  private static final LogConfig CONFIG =
      LogConfig.of(Map.of("segment.bytes", "3000", "index.interval.bytes", "300"));

  @TempDir Path root;
  private LogDirectory from;
  private LogDirectory to;
  private PartitionLog log;
  private final List<PartitionLog.LeftBehind> left = new ArrayList<>();

  @BeforeEach
  void open() {
    from = LogDirectory.open(root.resolve("from"));
    to = LogDirectory.open(root.resolve("to"));
    log = openIn(from);
  }

  private static PartitionLog openIn(LogDirectory directory) {
    return PartitionLog.open(
            directory.logPath(PARTITION),
            PARTITION,
            Optional.of(Uuid.ONE_UUID),
            CONFIG,
            Clock.system(),
            PartitionLog.OpenState.UNKNOWN)
        .log();
  }

  @AfterEach
  void close() {
    log.close();
    from.close();
    to.close();
  }

  private LogMove move() {
    return new LogMove(log, Uuid.ONE_UUID, to, Clock.system());
  }

  private LogMove.Finished finish(LogMove move) throws IOException {
    return move.finish(log, log.logEndOffset(), left::add);
  }

  private void append(int batches) {
    for (int i = 0; i < batches; i++) {
      assertThat(append(LogFixtures.batch(NOW_MS, 3, 50)))
          .isInstanceOf(AppendOutcome.Appended.class);
    }
  }

  private AppendOutcome append(MemoryRecords batch) {
    return log.appendAsLeader(batch, 2, AppendOrigin.CLIENT, NOW_MS);
  }

  private List<byte[]> content() throws Exception {
    return LogFixtures.readAll(log.view(), log.logStartOffset(), log.logEndOffset(), 10_000);
  }

  private static List<String> names(LogDirectory directory) throws IOException {
    try (Stream<Path> files = Files.list(directory.path())) {
      return files.filter(Files::isDirectory).map(path -> path.getFileName().toString()).toList();
    }
  }

  @Test
  void theLogGoesOnInTheOtherDirectoryWithAllItKnows() throws Exception {
    MemoryRecords idempotent = Batches.batch().by(77, 0, 0).of(Batches.record(NOW_MS, "k", "v"));
    byte[] sent = Batches.copyOf(idempotent);
    append(idempotent);
    append(60);
    log.advanceLogStartOffset(1);
    List<byte[]> before = content();
    LogView earlier = log.view();
    PartitionLog.PendingFlush flush = log.prepareFlush(log.logEndOffset());

    LogMove move = move();
    assertThat(move.copy(CompactionPace.unlimited())).isTrue();
    assertThat(move.copiedToOffset()).isEqualTo(log.logEndOffset());
    append(2);
    before = content();
    assertThat(finish(move)).isEqualTo(LogMove.Finished.MOVED);

    assertThat(log.directory()).isEqualTo(to.logPath(PARTITION));
    assertThat(content()).usingRecursiveComparison().isEqualTo(before);
    assertThat(log.logStartOffset()).isEqualTo(1);
    assertThat(log.recoveryPoint()).as("the copy is on disk").isEqualTo(log.logEndOffset());
    assertThat(log.view().latestLeaderEpoch()).isEqualTo(2);
    assertThat(append(MemoryRecords.readableRecords(java.nio.ByteBuffer.wrap(sent))))
        .as("producers are known")
        .isInstanceOf(AppendOutcome.Duplicate.class);

    left.getFirst().setAside();
    flush.run();
    log.completeFlush(flush);
    assertThat(LogFixtures.readAll(earlier, 1, earlier.logEndOffset(), 10_000))
        .as("who began to read before goes on")
        .hasSize(before.size() - 2);
    assertThat(from.partitions()).isEmpty();
    left.getFirst().delete();
    assertThat(names(from)).isEmpty();
    log.checkFiles();
    append(40);
    move.abandon();
    long end = log.logEndOffset();
    log.close();
    log = openIn(to);
    assertThat(log.logEndOffset()).isEqualTo(end);
  }

  /** Whatever happens to a log while it is copied, the copy is what the log is. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void aLogThatIsChangedWhileItIsCopiedIsMovedAsItIs(long seed) throws Exception {
    Random random = new Random(seed);
    append(random.nextInt(100));
    LogMove move = move();
    LogMove.Finished finished = LogMove.Finished.NOT_YET;
    for (int round = 0; finished != LogMove.Finished.MOVED; round++) {
      AtomicInteger pieces = new AtomicInteger(random.nextInt(4));
      move.copy(_ -> pieces.decrementAndGet() > 0);
      if (round < 12) {
        switch (random.nextInt(5)) {
          case 0 -> log.truncateTo(random.nextLong(log.logStartOffset(), log.logEndOffset() + 1));
          case 1 ->
              log.advanceLogStartOffset(
                  random.nextLong(log.logStartOffset(), log.logEndOffset() + 1));
          case 2 -> log.enforceRetention(NOW_MS, log.logEndOffset());
          default -> append(random.nextInt(30));
        }
      }
      if (round > 6 || random.nextInt(3) == 0) {
        List<byte[]> before = content();
        long start = log.logStartOffset();
        long end = log.logEndOffset();
        finished = finish(move);
        assertThat(content()).as("seed " + seed).usingRecursiveComparison().isEqualTo(before);
        assertThat(log.logStartOffset()).as("seed " + seed).isEqualTo(start);
        assertThat(log.logEndOffset()).as("seed " + seed).isEqualTo(end);
      }
    }
    assertThat(log.directory()).isEqualTo(to.logPath(PARTITION));
    left.getFirst().delete();
  }

  @Test
  void damageIsNotCopied() throws Exception {
    append(40);
    Path first = LogFiles.file(log.directory(), 0, LogFiles.LOG);
    try (RandomAccessFile file = new RandomAccessFile(first.toFile(), "rw")) {
      file.seek(150);
      file.write(file.read() ^ 0x55);
    }
    LogMove move = move();
    assertThatThrownBy(() -> move.copy(CompactionPace.unlimited()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(log.directory().toString());
    move.abandon();
    assertThat(names(to)).isEmpty();
    assertThat(log.directory()).isEqualTo(from.logPath(PARTITION));
  }

  @Test
  void aCopyThatCannotTakeItsPlaceLeavesTheLogWhereItIs() throws Exception {
    append(10);
    LogMove move = move();
    move.copy(CompactionPace.unlimited());
    Files.createDirectories(to.logPath(PARTITION).resolve("in the way"));
    assertThatThrownBy(() -> finish(move)).isInstanceOf(IOException.class);
    assertThat(log.directory()).isEqualTo(from.logPath(PARTITION));
    append(1);
    assertThat(content()).hasSize(11);
  }

  @Test
  void unfinishedCopiesAreFoundAndRemovedByTheNextStart() throws Exception {
    append(10);
    move().copy(CompactionPace.unlimited());
    assertThat(to.partitions()).as("a copy is no log yet").isEmpty();
    assertThat(to.removeFutures()).containsExactly(PARTITION);
    assertThat(names(to)).isEmpty();
  }

  @Test
  void theFresherOfTwoIsTheOneWithTheNewerEpochThenWithMore() {
    append(10);
    PartitionLog other = openIn(to);
    other.appendAsLeader(LogFixtures.batch(NOW_MS, 3, 50), 2, AppendOrigin.CLIENT, NOW_MS);
    other.flush(3);
    log.flush(log.logEndOffset());
    assertThat(from.freshness(PARTITION)).isGreaterThan(to.freshness(PARTITION));
    other.appendAsLeader(LogFixtures.batch(NOW_MS, 3, 50), 3, AppendOrigin.CLIENT, NOW_MS);
    other.flush(6);
    assertThat(from.freshness(PARTITION)).isLessThan(to.freshness(PARTITION));
    other.close();
  }
}
