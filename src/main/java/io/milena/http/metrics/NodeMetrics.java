package io.milena.http.metrics;

import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.milena.http.Endpoint;
import io.milena.http.HttpNode;
import io.milena.http.KafkaApis;
import io.milena.http.RequestMeter;
import io.milena.http.group.Groups;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * {@code GET /metrics}. Micrometer keeps what is about the process and about HTTP; what is about
 * the node and its partitions is read from the published views when Prometheus asks, and costs
 * nothing between.
 */
public final class NodeMetrics implements RequestMeter {

  private static final String OPENMETRICS = "application/openmetrics-text";

  /** Micrometer itself refers weakly to what it measures. */
  private final List<Object> kept = new CopyOnWriteArrayList<>();

  private final GroupLags lags;
  private final QuorumCollector quorum;

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  // Closed with the process: it listens to the garbage collector for as long as the node lives.
  @SuppressWarnings("resource")
  public NodeMetrics(HttpNode node, KafkaApis apis, Groups groups) {
    lags = new GroupLags(node, groups);
    quorum = new QuorumCollector(node, apis);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmGcMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    registry.getPrometheusRegistry().register(new WireCollector(node));
    registry.getPrometheusRegistry().register(new PartitionCollector(node));
    registry.getPrometheusRegistry().register(new ClusterCollector(node));
    registry.getPrometheusRegistry().register(lags);
    registry.getPrometheusRegistry().register(quorum);
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(
        new Endpoint(
            "GET",
            "/metrics",
            exchange -> {
              boolean open =
                  exchange
                      .header("Accept")
                      .filter(accept -> accept.contains(OPENMETRICS))
                      .isPresent();
              String type =
                  open
                      ? OPENMETRICS + "; version=1.0.0; charset=utf-8"
                      : "text/plain; version=0.0.4; charset=utf-8";
              return lags.refresh()
                  .thenCombine(
                      quorum.refresh(),
                      (_, _) ->
                          HttpResponse.create()
                              .withEntity(
                                  HttpEntities.create(
                                      ContentTypes.parse(type),
                                      registry.scrape(type).getBytes(StandardCharsets.UTF_8))));
            }));
  }

  /** Counts the port's open connections. */
  public void connections(IntSupplier open) {
    kept.add(open);
    Gauge.builder("milena.http.connections", open, IntSupplier::getAsInt)
        .description("HTTP connections that are open")
        .register(registry);
  }

  /** Counts the streams that are open, and what they have sent. */
  public void streams(IntSupplier open, LongSupplier records) {
    kept.add(open);
    kept.add(records);
    Gauge.builder("milena.http.streams", open, IntSupplier::getAsInt)
        .description("Streams that are open")
        .register(registry);
    FunctionCounter.builder("milena.http.stream.records", records, LongSupplier::getAsLong)
        .description("Records that streams have sent")
        .register(registry);
  }

  @Override
  public void answered(String method, String pattern, int status, long startNanos) {
    Timer.builder("milena.http.requests")
        .description("HTTP requests, until their answer begins")
        .tag("method", method)
        .tag("resource", pattern)
        .tag("status", Integer.toString(status))
        .register(registry)
        .record(System.nanoTime() - startNanos, TimeUnit.NANOSECONDS);
  }

  /** For what else has something to count. */
  public PrometheusMeterRegistry registry() {
    return registry;
  }
}
