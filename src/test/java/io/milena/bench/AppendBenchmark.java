package io.milena.bench;

import io.milena.log.AppendOutcome;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A leader's append, from validation to the page cache; a new log each second. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AppendBenchmark {

  private static final long NOW_MS = 1_790_000_000_000L;

  /** Values of one batch: one of 100 bytes or 1 KiB, or a producer's default batch of 16 KiB. */
  @Param({"1x100", "1x1024", "16x1000", "160x100"})
  public String records;

  private BenchmarkLog log;
  private MemoryRecords batch;

  @Setup
  public void makeBatch() {
    String[] parts = records.split("x");
    batch =
        BenchmarkBatches.batch(
            Compression.NONE, Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), NOW_MS);
  }

  @Setup(Level.Iteration)
  public void openLog() throws IOException {
    log = BenchmarkLog.create();
  }

  @TearDown(Level.Iteration)
  public void deleteLog() throws IOException {
    log.delete();
  }

  @Benchmark
  public AppendOutcome append() {
    return log.append(batch, NOW_MS);
  }
}
