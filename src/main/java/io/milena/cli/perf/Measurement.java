package io.milena.cli.perf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.cli.Output;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * A rate over a stretch of time.
 *
 * @param elapsedNs from the first record to the last answer
 */
record Measurement(long records, long bytes, long elapsedNs) {

  private static final double NS_PER_SECOND = 1e9;
  private static final double BYTES_PER_MB = 1e6;

  double recordsPerSecond() {
    return records / seconds();
  }

  /** Megabytes of a million bytes. */
  double megabytesPerSecond() {
    return bytes / BYTES_PER_MB / seconds();
  }

  private double seconds() {
    return Math.max(elapsedNs, 1) / NS_PER_SECOND;
  }

  String text() {
    return String.format(
        Locale.ROOT,
        "%d records in %.2f s: %.0f records/s, %.2f MB/s",
        records,
        seconds(),
        recordsPerSecond(),
        megabytesPerSecond());
  }

  ObjectNode json() {
    return Output.object()
        .put("records", records)
        .put("bytes", bytes)
        .put("seconds", seconds())
        .put("recordsPerSecond", recordsPerSecond())
        .put("megabytesPerSecond", megabytesPerSecond());
  }

  /** Percentiles of a histogram of nanoseconds, told in milliseconds. */
  static String text(Histogram latencyNs) {
    return String.format(
        Locale.ROOT,
        "p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, max %.3f ms",
        ms(latencyNs, 50),
        ms(latencyNs, 99),
        ms(latencyNs, 99.9),
        ms(latencyNs, 100));
  }

  static ObjectNode json(Histogram latencyNs) {
    return Output.object()
        .put("p50Ms", ms(latencyNs, 50))
        .put("p99Ms", ms(latencyNs, 99))
        .put("p999Ms", ms(latencyNs, 99.9))
        .put("maxMs", ms(latencyNs, 100));
  }

  private static double ms(Histogram latencyNs, double percentile) {
    return latencyNs.getValueAtPercentile(percentile) / 1e6;
  }
}
