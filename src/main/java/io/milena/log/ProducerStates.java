package io.milena.log;

import static io.milena.log.ProducerStateEntry.NO_EPOCH;
import static io.milena.log.ProducerStateEntry.NO_OFFSET;
import static io.milena.log.ProducerStateEntry.NO_SEQUENCE;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * The producers that a partition knows: what makes a retried batch be stored once (KIP-98) and what
 * says where the first open transaction begins. Pure: no files, no clock; owned by one thread.
 *
 * <p>A leader asks {@link #check} before it appends; everybody who has written or read a batch, in
 * offset order, tells {@link #update}, which accepts whatever is in the log. {@link
 * ProducerSnapshots} keeps the state on disk.
 *
 * <p>The number of producers is bounded by expiry only ({@code producer.id.expiration.ms}), as in
 * Kafka: call {@link #removeExpired} now and then. A producer costs about 120 bytes with one batch.
 */
final class ProducerStates {

  private final ProducerTable producers = new ProducerTable();

  /** Open transactions by first offset; the value is the producer id. */
  private final TreeMap<Long, Long> open = new TreeMap<>();

  /** Completed transactions whose marker is not below the high watermark, by first offset. */
  private final TreeMap<Long, CompletedTransaction> unreplicated = new TreeMap<>();

  private long endOffset;

  /** Nothing known, for a log that starts at this offset. */
  ProducerStates(long startOffset) {
    this.endOffset = startOffset;
  }

  /**
   * Says whether a leader may append a batch. Changes nothing.
   *
   * @param buffer holds a valid batch of format 2
   * @param position of the batch in the buffer
   * @return null when it may; {@link AppendOutcome.Duplicate} when the log holds it already; else
   *     {@link AppendOutcome.Rejected} with OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH,
   *     INVALID_TXN_STATE or TRANSACTION_COORDINATOR_FENCED. Kafka no longer answers
   *     UNKNOWN_PRODUCER_ID here: an unknown producer may start with any sequence (KIP-360).
   */
  @Nullable AppendOutcome check(ByteBuffer buffer, int position, AppendOrigin origin) {
    long producerId = BatchLayout.producerId(buffer, position);
    if (producerId < 0) {
      return null;
    }
    ProducerStateEntry entry = producers.get(producerId);
    if (entry == null) {
      return null;
    }
    short epoch = BatchLayout.producerEpoch(buffer, position);
    int attributes = BatchLayout.attributes(buffer, position);
    if ((attributes & BatchLayout.CONTROL_FLAG) != 0) {
      return checkMarker(entry, epoch, MarkerReader.coordinatorEpoch(buffer, position));
    }
    int baseSequence = BatchLayout.baseSequence(buffer, position);
    if (origin == AppendOrigin.CLIENT && epoch == entry.epoch) {
      int lastSequence =
          ProducerStateEntry.incrementSequence(
              baseSequence, BatchLayout.lastOffsetDelta(buffer, position));
      int duplicate = entry.indexOf(baseSequence, lastSequence);
      if (duplicate >= 0) {
        return new AppendOutcome.Duplicate(
            entry.baseOffsetOf(duplicate),
            entry.lastOffsetOf(duplicate),
            (attributes & BatchLayout.LOG_APPEND_TIME_FLAG) != 0
                ? entry.timestampMsOf(duplicate)
                : RecordBatch.NO_TIMESTAMP);
      }
    }
    if (epoch < entry.epoch) {
      return staleEpoch(entry, epoch);
    }
    if (origin == AppendOrigin.CLIENT) {
      AppendOutcome outOfOrder = checkSequence(entry, epoch, baseSequence);
      if (outOfOrder != null) {
        return outOfOrder;
      }
    }
    if (entry.hasOpenTransaction() && (attributes & BatchLayout.TRANSACTIONAL_FLAG) == 0) {
      return new AppendOutcome.Rejected(
          Errors.INVALID_TXN_STATE,
          "producer "
              + producerId
              + " sent a batch outside of a transaction while its transaction from offset "
              + entry.openTransactionFirstOffset
              + " is open");
    }
    return null;
  }

  private static @Nullable AppendOutcome checkSequence(
      ProducerStateEntry entry, short epoch, int baseSequence) {
    if (entry.epoch == NO_EPOCH) {
      return null;
    }
    if (epoch != entry.epoch) {
      return baseSequence == 0
          ? null
          : new AppendOutcome.Rejected(
              Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
              "producer "
                  + entry.producerId
                  + " begins epoch "
                  + epoch
                  + " with sequence "
                  + baseSequence
                  + ": a new epoch (the last one was "
                  + entry.epoch
                  + ") begins with 0");
    }
    int last = entry.lastSequence();
    // After an end marker of a newer epoch the log has no batch of this epoch: begin with 0.
    int expected = last == NO_SEQUENCE ? 0 : ProducerStateEntry.incrementSequence(last, 1);
    if (baseSequence == expected) {
      return null;
    }
    return new AppendOutcome.Rejected(
        Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
        "out of order sequence for producer "
            + entry.producerId
            + " in epoch "
            + epoch
            + ": "
            + baseSequence
            + " came, "
            + expected
            + " is next");
  }

  private static @Nullable AppendOutcome checkMarker(
      ProducerStateEntry entry, short epoch, int coordinatorEpoch) {
    if (epoch < entry.epoch) {
      return staleEpoch(entry, epoch);
    }
    if (coordinatorEpoch < entry.coordinatorEpoch) {
      return new AppendOutcome.Rejected(
          Errors.TRANSACTION_COORDINATOR_FENCED,
          "transaction marker for producer "
              + entry.producerId
              + " comes from coordinator epoch "
              + coordinatorEpoch
              + ", but "
              + entry.coordinatorEpoch
              + " has written here");
    }
    return null;
  }

  private static AppendOutcome staleEpoch(ProducerStateEntry entry, short epoch) {
    return new AppendOutcome.Rejected(
        Errors.INVALID_PRODUCER_EPOCH,
        "epoch "
            + epoch
            + " of producer "
            + entry.producerId
            + " is older than "
            + entry.epoch
            + ", the last one seen");
  }

  /**
   * Takes in a batch that is in the log, and moves {@link #endOffset()} past it.
   *
   * @param buffer holds the batch, offsets assigned
   * @return the transaction it completes, or null. The caller adds an aborted one to the {@link
   *     TransactionIndex} with {@link #lastStableOffset} and then calls {@link #complete}.
   */
  @Nullable CompletedTransaction update(ByteBuffer buffer, int position) {
    long baseOffset = BatchLayout.baseOffset(buffer, position);
    long lastOffset = BatchLayout.lastOffset(buffer, position);
    long producerId = BatchLayout.producerId(buffer, position);
    CompletedTransaction completed = null;
    if (producerId >= 0) {
      short epoch = BatchLayout.producerEpoch(buffer, position);
      int attributes = BatchLayout.attributes(buffer, position);
      long timestampMs = BatchLayout.maxTimestamp(buffer, position);
      if ((attributes & BatchLayout.CONTROL_FLAG) == 0) {
        int baseSequence = BatchLayout.baseSequence(buffer, position);
        int offsetDelta = BatchLayout.lastOffsetDelta(buffer, position);
        updateData(
            producerId,
            epoch,
            baseSequence == NO_SEQUENCE
                ? NO_SEQUENCE
                : ProducerStateEntry.incrementSequence(baseSequence, offsetDelta),
            baseOffset,
            lastOffset,
            timestampMs,
            (attributes & BatchLayout.TRANSACTIONAL_FLAG) != 0);
      } else if (BatchLayout.recordCount(buffer, position) > 0) {
        ControlRecordType type = MarkerReader.type(buffer, position);
        if (type == ControlRecordType.ABORT || type == ControlRecordType.COMMIT) {
          completed =
              updateMarker(
                  producerId,
                  epoch,
                  MarkerReader.coordinatorEpoch(buffer, position),
                  baseOffset,
                  timestampMs,
                  type == ControlRecordType.ABORT);
        }
      }
    }
    endOffset = lastOffset + 1;
    return completed;
  }

  /** {@link #update(ByteBuffer, int)} for a batch that is read from a file. */
  @Nullable CompletedTransaction update(RecordBatch batch) {
    CompletedTransaction completed = null;
    if (batch.hasProducerId()) {
      if (!batch.isControlBatch()) {
        updateData(
            batch.producerId(),
            batch.producerEpoch(),
            batch.lastSequence(),
            batch.baseOffset(),
            batch.lastOffset(),
            batch.maxTimestamp(),
            batch.isTransactional());
      } else {
        Iterator<Record> records = batch.iterator();
        // Compaction may have emptied a marker's batch to keep its producer's epoch.
        if (records.hasNext()) {
          Record marker = records.next();
          ControlRecordType type = ControlRecordType.parse(marker.key());
          if (type == ControlRecordType.ABORT || type == ControlRecordType.COMMIT) {
            completed =
                updateMarker(
                    batch.producerId(),
                    batch.producerEpoch(),
                    EndTransactionMarker.deserialize(marker).coordinatorEpoch(),
                    batch.baseOffset(),
                    marker.timestamp(),
                    type == ControlRecordType.ABORT);
          }
        }
      }
    }
    endOffset = batch.nextOffset();
    return completed;
  }

  private void updateData(
      long producerId,
      short epoch,
      int lastSequence,
      long baseOffset,
      long lastOffset,
      long timestampMs,
      boolean transactional) {
    ProducerStateEntry entry = entry(producerId, epoch);
    entry.enterEpoch(epoch);
    entry.addBatch(lastSequence, lastOffset, (int) (lastOffset - baseOffset), timestampMs);
    if (transactional && !entry.hasOpenTransaction()) {
      entry.openTransactionFirstOffset = baseOffset;
      open.put(baseOffset, producerId);
    }
  }

  private @Nullable CompletedTransaction updateMarker(
      long producerId,
      short epoch,
      int coordinatorEpoch,
      long offset,
      long timestampMs,
      boolean abort) {
    ProducerStateEntry entry = entry(producerId, epoch);
    CompletedTransaction completed =
        entry.hasOpenTransaction()
            ? new CompletedTransaction(producerId, entry.openTransactionFirstOffset, offset, abort)
            : null;
    entry.enterEpoch(epoch);
    entry.coordinatorEpoch = coordinatorEpoch;
    entry.lastTimestampMs = timestampMs;
    entry.openTransactionFirstOffset = NO_OFFSET;
    return completed;
  }

  private ProducerStateEntry entry(long producerId, short epoch) {
    ProducerStateEntry entry = producers.get(producerId);
    if (entry == null) {
      entry = new ProducerStateEntry(producerId, epoch);
      producers.put(entry);
    }
    return entry;
  }

  /**
   * The last stable offset as it will be once this transaction counts as completed: where the next
   * open one begins, else just past its marker. For the {@link TransactionIndex}.
   */
  long lastStableOffset(CompletedTransaction completed) {
    for (Map.Entry<Long, Long> transaction : open.entrySet()) {
      if (transaction.getValue() != completed.producerId()) {
        return transaction.getKey();
      }
    }
    return completed.lastOffset() + 1;
  }

  /** Counts a transaction that {@link #update} returned as completed, but not yet replicated. */
  void complete(CompletedTransaction completed) {
    if (open.remove(completed.firstOffset()) == null) {
      throw new IllegalArgumentException(completed + " was not open");
    }
    unreplicated.put(completed.firstOffset(), completed);
  }

  /** Completed transactions whose marker lies below the high watermark are stable from now on. */
  void onHighWatermark(long highWatermark) {
    removeUnreplicatedBelow(highWatermark);
  }

  /** The log begins here now: what lies before is stable, or gone. */
  void onLogStartOffset(long logStartOffset) {
    removeUnreplicatedBelow(logStartOffset);
    endOffset = Math.max(endOffset, logStartOffset);
  }

  private void removeUnreplicatedBelow(long offset) {
    if (!unreplicated.isEmpty()) {
      unreplicated.values().removeIf(transaction -> transaction.lastOffset() < offset);
    }
  }

  /**
   * Where the first transaction begins that is open, or completed but not replicated. The last
   * stable offset is this, or the high watermark where that is lower or there is none.
   */
  OptionalLong firstUnstableOffset() {
    if (open.isEmpty()) {
      return unreplicated.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(unreplicated.firstKey());
    }
    return OptionalLong.of(
        unreplicated.isEmpty()
            ? open.firstKey()
            : Math.min(open.firstKey(), unreplicated.firstKey()));
  }

  /** Where the first open transaction begins: compaction stops before it. */
  OptionalLong firstUndecidedOffset() {
    return open.isEmpty() ? OptionalLong.empty() : OptionalLong.of(open.firstKey());
  }

  /** Exclusive end of the part of the log that this state reflects. */
  long endOffset() {
    return endOffset;
  }

  int size() {
    return producers.size();
  }

  /**
   * The last sequence of a producer and the offset it has, for compaction, which keeps that batch
   * even when it is empty; null when the producer is not known or has no batch.
   */
  @Nullable LastBatch lastBatch(long producerId) {
    ProducerStateEntry entry = producers.get(producerId);
    return entry == null ? null : new LastBatch(entry.epoch, entry.lastDataOffset());
  }

  /**
   * @param epoch of the producer
   * @param lastOffset of its last batch with records, or -1 when there is none in this epoch
   */
  record LastBatch(short epoch, long lastOffset) {}

  /** The last batch of every known producer, as a copy for the compaction thread. */
  Map<Long, LastBatch> lastBatches() {
    Map<Long, LastBatch> copy = new java.util.HashMap<>();
    producers.forEach(
        entry -> copy.put(entry.producerId, new LastBatch(entry.epoch, entry.lastDataOffset())));
    return copy;
  }

  /**
   * Forgets producers that have no open transaction and wrote nothing for so long.
   *
   * @param expirationMs {@code producer.id.expiration.ms}
   */
  void removeExpired(long nowMs, long expirationMs) {
    producers.removeIf(entry -> isExpired(entry, nowMs, expirationMs));
  }

  private static boolean isExpired(ProducerStateEntry entry, long nowMs, long expirationMs) {
    return !entry.hasOpenTransaction() && nowMs - entry.lastTimestampMs >= expirationMs;
  }

  /** Forgets everything; the log begins (anew) at this offset. */
  void reset(long startOffset) {
    producers.clear();
    open.clear();
    unreplicated.clear();
    endOffset = startOffset;
  }

  /**
   * Takes the state of a snapshot in place of its own, without the producers that have expired.
   *
   * @param snapshotOffset exclusive end of the log part that the snapshot reflects
   */
  void load(
      List<ProducerSnapshotEntry> snapshot, long snapshotOffset, long nowMs, long expirationMs) {
    reset(snapshotOffset);
    for (ProducerSnapshotEntry saved : snapshot) {
      ProducerStateEntry entry = saved.toEntry();
      if (!isExpired(entry, nowMs, expirationMs)) {
        producers.put(entry);
        if (entry.hasOpenTransaction()) {
          open.put(entry.openTransactionFirstOffset, entry.producerId);
        }
      }
    }
  }

  /** What a snapshot keeps of this state: by producer id. */
  List<ProducerSnapshotEntry> snapshot() {
    List<ProducerSnapshotEntry> entries = new ArrayList<>(producers.size());
    producers.forEach(entry -> entries.add(ProducerSnapshotEntry.of(entry)));
    entries.sort(Comparator.comparingLong(ProducerSnapshotEntry::producerId));
    return entries;
  }

  /** Tests call this after each step. */
  void checkInvariants() {
    int[] openCount = {0};
    producers.forEach(entry -> {
      if (entry.hasOpenTransaction()) {
        openCount[0]++;
        Long owner = open.get(entry.openTransactionFirstOffset);
        if (owner == null || owner != entry.producerId) {
          throw new IllegalStateException(
              "producer " + entry.producerId + " has a transaction that is not listed");
        }
      }
      if (entry.batchCount() > ProducerStateEntry.BATCHES_MAX) {
        throw new IllegalStateException("too many batches");
      }
    });
    if (openCount[0] != open.size()) {
      throw new IllegalStateException("open: " + open + ", by producers: " + openCount[0]);
    }
  }
}
