package io.milena.log;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Follows transactions while compaction reads a log from its start: which batches were aborted, and
 * which markers have outlived all records of their transaction. Upstream:
 * CleanedTransactionMetadata.
 */
final class CompactionTransactions {

  /** Aborted transactions that reading has not reached yet, by first offset. */
  private final ArrayDeque<TransactionIndex.Entry> ahead;

  private final Map<Long, Aborted> openAborted = new HashMap<>();
  private final Set<Long> openCommitted = new HashSet<>();

  /**
   * @param aborted all aborted transactions of the segments to be read, in any order
   */
  CompactionTransactions(List<TransactionIndex.Entry> aborted) {
    List<TransactionIndex.Entry> sorted = new ArrayList<>(aborted);
    sorted.sort(Comparator.comparingLong(TransactionIndex.Entry::firstOffset));
    this.ahead = new ArrayDeque<>(sorted);
  }

  private static final class Aborted {
    final TransactionIndex.Entry entry;
    boolean hasBatches;

    Aborted(TransactionIndex.Entry entry) {
      this.entry = entry;
    }
  }

  /** Reads a batch with data; true when it belongs to an aborted transaction: drop its records. */
  boolean onBatch(RecordBatch batch) {
    passTo(batch.lastOffset());
    if (!batch.isTransactional()) {
      return false;
    }
    Aborted aborted = openAborted.get(batch.producerId());
    if (aborted != null) {
      aborted.hasBatches = true;
      return true;
    }
    openCommitted.add(batch.producerId());
    return false;
  }

  /**
   * What a control batch says.
   *
   * @param discardable no batch of its transaction is left in the log, so it may go in its time
   * @param aborted the entry to keep in the index of the segment that the marker stays in, or null
   */
  record Marker(boolean discardable, TransactionIndex.@Nullable Entry aborted) {}

  /** Reads a control batch. */
  Marker onControlBatch(RecordBatch batch) {
    passTo(batch.lastOffset());
    Iterator<Record> records = batch.iterator();
    if (!records.hasNext()) {
      return new Marker(true, null);
    }
    ControlRecordType type = ControlRecordType.parse(records.next().key());
    if (type == ControlRecordType.ABORT) {
      Aborted aborted = openAborted.remove(batch.producerId());
      return aborted != null && aborted.hasBatches
          ? new Marker(false, aborted.entry)
          : new Marker(true, null);
    }
    if (type == ControlRecordType.COMMIT) {
      return new Marker(!openCommitted.remove(batch.producerId()), null);
    }
    return new Marker(false, null);
  }

  private void passTo(long offset) {
    while (!ahead.isEmpty() && ahead.getFirst().firstOffset() <= offset) {
      TransactionIndex.Entry entry = ahead.removeFirst();
      openAborted.putIfAbsent(entry.producerId(), new Aborted(entry));
    }
  }
}
