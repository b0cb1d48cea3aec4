package io.milena.http.stream;

import io.milena.group.actor.RegionReader;
import io.milena.log.FileRegion;
import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/**
 * A stream's place in one partition. While it has records at hand it holds one stretch of the log,
 * {@value #READ_BYTES} bytes or a single larger batch; otherwise an offset.
 */
public final class Cursor {

  private static final int READ_BYTES = 64 * 1024;

  private final Replica replica;
  private final boolean committedOnly;
  private long next;

  private @Nullable Iterator<? extends RecordBatch> batches;
  private @Nullable CloseableIterator<Record> records;
  private long batchEnd;
  private ArrayDeque<LogView.AbortedTransaction> aborted = new ArrayDeque<>(0);
  private Set<Long> abortedProducers = Set.of();

  /**
   * @param next offset to be read next
   * @param committedOnly leave out what was aborted, and wait for what is undecided
   */
  public Cursor(Replica replica, long next, boolean committedOnly) {
    this.replica = replica;
    this.next = next;
    this.committedOnly = committedOnly;
  }

  public TopicPartition partition() {
    return replica.partition();
  }

  public Replica replica() {
    return replica;
  }

  /** Offset to be read next. */
  public long next() {
    return next;
  }

  static ToLongFunction<ReplicaView> bound(boolean committedOnly) {
    return committedOnly ? ReplicaView::lastStableOffset : ReplicaView::highWatermark;
  }

  /**
   * Takes up the next stretch of the log.
   *
   * @return false when there is nothing to read now
   */
  public boolean fill() throws IOException {
    while (true) {
      ReplicaView view = replica.view();
      LogView log = view.log();
      long bound = bound(committedOnly).applyAsLong(view);
      if (view.role() == ReplicaRole.OFFLINE || view.role() == ReplicaRole.IDLE) {
        return false;
      }
      // Retention was quicker than this reader.
      next = Math.max(next, log.logStartOffset());
      if (next >= bound) {
        return false;
      }
      FileRegion region = log.read(next, READ_BYTES, bound, true);
      if (region.isEmpty()) {
        // Compaction has left nothing up to here.
        next = bound;
        continue;
      }
      batches = RegionReader.read(region).batches().iterator();
      if (committedOnly) {
        List<LogView.AbortedTransaction> overlapping = log.abortedTransactions(next, bound);
        aborted = new ArrayDeque<>(overlapping);
        abortedProducers = overlapping.isEmpty() ? Set.of() : new HashSet<>();
      }
      return true;
    }
  }

  /** The next record at hand, or null when the stretch is used up. */
  public @Nullable Record poll() {
    while (true) {
      if (records != null) {
        while (records.hasNext()) {
          Record record = records.next();
          if (record.offset() >= next) {
            next = record.offset() + 1;
            return record;
          }
        }
        records.close();
        records = null;
        // A batch may end with offsets that compaction has emptied.
        next = Math.max(next, batchEnd);
      }
      if (batches == null || !batches.hasNext()) {
        batches = null;
        return null;
      }
      RecordBatch batch = batches.next();
      if (isWanted(batch)) {
        batch.ensureValid();
        records = batch.streamingIterator(BufferSupplier.NO_CACHING);
      } else {
        next = Math.max(next, batch.nextOffset());
      }
      batchEnd = batch.nextOffset();
    }
  }

  private boolean isWanted(RecordBatch batch) {
    while (!aborted.isEmpty() && aborted.peek().firstOffset() <= batch.lastOffset()) {
      abortedProducers.add(aborted.remove().producerId());
    }
    if (batch.isControlBatch()) {
      if (abortedProducers.contains(batch.producerId()) && isAbort(batch)) {
        abortedProducers.remove(batch.producerId());
      }
      return false;
    }
    return !(batch.isTransactional() && abortedProducers.contains(batch.producerId()));
  }

  private static boolean isAbort(RecordBatch batch) {
    Iterator<Record> markers = batch.iterator();
    return markers.hasNext()
        && ControlRecordType.parse(markers.next().key()) == ControlRecordType.ABORT;
  }

  /** Gives up what is at hand. */
  public void close() {
    batches = null;
    CloseableIterator<Record> open = records;
    if (open != null) {
      open.close();
      records = null;
    }
  }
}
