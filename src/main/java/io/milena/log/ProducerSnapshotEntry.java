package io.milena.log;

import static io.milena.log.ProducerStateEntry.NO_OFFSET;

/**
 * One producer in a snapshot file: of its batches only the last one.
 *
 * @param producerId of the producer
 * @param epoch its current epoch
 * @param lastSequence of its last batch, or -1
 * @param lastOffset of its last batch, or -1 when there is no batch in this epoch
 * @param offsetDelta last less first sequence of that batch
 * @param timestampMs of the last entry written by or for it
 * @param coordinatorEpoch of the last end marker, or -1
 * @param openTransactionFirstOffset or -1
 */
record ProducerSnapshotEntry(
    long producerId,
    short epoch,
    int lastSequence,
    long lastOffset,
    int offsetDelta,
    long timestampMs,
    int coordinatorEpoch,
    long openTransactionFirstOffset) {

  static ProducerSnapshotEntry of(ProducerStateEntry entry) {
    return new ProducerSnapshotEntry(
        entry.producerId,
        entry.epoch,
        entry.lastSequence(),
        entry.lastDataOffset(),
        entry.lastOffsetDelta(),
        entry.lastTimestampMs,
        entry.coordinatorEpoch,
        entry.openTransactionFirstOffset);
  }

  ProducerStateEntry toEntry() {
    ProducerStateEntry entry = new ProducerStateEntry(producerId, epoch);
    if (lastOffset >= 0) {
      entry.addBatch(lastSequence, lastOffset, offsetDelta, timestampMs);
    }
    entry.lastTimestampMs = timestampMs;
    entry.coordinatorEpoch = coordinatorEpoch;
    entry.openTransactionFirstOffset =
        openTransactionFirstOffset >= 0 ? openTransactionFirstOffset : NO_OFFSET;
    return entry;
  }
}
