package io.milena.bench;

import io.milena.log.AppendOrigin;
import io.milena.log.BatchValidation;
import io.milena.log.BatchValidator;
import io.milena.log.LogConfig;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a leader checks in a batch of 16 KiB: the checksum and the records. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ValidateBenchmark {

  private static final long NOW_MS = 1_790_000_000_000L;
  private static final int BATCH_BYTES = 16_000;

  @Param({"none", "gzip", "snappy", "lz4", "zstd"})
  public String compression;

  @Param({"100", "1000"})
  public int valueBytes;

  private final BatchValidator validator = new BatchValidator(LogConfig.DEFAULTS);
  private MemoryRecords batch;

  @Setup
  public void makeBatch() {
    Compression type = Compression.of(CompressionType.forName(compression)).build();
    batch = BenchmarkBatches.batch(type, BATCH_BYTES / valueBytes, valueBytes, NOW_MS);
  }

  @Benchmark
  public BatchValidation validate() {
    BatchValidation result = validator.validate(batch, AppendOrigin.CLIENT, NOW_MS);
    if (!(result instanceof BatchValidation.Valid)) {
      throw new IllegalStateException("not valid: " + result);
    }
    return result;
  }
}
