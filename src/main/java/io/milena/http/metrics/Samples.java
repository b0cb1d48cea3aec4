package io.milena.http.metrics;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.List;

/** One metric while it is being read. */
final class Samples {

  private final String name;
  private final String help;
  private final List<Sample> samples = new ArrayList<>();

  private record Sample(Labels labels, double value) {}

  /**
   * @param name in snake case, without the {@code _total} of counters
   */
  Samples(String name, String help) {
    this.name = name;
    this.help = help;
  }

  Samples add(double value, Labels labels) {
    samples.add(new Sample(labels, value));
    return this;
  }

  Samples add(long value, Labels labels) {
    return add((double) value, labels);
  }

  Samples add(long value) {
    return add(value, Labels.EMPTY);
  }

  Samples add(boolean value, Labels labels) {
    return add(value ? 1 : 0, labels);
  }

  /** What may go down as well as up. */
  MetricSnapshot gauge() {
    GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(name).help(help);
    for (Sample sample : samples) {
      builder.dataPoint(
          GaugeSnapshot.GaugeDataPointSnapshot.builder()
              .labels(sample.labels())
              .value(sample.value())
              .build());
    }
    return builder.build();
  }

  /** Observations in buckets. */
  static MetricSnapshot histogram(
      String name, String help, List<Double> bounds, List<Observations> observations) {
    double[] all = new double[bounds.size() + 1];
    for (int i = 0; i < bounds.size(); i++) {
      all[i] = bounds.get(i);
    }
    all[bounds.size()] = Double.POSITIVE_INFINITY;
    HistogramSnapshot.Builder builder = HistogramSnapshot.builder().name(name).help(help);
    for (Observations each : observations) {
      builder.dataPoint(
          HistogramSnapshot.HistogramDataPointSnapshot.builder()
              .labels(each.labels())
              .classicHistogramBuckets(
                  ClassicHistogramBuckets.of(
                      all, each.counts().stream().mapToLong(count -> count).toArray()))
              .sum(each.sum())
              .build());
    }
    return builder.build();
  }

  /**
   * @param counts in each bucket, and in the one above them
   */
  record Observations(Labels labels, List<Long> counts, double sum) {}

  /** What only grows. */
  MetricSnapshot counter() {
    CounterSnapshot.Builder builder = CounterSnapshot.builder().name(name).help(help);
    for (Sample sample : samples) {
      builder.dataPoint(
          CounterSnapshot.CounterDataPointSnapshot.builder()
              .labels(sample.labels())
              .value(sample.value())
              .build());
    }
    return builder.build();
  }
}
