package io.milena.http.metrics;

import io.milena.http.HttpNode;
import io.milena.wire.WireMetrics;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** The Kafka listeners. */
final class WireCollector implements MultiCollector {

  private final HttpNode node;

  WireCollector(HttpNode node) {
    this.node = node;
  }

  @Override
  public MetricSnapshots collect() {
    WireMetrics.Snapshot now = node.wire().get();
    Samples requests =
        new Samples("milena_kafka_requests", "Requests of the Kafka protocol that were begun");
    now.requests().forEach((api, count) -> requests.add(count, Labels.of("api", api.name)));
    return MetricSnapshots.of(
        requests.counter(),
        Samples.histogram(
            "milena_kafka_request_seconds",
            "Time from when a request was read to its answer; a Fetch may wait for records",
            WireMetrics.LATENCY_BOUNDS_SECONDS,
            now.latencies().entrySet().stream()
                .map(each ->
                    new Samples.Observations(
                        Labels.of("api", each.getKey().name),
                        each.getValue().counts(),
                        each.getValue().sumSeconds()))
                .toList()),
        new Samples("milena_kafka_received_bytes", "Bytes received by the Kafka listeners")
            .add(now.bytesIn())
            .counter(),
        new Samples("milena_kafka_sent_bytes", "Bytes sent by the Kafka listeners")
            .add(now.bytesOut())
            .counter(),
        new Samples("milena_kafka_connections", "Connections to the Kafka listeners that are open")
            .add(now.connectionsOpen())
            .gauge(),
        new Samples("milena_kafka_connections_accepted", "Connections that were accepted")
            .add(now.connectionsAccepted())
            .counter(),
        new Samples(
                "milena_kafka_connections_refused",
                "Connections closed at once because of max.connections.per.ip")
            .add(now.connectionsRefused())
            .counter(),
        new Samples(
                "milena_kafka_connections_malformed",
                "Connections closed because of what they sent")
            .add(now.malformed())
            .counter(),
        new Samples(
                "milena_kafka_request_memory_bytes",
                "Memory that requests of the Kafka protocol hold")
            .add(now.bufferBytesUsed())
            .gauge());
  }
}
