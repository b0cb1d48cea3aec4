package io.milena.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ProducerStatesTest {

  private static final long PID = 42;

  private final ProducerStates states = new ProducerStates(0);
  private long nextOffset;

  private static @Nullable AppendOutcome check(
      ProducerStates states, AppendOrigin origin, MemoryRecords records) {
    return states.check(records.buffer(), 0, origin);
  }

  private @Nullable AppendOutcome check(MemoryRecords records) {
    return check(states, AppendOrigin.CLIENT, records);
  }

  private @Nullable CompletedTransaction append(MemoryRecords records) {
    ByteBuffer buffer = records.buffer();
    buffer.putLong(0, nextOffset);
    CompletedTransaction completed = states.update(buffer, 0);
    nextOffset = states.endOffset();
    if (completed != null) {
      states.complete(completed);
    }
    states.checkInvariants();
    return completed;
  }

  private static MemoryRecords data(int epoch, int sequence, int count) {
    return Batches.batch().by(PID, epoch, sequence).ofCount(count);
  }

  private static MemoryRecords transactional(long producerId, int sequence, int count) {
    return Batches.batch().by(producerId, 0, sequence).transactional().ofCount(count);
  }

  private static Errors error(@Nullable AppendOutcome outcome) {
    assertThat(outcome).isInstanceOf(AppendOutcome.Rejected.class);
    return ((AppendOutcome.Rejected) java.util.Objects.requireNonNull(outcome)).error();
  }

  @Test
  void unknownProducerMayStartWithAnySequence() {
    // KIP-360
    assertThat(check(data(0, 77, 1))).isNull();
    append(data(0, 77, 1));
    assertThat(check(data(0, 78, 5))).isNull();
  }

  @Test
  void batchWithoutProducerIdIsNotLookedAt() {
    append(Batches.batch().ofCount(3));
    assertThat(states.size()).isZero();
    assertThat(states.endOffset()).isEqualTo(3);
  }

  @Test
  void gapsAndRepetitionsAreOutOfOrder() {
    append(data(0, 0, 10));
    assertThat(error(check(data(0, 11, 1)))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assertThat(error(check(data(0, 5, 1)))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assertThat(error(check(data(0, 0, 9)))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assertThat(check(data(0, 10, 1))).isNull();
    assertThat(check(states, AppendOrigin.COORDINATOR, data(0, 11, 1))).isNull();
  }

  @Test
  void lastFiveBatchesAreRecognisedAsDuplicates() {
    for (int i = 0; i < 7; i++) {
      append(data(0, i * 2, 2));
    }
    for (int i = 2; i < 7; i++) {
      assertThat(check(data(0, i * 2, 2)))
          .isEqualTo(new AppendOutcome.Duplicate(i * 2L, i * 2L + 1, -1));
    }
    assertThat(error(check(data(0, 2, 2)))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
  }

  @Test
  void sequencesWrapAroundToZero() {
    append(data(0, Integer.MAX_VALUE - 1, 4));
    assertThat(check(data(0, Integer.MAX_VALUE - 1, 4)))
        .isEqualTo(new AppendOutcome.Duplicate(0, 3, -1));
    assertThat(check(data(0, 2, 1))).isNull();
    assertThat(error(check(data(0, 0, 1)))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);

    append(data(1, 0, 1));
    append(data(2, Integer.MAX_VALUE, 1));
    assertThat(check(data(2, 0, 1))).isNull();
  }

  @Test
  void epochsOnlyGrowAndBeginWithSequenceZero() {
    append(data(3, 0, 1));
    assertThat(error(check(data(2, 1, 1)))).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
    assertThat(error(check(data(4, 1, 1)))).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assertThat(check(data(4, 0, 1))).isNull();
    append(data(4, 0, 1));
    assertThat(error(check(data(3, 0, 1)))).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
  }

  @Test
  void markersCompleteTransactionsAndFenceOldCoordinators() {
    append(transactional(PID, 0, 3));
    assertThat(states.firstUnstableOffset()).hasValue(0);
    append(transactional(PID, 3, 1));
    append(transactional(7, 0, 1));
    assertThat(error(check(data(0, 4, 1)))).isEqualTo(Errors.INVALID_TXN_STATE);

    CompletedTransaction aborted = append(Batches.marker(0, PID, 0, 5, ControlRecordType.ABORT));

    assertThat(aborted).isEqualTo(new CompletedTransaction(PID, 0, 5, true));
    assertThat(states.firstUndecidedOffset()).hasValue(4);
    assertThat(states.firstUnstableOffset()).as("until the marker is replicated").hasValue(0);
    states.onHighWatermark(5);
    assertThat(states.firstUnstableOffset()).hasValue(0);
    states.onHighWatermark(6);
    assertThat(states.firstUnstableOffset()).hasValue(4);
    assertThat(
            error(
                check(
                    states,
                    AppendOrigin.COORDINATOR,
                    Batches.marker(0, PID, 0, 4, ControlRecordType.COMMIT))))
        .isEqualTo(Errors.TRANSACTION_COORDINATOR_FENCED);
    CompletedTransaction committed = append(Batches.marker(0, 7, 0, 5, ControlRecordType.COMMIT));
    assertThat(committed).isEqualTo(new CompletedTransaction(7, 4, 6, false));
    states.onHighWatermark(7);
    assertThat(states.firstUnstableOffset()).isEmpty();
  }

  @Test
  void markerWithANewEpochFencesTheOldOne() {
    append(transactional(PID, 0, 3));
    append(Batches.marker(0, PID, 1, 0, ControlRecordType.ABORT));
    assertThat(error(check(transactional(PID, 3, 1)))).isEqualTo(Errors.INVALID_PRODUCER_EPOCH);
    assertThat(check(Batches.batch().by(PID, 1, 0).transactional().ofCount(1))).isNull();
    assertThat(error(check(Batches.batch().by(PID, 1, 3).transactional().ofCount(1))))
        .isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
  }

  @Test
  void lastStableOffsetOfAnAbortIsTheNextOpenTransaction() {
    append(transactional(1, 0, 1));
    append(transactional(2, 0, 1));
    MemoryRecords marker = Batches.marker(2, 1, 0, 0, ControlRecordType.ABORT);
    CompletedTransaction first = states.update(marker.buffer(), 0);
    assertThat(first).isNotNull();
    assertThat(states.lastStableOffset(first)).isEqualTo(1);
    states.complete(first);
    MemoryRecords second = Batches.marker(3, 2, 0, 0, ControlRecordType.ABORT);
    CompletedTransaction last = states.update(second.buffer(), 0);
    assertThat(last).isNotNull();
    assertThat(states.lastStableOffset(last)).isEqualTo(4);
  }

  @Test
  void silentProducersExpireUnlessTheyHaveAnOpenTransaction() {
    append(data(0, 0, 1));
    append(transactional(7, 0, 1));
    states.removeExpired(999, 1_000);
    assertThat(states.size()).isEqualTo(2);
    states.removeExpired(1_000, 1_000);
    assertThat(states.snapshot()).extracting(ProducerSnapshotEntry::producerId).containsExactly(7L);
    states.checkInvariants();
  }

  @Test
  void stateSurvivesASnapshotWithItsLastBatch() throws Exception {
    append(data(2, 0, 3));
    append(data(2, 3, 2));
    append(transactional(7, 0, 1));
    List<ProducerSnapshotEntry> decoded =
        ProducerSnapshots.decode(ProducerSnapshots.encode(states.snapshot()).array());
    assertThat(decoded).isEqualTo(states.snapshot());
    ProducerStates loaded = new ProducerStates(0);
    loaded.load(decoded, states.endOffset(), 0, 1_000);
    loaded.checkInvariants();
    assertThat(check(loaded, AppendOrigin.CLIENT, data(2, 3, 2)))
        .isEqualTo(new AppendOutcome.Duplicate(3, 4, -1));
    assertThat(check(loaded, AppendOrigin.CLIENT, data(2, 5, 2))).isNull();
    assertThat(loaded.firstUnstableOffset()).hasValue(5);
    assertThat(loaded.endOffset()).isEqualTo(6);
  }

  /** What a producer sent, kept whole: the naive truth. */
  private static final class Model {
    record Sent(int sequence, int count, long offset) {}

    static final class Producer {
      int epoch;
      final List<Sent> sent = new ArrayList<>();
    }

    final Map<Long, Producer> producers = new HashMap<>();

    String verdict(long id, int epoch, int sequence, int count) {
      Producer producer = producers.get(id);
      if (producer == null) {
        return "append";
      }
      if (epoch < producer.epoch) {
        return "INVALID_PRODUCER_EPOCH";
      }
      if (epoch > producer.epoch) {
        return sequence == 0 ? "append" : "OUT_OF_ORDER_SEQUENCE_NUMBER";
      }
      int size = producer.sent.size();
      for (Sent sent : producer.sent.subList(Math.max(0, size - 5), size)) {
        if (sent.sequence == sequence && sent.count == count) {
          return "duplicate at " + sent.offset;
        }
      }
      Sent last = producer.sent.getLast();
      long expected = ((long) last.sequence + last.count) % (1L << 31);
      return sequence == expected ? "append" : "OUT_OF_ORDER_SEQUENCE_NUMBER";
    }

    void append(long id, int epoch, int sequence, int count, long offset) {
      Producer producer = producers.computeIfAbsent(id, _ -> new Producer());
      if (producer.epoch != epoch) {
        producer.epoch = epoch;
        producer.sent.clear();
      }
      producer.sent.add(new Sent(sequence, count, offset));
    }
  }

  @Test
  void agreesWithANaiveModelOverRandomProducers() {
    for (long seed = 1; seed <= 30; seed++) {
      Random random = new Random(seed);
      ProducerStates real = new ProducerStates(0);
      Model model = new Model();
      long offset = 0;
      int appended = 0;
      for (int step = 0; step < 1_500; step++) {
        long id = 1_000L * random.nextInt(40);
        Model.Producer known = model.producers.get(id);
        int epoch =
            known == null
                ? 0
                : Math.max(0, known.epoch + random.nextInt(12) / 10 - random.nextInt(12) / 11);
        int count = 1 + random.nextInt(3);
        int sequence;
        if (known == null) {
          sequence = random.nextBoolean() ? 0 : Integer.MAX_VALUE - random.nextInt(5);
        } else if (epoch != known.epoch) {
          sequence = random.nextInt(5) == 0 ? 1 : 0;
        } else {
          Model.Sent base = known.sent.get(Math.max(0, known.sent.size() - 1 - random.nextInt(7)));
          boolean again = random.nextInt(3) == 0;
          count = again ? base.count : count;
          sequence =
              again
                  ? base.sequence
                  : ProducerStateEntry.incrementSequence(
                      known.sent.getLast().sequence,
                      known.sent.getLast().count + random.nextInt(11) / 10);
        }
        MemoryRecords batch = Batches.batch().at(offset).by(id, epoch, sequence).ofCount(count);
        AppendOutcome outcome = check(real, AppendOrigin.CLIENT, batch);
        String verdict =
            switch (outcome) {
              case null -> "append";
              case AppendOutcome.Duplicate duplicate -> "duplicate at " + duplicate.baseOffset();
              case AppendOutcome.Rejected rejected -> rejected.error().name();
              case AppendOutcome.Appended _ -> "impossible";
            };
        assertThat(verdict)
            .as("seed %d, step %d", seed, step)
            .isEqualTo(model.verdict(id, epoch, sequence, count));
        if (outcome == null) {
          real.update(batch.buffer(), 0);
          model.append(id, epoch, sequence, count, offset);
          offset += count;
          appended++;
        }
        real.checkInvariants();
      }
      assertThat(appended).isGreaterThan(300);
      assertThat(real.size()).isEqualTo(model.producers.size());
    }
  }
}
