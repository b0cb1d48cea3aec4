package io.milena.log;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The segments of a log in offset order, the active one last, and those that have left the log but
 * keep their files for readers of older views. Never empty. One thread, the log's owner.
 */
final class SegmentList {

  private record Expiring(Segment segment, long deadlineMs) {}

  /** In the order of their deadlines, but for those without one, which come as they come. */
  private final ArrayDeque<Expiring> expiring = new ArrayDeque<>();

  /** Replaced, never changed: views share it. */
  private Segment[] segments;

  private long sealedBytes;

  SegmentList(Segment[] segments) {
    this.segments = segments;
    this.sealedBytes = sum(segments);
  }

  /** The segments, which the caller must not change. */
  Segment[] array() {
    return segments;
  }

  /** The segment that is appended to. */
  Segment active() {
    return segments[segments.length - 1];
  }

  int count() {
    return segments.length;
  }

  Segment get(int index) {
    return segments[index];
  }

  /** Bytes in all segments but the active one. */
  long sealedBytes() {
    return sealedBytes;
  }

  List<Long> baseOffsets() {
    return Stream.of(segments).map(Segment::baseOffset).toList();
  }

  /** Seals the active segment and goes on with a new one. */
  void roll(Segment next) throws IOException {
    active().seal();
    sealedBytes += active().sizeBytes();
    Segment[] grown = Arrays.copyOf(segments, segments.length + 1);
    grown[segments.length] = next;
    segments = grown;
  }

  /** Takes some out, from one index to another, exclusive; they still have their files. */
  List<Segment> remove(int from, int to) {
    List<Segment> kept = new ArrayList<>(List.of(segments));
    List<Segment> removed = new ArrayList<>(kept.subList(from, to));
    kept.subList(from, to).clear();
    replaceAll(kept);
    return removed;
  }

  /** Puts one segment in the place of some. */
  void replace(int from, int to, Segment segment) {
    List<Segment> next = new ArrayList<>(List.of(segments));
    next.subList(from, to).clear();
    next.add(from, segment);
    replaceAll(next);
  }

  /** Begins anew with one segment. */
  void restart(Segment first) {
    replaceAll(List.of(first));
  }

  private void replaceAll(List<Segment> next) {
    segments = next.toArray(Segment[]::new);
    sealedBytes = sum(segments);
  }

  private static long sum(Segment[] segments) {
    long bytes = 0;
    for (int i = 0; i < segments.length - 1; i++) {
      bytes += segments[i].sizeBytes();
    }
    return bytes;
  }

  /**
   * Marks the files of a segment that leaves the log as deleted.
   *
   * @param deadlineMs wall-clock time until which readers may go on with them
   */
  void expire(Segment segment, long deadlineMs) throws IOException {
    segment.rename(LogFiles.DELETED);
    expiring.add(new Expiring(segment, deadlineMs));
  }

  /** Takes out those whose deadline has come, to be disposed of. */
  List<Segment> takeExpired(long nowMs) {
    List<Segment> taken = new ArrayList<>();
    while (!expiring.isEmpty() && expiring.peek().deadlineMs() <= nowMs) {
      taken.add(expiring.remove().segment());
    }
    return taken;
  }

  /** The next deadline; empty when nothing waits. */
  OptionalLong nextExpiryMs() {
    Expiring next = expiring.peek();
    return next == null ? OptionalLong.empty() : OptionalLong.of(next.deadlineMs());
  }

  /** Closes every file, also of those that have left. */
  void closeQuietly() throws IOException {
    for (Segment segment : segments) {
      segment.closeQuietly();
    }
    for (Expiring gone : expiring) {
      gone.segment().closeQuietly();
    }
  }
}
