package io.milena.bench;

import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Batches such as a producer sends. */
final class BenchmarkBatches {

  private BenchmarkBatches() {}

  /**
   * One batch of records without keys whose values are text that lz4 shrinks by about a quarter, in
   * a direct buffer as the network gives it.
   */
  static MemoryRecords batch(Compression compression, int records, int valueBytes, long nowMs) {
    Random random = new Random(valueBytes);
    SimpleRecord[] all = new SimpleRecord[records];
    for (int i = 0; i < records; i++) {
      byte[] value = new byte[valueBytes];
      for (int at = 0; at < valueBytes; at++) {
        value[at] = (byte) (at % 4 == 0 ? '"' : 'a' + random.nextInt(26));
      }
      all[i] = new SimpleRecord(nowMs, null, value);
    }
    ByteBuffer bytes = MemoryRecords.withRecords(compression, all).buffer();
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.remaining());
    return MemoryRecords.readableRecords(direct.put(bytes).flip());
  }
}
