package io.milena.log;

import java.util.Arrays;

/**
 * What a partition knows of one idempotent or transactional producer: its epoch and its last
 * batches, newest last. Mutable, owned by {@link ProducerStates}.
 *
 * <p>There may be very many of them, so the batches lie in one array that starts small.
 */
final class ProducerStateEntry {

  /** Batches remembered to recognise duplicates: what a client may have in flight. */
  static final int BATCHES_MAX = 5;

  static final short NO_EPOCH = -1;
  static final int NO_SEQUENCE = -1;
  static final long NO_OFFSET = -1;
  static final long NO_TIMESTAMP = -1;
  static final int NO_COORDINATOR_EPOCH = -1;

  /** A batch takes three longs: last sequence and offset delta packed, last offset, timestamp. */
  private static final int LONGS_PER_BATCH = 3;

  final long producerId;
  short epoch;
  int coordinatorEpoch = NO_COORDINATOR_EPOCH;
  long lastTimestampMs = NO_TIMESTAMP;

  /** First offset of the open transaction, or {@link #NO_OFFSET}. */
  long openTransactionFirstOffset = NO_OFFSET;

  private long[] batches = new long[LONGS_PER_BATCH];
  private int batchCount;

  ProducerStateEntry(long producerId, short epoch) {
    this.producerId = producerId;
    this.epoch = epoch;
  }

  int batchCount() {
    return batchCount;
  }

  boolean hasNoBatches() {
    return batchCount == 0;
  }

  /** Takes a new epoch, which forgets the batches of the old one. */
  void enterEpoch(short newEpoch) {
    if (newEpoch != epoch) {
      epoch = newEpoch;
      batchCount = 0;
    }
  }

  void addBatch(int lastSequence, long lastOffset, int offsetDelta, long timestampMs) {
    if (batchCount == BATCHES_MAX) {
      System.arraycopy(batches, LONGS_PER_BATCH, batches, 0, (BATCHES_MAX - 1) * LONGS_PER_BATCH);
      batchCount--;
    } else if ((batchCount + 1) * LONGS_PER_BATCH > batches.length) {
      batches = Arrays.copyOf(batches, BATCHES_MAX * LONGS_PER_BATCH);
    }
    int at = batchCount * LONGS_PER_BATCH;
    batches[at] = ((long) lastSequence << Integer.SIZE) | (offsetDelta & 0xFFFF_FFFFL);
    batches[at + 1] = lastOffset;
    batches[at + 2] = timestampMs;
    batchCount++;
    lastTimestampMs = timestampMs;
  }

  /** Index of the remembered batch with exactly these sequences, or -1. */
  int indexOf(int baseSequence, int lastSequence) {
    for (int i = 0; i < batchCount; i++) {
      if (lastSequenceOf(i) == lastSequence && baseSequenceOf(i) == baseSequence) {
        return i;
      }
    }
    return -1;
  }

  int lastSequenceOf(int index) {
    return (int) (batches[index * LONGS_PER_BATCH] >> Integer.SIZE);
  }

  int offsetDeltaOf(int index) {
    return (int) batches[index * LONGS_PER_BATCH];
  }

  int baseSequenceOf(int index) {
    return decrementSequence(lastSequenceOf(index), offsetDeltaOf(index));
  }

  long lastOffsetOf(int index) {
    return batches[index * LONGS_PER_BATCH + 1];
  }

  long baseOffsetOf(int index) {
    return lastOffsetOf(index) - offsetDeltaOf(index);
  }

  long timestampMsOf(int index) {
    return batches[index * LONGS_PER_BATCH + 2];
  }

  int lastSequence() {
    return batchCount == 0 ? NO_SEQUENCE : lastSequenceOf(batchCount - 1);
  }

  long lastDataOffset() {
    return batchCount == 0 ? NO_OFFSET : lastOffsetOf(batchCount - 1);
  }

  int lastOffsetDelta() {
    return batchCount == 0 ? 0 : offsetDeltaOf(batchCount - 1);
  }

  boolean hasOpenTransaction() {
    return openTransactionFirstOffset != NO_OFFSET;
  }

  /** The sequence {@code by} after {@code sequence}: after the largest int comes 0. */
  static int incrementSequence(int sequence, int by) {
    return (int) (((long) sequence + by) & Integer.MAX_VALUE);
  }

  private static int decrementSequence(int sequence, int by) {
    return (sequence - by) & Integer.MAX_VALUE;
  }
}
