package io.milena.bench;

import io.milena.log.FileRegion;
import io.milena.log.LogView;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Finding where a fetch begins and ends, in a log of 320 MB; nothing is copied. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ReadBenchmark {

  private static final long NOW_MS = 1_790_000_000_000L;
  private static final int BATCHES = 20_000;
  private static final int FETCH_BYTES = 1 << 20;

  private final SplittableRandom random = new SplittableRandom(1);
  private BenchmarkLog log;
  private LogView view;
  private long next;

  @Setup
  public void fill() throws IOException {
    log = BenchmarkLog.create();
    MemoryRecords batch = BenchmarkBatches.batch(Compression.NONE, 16, 1000, NOW_MS);
    for (int i = 0; i < BATCHES; i++) {
      log.append(batch, NOW_MS);
    }
    view = log.log().view();
  }

  @TearDown
  public void delete() throws IOException {
    log.delete();
  }

  /** A consumer that begins anywhere. */
  @Benchmark
  public FileRegion anywhere() throws IOException {
    return view.read(random.nextLong(view.logEndOffset()), FETCH_BYTES, view.logEndOffset(), true);
  }

  /** A consumer that goes on where it was: about 64 batches further each time. */
  @Benchmark
  public FileRegion onwards() throws IOException {
    next = (next + 1024) % view.logEndOffset();
    return view.read(next, FETCH_BYTES, view.logEndOffset(), true);
  }
}
