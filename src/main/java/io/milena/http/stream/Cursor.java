package io.milena.http.stream;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/**
 * A reader's place in one partition. While it has records at hand it holds one stretch of the log,
 * {@value #READ_BYTES} bytes or a single larger batch; otherwise an offset. What lies on another
 * node is asked for, and held when it has come.
 */
public final class Cursor {

  private static final int READ_BYTES = 64 * 1024;

  private final Feed feed;
  private final boolean committedOnly;
  private final Runnable arrival;
  private long next;

  private volatile boolean asking;
  private volatile Feed.@Nullable Stretch arrived;
  private @Nullable Iterator<? extends RecordBatch> batches;
  private @Nullable CloseableIterator<Record> records;
  private long batchEnd;
  private ArrayDeque<Feed.Aborted> aborted = new ArrayDeque<>(0);
  private Set<Long> abortedProducers = Set.of();

  /**
   * @param next offset to be read next
   * @param committedOnly leave out what was aborted, and wait for what is undecided
   * @param arrival run on any thread when what was asked for has come: the time to fill again
   */
  public Cursor(Feed feed, long next, boolean committedOnly, Runnable arrival) {
    this.feed = feed;
    this.next = next;
    this.committedOnly = committedOnly;
    this.arrival = arrival;
  }

  public TopicPartition partition() {
    return feed.partition();
  }

  public Feed feed() {
    return feed;
  }

  /** Offset to be read next. */
  public long next() {
    return next;
  }

  /** Whether the next stretch is on its way from another node. */
  public boolean isAsking() {
    return asking;
  }

  /**
   * Takes up the next stretch of the log.
   *
   * @return false when there is nothing to read now
   */
  public boolean fill() throws IOException {
    while (true) {
      Feed.Stretch stretch =
          switch (feed) {
            case LocalFeed local -> local.read(next, READ_BYTES, committedOnly);
            case RemoteFeed remote -> ask(remote);
          };
      if (stretch == null) {
        return false;
      }
      next = Math.max(next, stretch.from());
      Iterator<? extends RecordBatch> begun = stretch.batches().iterator();
      if (!begun.hasNext()) {
        next = Math.max(next, stretch.end());
      } else {
        batches = begun;
        aborted = new ArrayDeque<>(stretch.aborted());
        abortedProducers = aborted.isEmpty() ? Set.of() : new HashSet<>();
        return true;
      }
    }
  }

  /** What has come, or null; then it is asked for unless there is nothing to ask for. */
  private Feed.@Nullable Stretch ask(RemoteFeed remote) {
    Feed.Stretch known = arrived;
    arrived = null;
    if (known == null && !committedOnly && !asking) {
      known = remote.newestWith(next);
    }
    if (known != null || asking) {
      return known;
    }
    long end = remote.end(committedOnly);
    if (end == Feed.UNKNOWN || next < end) {
      asking = true;
      remote
          .fetch(next, READ_BYTES, committedOnly)
          .whenComplete((stretch, failure) -> {
            if (failure == null && isNews(stretch)) {
              arrived = stretch;
              arrived();
            } else {
              // No leader, or a new one that does not know yet how far it is committed.
              remote.later(this::arrived);
            }
          });
    }
    return null;
  }

  private boolean isNews(Feed.Stretch stretch) {
    return stretch.end() > next || stretch.from() > next || stretch.batches().iterator().hasNext();
  }

  private void arrived() {
    asking = false;
    arrival.run();
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
    arrived = null;
    CloseableIterator<Record> open = records;
    if (open != null) {
      open.close();
      records = null;
    }
  }
}
