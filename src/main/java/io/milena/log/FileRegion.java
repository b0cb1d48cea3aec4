package io.milena.log;

import org.apache.kafka.common.record.internal.TransferableRecords;

/**
 * Whole record batches (but for a last partial one) as a region of a segment file, ready to go from
 * the page cache to a socket with {@code transferTo}. As a {@link TransferableRecords} it can stand
 * as the records of a Fetch response.
 */
public interface FileRegion extends TransferableRecords {

  /**
   * Base offset of the first batch in the region, or the offset asked for when the region is empty.
   */
  long firstBatchBaseOffset();

  /**
   * A part of the region, which need not begin or end with a batch.
   *
   * @param offset in bytes, from the region's first
   */
  default FileRegion slice(int offset, int length) {
    return new RegionSlice(this, offset, length);
  }

  /** True when there is nothing to send. */
  boolean isEmpty();
}
