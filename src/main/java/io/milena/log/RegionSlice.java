package io.milena.log;

import java.io.IOException;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.DefaultRecordsSend;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * A part of a file region, which need not begin or end with a batch.
 *
 * @param offset in bytes, from the region's first
 * @param sizeInBytes of the part
 */
record RegionSlice(FileRegion region, int offset, int sizeInBytes) implements FileRegion {

  RegionSlice {
    if (offset < 0 || sizeInBytes < 0 || offset > region.sizeInBytes() - sizeInBytes) {
      throw new IllegalArgumentException(
          "no %d bytes from %d on in a region of %d"
              .formatted(sizeInBytes, offset, region.sizeInBytes()));
    }
  }

  @Override
  public long firstBatchBaseOffset() {
    return region.firstBatchBaseOffset();
  }

  @Override
  public boolean isEmpty() {
    return sizeInBytes == 0;
  }

  @Override
  public int writeTo(TransferableChannel destination, int position, int remaining)
      throws IOException {
    int count = Math.min(remaining, sizeInBytes - position);
    return count <= 0 ? 0 : region.writeTo(destination, offset + position, count);
  }

  @Override
  public RecordsSend<RegionSlice> toSend() {
    return new DefaultRecordsSend<>(this);
  }
}
