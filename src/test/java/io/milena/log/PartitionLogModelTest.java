package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random operations on a log and on a plain list of batches; after each they must agree. */
class PartitionLogModelTest {

  private static final TopicPartition PARTITION = new TopicPartition("orders", 3);
  private static final Uuid TOPIC_ID = new Uuid(7, 11);
  private static final int STEPS = 200;

  private static final LogConfig CONFIG =
      LogConfig.of(
          Map.of(
              "segment.bytes", "4000",
              "index.interval.bytes", "300",
              "retention.ms", "2000",
              "message.timestamp.after.max.ms", "9223372036854775807"));

  /** The model: the batches that the log should hold. */
  private final List<byte[]> batches = new ArrayList<>();

  private long startOffset;
  private long endOffset;
  private long nowMs = 1_000_000;
  private int epoch;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void agreesWithAListOfBatches(long seed) throws Exception {
    Random random = new Random(seed);
    PartitionLog log = open(0, 0, true);
    for (int step = 0; step < STEPS; step++) {
      nowMs += random.nextInt(20);
      String doing;
      switch (random.nextInt(24)) {
        case 0 -> {
          doing = "roll";
          log.roll(nowMs);
        }
        case 1 -> {
          doing = "clean reopen";
          log.close();
          log = open(log.recoveryPoint(), log.logStartOffset(), true);
        }
        case 2 -> {
          doing = "reopen as after a crash";
          log = open(log.recoveryPoint(), log.logStartOffset(), false);
        }
        case 3 -> {
          long to = startOffset + random.nextLong(endOffset - startOffset + 1);
          doing = "truncate to " + to;
          endOffset = truncateModel(to);
          assertThat(log.truncateTo(to)).as("seed %d step %d", seed, step).isEqualTo(endOffset);
        }
        case 4 -> {
          long highWatermark = startOffset + random.nextLong(endOffset - startOffset + 1);
          doing = "retention up to " + highWatermark;
          log.enforceRetention(nowMs, highWatermark);
          assertThat(log.logStartOffset()).isBetween(startOffset, highWatermark);
          startOffset = log.logStartOffset();
          forget(batch -> lastOffset(batch) < startOffset);
        }
        case 5 -> {
          doing = "advance the log start";
          startOffset += random.nextLong(endOffset - startOffset + 1);
          log.advanceLogStartOffset(startOffset);
          forget(batch -> lastOffset(batch) < startOffset);
        }
        case 6 -> {
          doing = "flush";
          log.flush(startOffset + random.nextLong(endOffset - startOffset + 1));
        }
        case 7 -> {
          doing = "new epoch";
          epoch += 1 + random.nextInt(2);
        }
        default -> {
          doing = "append";
          append(log, random);
        }
      }
      check(log, random, "seed " + seed + " step " + step + ": " + doing);
    }
    log.close();
  }

  private void append(PartitionLog log, Random random) {
    MemoryRecords records = LogFixtures.random(random, nowMs);
    assertThat(log.appendAsLeader(records, epoch, AppendOrigin.CLIENT, nowMs))
        .isInstanceOfSatisfying(
            AppendOutcome.Appended.class,
            appended -> {
              assertThat(appended.baseOffset()).isEqualTo(endOffset);
              endOffset = appended.lastOffset() + 1;
            });
    batches.add(LogFixtures.bytes(records));
  }

  private long truncateModel(long to) {
    long end = Math.min(to, endOffset);
    for (byte[] batch : batches) {
      if (lastOffset(batch) >= to) {
        end = Math.min(end, header(batch).baseOffset());
      }
    }
    forget(batch -> lastOffset(batch) >= to);
    return Math.max(startOffset, end);
  }

  private void forget(Predicate<byte[]> gone) {
    batches.removeIf(gone);
  }

  private void check(PartitionLog log, Random random, String context) throws Exception {
    LogView view = log.view();
    assertThat(view.logStartOffset()).as(context).isEqualTo(startOffset);
    assertThat(view.logEndOffset()).as(context).isEqualTo(endOffset);
    long from = startOffset + random.nextLong(endOffset - startOffset + 1);
    long bound = from + random.nextLong(endOffset - from + 1);
    List<byte[]> expected =
        batches.stream()
            .filter(batch -> lastOffset(batch) >= from && lastOffset(batch) < bound)
            .toList();
    assertThat(LogFixtures.readAll(view, from, bound, 1 + random.nextInt(3000)))
        .as(context)
        .usingElementComparator(java.util.Arrays::compare)
        .containsExactlyElementsOf(expected);
    if (!expected.isEmpty()) {
      assertThat(view.availableBytes(from, bound)).as(context).isPositive();
      assertThat(view.epochAt(lastOffset(expected.getFirst())))
          .as(context)
          .isEqualTo(header(expected.getFirst()).leaderEpoch());
    }
    checkTimestamps(view, bound, nowMs - random.nextInt(500), context);
    assertThat(log.verify()).as(context).isEmpty();
  }

  private void checkTimestamps(LogView view, long bound, long timestampMs, String context)
      throws Exception {
    Optional<LogView.TimestampedOffset> first = Optional.empty();
    Optional<LogView.TimestampedOffset> newest = Optional.empty();
    for (byte[] batch : batches) {
      // The largest timestamp is looked for in whole batches below the bound.
      boolean whole = lastOffset(batch) < bound;
      for (Record record : MemoryRecords.readableRecords(ByteBuffer.wrap(batch)).records()) {
        var candidate =
            new LogView.TimestampedOffset(
                record.offset(), record.timestamp(), header(batch).leaderEpoch());
        if (record.offset() < startOffset || record.offset() >= bound) {
          continue;
        }
        if (first.isEmpty() && record.timestamp() >= timestampMs) {
          first = Optional.of(candidate);
        }
        if (whole && (newest.isEmpty() || record.timestamp() > newest.get().timestampMs())) {
          newest = Optional.of(candidate);
        }
      }
    }
    assertThat(view.offsetForTimestamp(timestampMs, bound)).as(context).isEqualTo(first);
    assertThat(view.maxTimestamp(bound).map(LogView.TimestampedOffset::timestampMs))
        .as(context)
        .isEqualTo(newest.map(LogView.TimestampedOffset::timestampMs));
  }

  private PartitionLog open(long recoveryPoint, long logStartOffset, boolean clean) {
    return PartitionLog.open(
            directory.resolve(PARTITION.toString()),
            PARTITION,
            Optional.of(TOPIC_ID),
            CONFIG,
            Clock.system(),
            new PartitionLog.OpenState(recoveryPoint, logStartOffset, clean))
        .log();
  }

  private static BatchHeader header(byte[] batch) {
    return BatchHeader.read(ByteBuffer.wrap(batch), 0);
  }

  private static long lastOffset(byte[] batch) {
    return header(batch).lastOffset();
  }
}
