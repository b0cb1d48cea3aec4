package io.milena.http.stream;

import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.RecordBatch;

/** A partition as readers see it, on this node or on the one that leads it. */
public sealed interface Feed permits LocalFeed, RemoteFeed {

  /** In place of an offset that is not known yet. */
  long UNKNOWN = -1;

  TopicPartition partition();

  Uuid topicId();

  /**
   * Exclusive end of what readers may see, as far as this node knows, or {@link #UNKNOWN}.
   *
   * @param committedOnly whether what is undecided lies behind it
   */
  long end(boolean committedOnly);

  /**
   * Runs a waker whenever there may be something new, until it is removed, on any thread. It must
   * be quick.
   */
  void watch(Runnable waker);

  void unwatch(Runnable waker);

  /**
   * A transaction whose records are to be left out.
   *
   * @param firstOffset from which on
   */
  record Aborted(long producerId, long firstOffset) {}

  /**
   * Batches of a log.
   *
   * @param from offset that they are read from; later than the one asked for where retention was
   *     quicker than the reader
   * @param end offset that follows all of them, or that follows what there is nothing of
   * @param aborted of those that overlap with them, by first offset; none unless asked for
   */
  record Stretch(
      long from, long end, Iterable<? extends RecordBatch> batches, List<Aborted> aborted) {}
}
