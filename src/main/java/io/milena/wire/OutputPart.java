package io.milena.wire;

import java.nio.ByteBuffer;
import org.apache.kafka.common.record.internal.TransferableRecords;
import org.jspecify.annotations.Nullable;

/** A piece of what is to be written to a connection, with how much of it is left. */
sealed interface OutputPart {

  /**
   * Bytes in memory.
   *
   * @param bytes what is left, from position to limit
   * @param owner released once they are written; null for bytes on the heap or of the loop
   * @param ofLoop whether they lie in the loop's write buffer, and must be moved out of it when the
   *     socket does not take them
   */
  record Bytes(ByteBuffer bytes, @Nullable PooledBuffer owner, boolean ofLoop)
      implements OutputPart {}

  /** A region of a file. */
  final class Region implements OutputPart {
    final TransferableRecords records;
    final int sizeBytes;
    int writtenBytes;

    Region(TransferableRecords records) {
      this.records = records;
      this.sizeBytes = records.sizeInBytes();
    }
  }
}
