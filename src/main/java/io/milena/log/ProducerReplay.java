package io.milena.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Brings producer state up to date with batches that are in the log. */
final class ProducerReplay {

  private ProducerReplay() {}

  /** Replays what lies in these segments from the state's end offset on; reads headers only. */
  static void replay(Collection<Segment> segments, ProducerStates producers) throws IOException {
    Segment previous = null;
    for (Segment segment : segments) {
      // A segment is of use when the next one begins past the state's end.
      if (previous != null && segment.baseOffset() > producers.endOffset()) {
        replay(previous, producers);
      }
      previous = segment;
    }
    if (previous != null) {
      replay(previous, producers);
    }
  }

  private static void replay(Segment segment, ProducerStates producers) throws IOException {
    SegmentReader reader =
        new SegmentReader(segment, segment.sizeBytes(), segment.offsetIndex(), segment.timeIndex());
    BatchScanner scanner =
        BatchScanner.headers(
            segment.channel(), reader.positionOf(producers.endOffset()), segment.sizeBytes());
    for (BatchHeader batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (batch.lastOffset() >= producers.endOffset()) {
        note(producers, null, scanner.producerBytes(), 0);
      }
    }
    if (scanner.fault() != null) {
      throw new DamagedRecordsException(segment, scanner.fault());
    }
  }

  /**
   * Takes one batch in.
   *
   * @param segment where to add an aborted transaction that the batch completes; null when its
   *     index has it already
   */
  static void note(
      ProducerStates producers, @Nullable Segment segment, ByteBuffer batch, int position)
      throws IOException {
    CompletedTransaction completed = producers.update(batch, position);
    if (completed == null) {
      return;
    }
    if (segment != null && completed.aborted()) {
      segment.addAborted(
          new TransactionIndex.Entry(
              completed.producerId(),
              completed.firstOffset(),
              completed.lastOffset(),
              producers.lastStableOffset(completed)));
    }
    producers.complete(completed);
  }
}
