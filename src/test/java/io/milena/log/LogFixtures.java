package io.milena.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Record batches for tests, and their bytes back from a log. */
final class LogFixtures {

  private LogFixtures() {}

  /** One batch of so many records with values of so many bytes. */
  static MemoryRecords batch(long timestampMs, int records, int valueBytes) {
    SimpleRecord[] all = new SimpleRecord[records];
    for (int i = 0; i < records; i++) {
      all[i] = new SimpleRecord(timestampMs + i, ("key-" + i).getBytes(), new byte[valueBytes]);
    }
    return MemoryRecords.withRecords(Compression.NONE, all);
  }

  static MemoryRecords random(Random random, long timestampMs) {
    int records = 1 + random.nextInt(4);
    SimpleRecord[] all = new SimpleRecord[records];
    for (int i = 0; i < records; i++) {
      byte[] value = new byte[random.nextInt(300)];
      random.nextBytes(value);
      all[i] = new SimpleRecord(timestampMs + random.nextInt(50), ("k" + i).getBytes(), value);
    }
    return MemoryRecords.withRecords(
        random.nextInt(4) == 0 ? Compression.gzip().build() : Compression.NONE, all);
  }

  static byte[] bytes(MemoryRecords records) {
    ByteBuffer buffer = records.buffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  /** What a region would send. */
  static byte[] bytes(FileRegion region) throws Exception {
    SegmentRegion segment = (SegmentRegion) region;
    if (segment.isEmpty()) {
      return new byte[0];
    }
    return SegmentReader.readFully(
            segment.channel(), segment.positionBytes(), segment.sizeInBytes())
        .array();
  }

  /** Every whole batch from an offset to a bound, read as consumers do: chunk by chunk. */
  static List<byte[]> readAll(LogView view, long from, long bound, int maxBytes) throws Exception {
    List<byte[]> batches = new ArrayList<>();
    long next = from;
    while (next < bound) {
      ByteBuffer chunk = ByteBuffer.wrap(bytes(view.read(next, maxBytes, bound, true)));
      int at = 0;
      while (chunk.limit() - at >= BatchLayout.HEADER_BYTES) {
        BatchHeader header = BatchHeader.read(chunk, at);
        if (header.sizeBytes() > chunk.limit() - at) {
          break;
        }
        byte[] batch = new byte[header.sizeBytes()];
        chunk.get(at, batch);
        batches.add(batch);
        next = header.nextOffset();
        at += header.sizeBytes();
      }
      if (at == 0) {
        break;
      }
    }
    return batches;
  }
}
