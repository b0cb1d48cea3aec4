package io.milena.log;

import java.io.IOException;

/** Which segments a topic's retention settings no longer want: Kafka's rules. */
final class Retention {

  private Retention() {}

  /**
   * How many of the oldest segments to delete. All of them, the active one included, when each is
   * due; an empty active segment never is.
   *
   * @param highWatermark no segment with offsets at or past it is deleted
   */
  static int deletable(PublishedView view, LogConfig config, long nowMs, long highWatermark)
      throws IOException {
    int byStart = 0;
    Segment[] segments = view.segments();
    while (byStart < segments.length - 1
        && segments[byStart + 1].baseOffset() <= Math.min(view.logStartOffset(), highWatermark)) {
      byStart++;
    }
    if (!config.delete()) {
      return byStart;
    }
    int count = byStart;
    long excess = config.retentionBytes() < 0 ? -1 : view.sizeBytes() - config.retentionBytes();
    for (int i = 0; i < segments.length; i++) {
      boolean last = i == segments.length - 1;
      int size = last ? view.activeSizeBytes() : segments[i].sizeBytes();
      long end = last ? view.logEndOffset() : segments[i + 1].baseOffset();
      if (end > highWatermark || (last && size == 0)) {
        break;
      }
      excess -= size;
      boolean expired =
          config.retentionMs() >= 0
              && nowMs - segments[i].largestTimestamp() > config.retentionMs();
      if (i >= byStart && excess < 0 && !expired) {
        break;
      }
      count = Math.max(count, i + 1);
    }
    return count;
  }
}
