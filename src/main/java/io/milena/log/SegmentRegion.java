package io.milena.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.DefaultRecordsSend;
import org.apache.kafka.common.record.internal.RecordsSend;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a segment file, or nothing.
 *
 * @param channel of the segment; null when the region is empty
 */
record SegmentRegion(
    @Nullable FileChannel channel, long positionBytes, int sizeInBytes, long firstBatchBaseOffset)
    implements FileRegion {

  static SegmentRegion empty(long offset) {
    return new SegmentRegion(null, 0, 0, offset);
  }

  @Override
  public boolean isEmpty() {
    return sizeInBytes == 0;
  }

  @Override
  public int writeTo(TransferableChannel destination, int offset, int length) throws IOException {
    int count = Math.min(length, sizeInBytes - offset);
    if (channel == null || count <= 0) {
      return 0;
    }
    long from = positionBytes + offset;
    int sent = (int) destination.transferFrom(channel, from, count);
    if (sent <= 0 && channel.size() <= from) {
      // Otherwise the sender would wait for ever for bytes that a truncation has taken.
      throw new IOException("the log was truncated to below byte " + from + " while it was sent");
    }
    return sent;
  }

  @Override
  public RecordsSend<SegmentRegion> toSend() {
    return new DefaultRecordsSend<>(this);
  }
}
