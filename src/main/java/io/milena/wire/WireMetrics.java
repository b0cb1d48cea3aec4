package io.milena.wire;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.protocol.ApiKeys;

/** Counters of the Kafka listeners. */
public final class WireMetrics {
  final LongAdder connectionsAccepted = new LongAdder();
  final LongAdder connectionsClosed = new LongAdder();
  final LongAdder connectionsRefused = new LongAdder();
  final LongAdder bytesIn = new LongAdder();
  final LongAdder bytesOut = new LongAdder();
  final LongAdder malformed = new LongAdder();

  /**
   * Upper bounds of the buckets into which latencies are counted, in seconds; one more has the
   * rest.
   */
  public static final List<Double> LATENCY_BOUNDS_SECONDS =
      List.of(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0);

  private static final long[] BOUNDS_NANOS =
      LATENCY_BOUNDS_SECONDS.stream().mapToLong(bound -> Math.round(bound * 1e9)).toArray();

  /** By API id. */
  private final LongAdder[] requests = adders(Dispatcher.API_ID_MAX + 1);

  private final LongAdder[] latencyNanos = adders(Dispatcher.API_ID_MAX + 1);

  /** By API id and bucket. */
  private final LongAdder[] latencies =
      adders((Dispatcher.API_ID_MAX + 1) * (BOUNDS_NANOS.length + 1));

  private static LongAdder[] adders(int count) {
    LongAdder[] adders = new LongAdder[count];
    Arrays.setAll(adders, _ -> new LongAdder());
    return adders;
  }

  void countRequest(ApiKeys api) {
    requests[api.id].increment();
  }

  /** A request was answered, so long after it had been read. */
  void countAnswer(ApiKeys api, long nanos) {
    int bucket = 0;
    while (bucket < BOUNDS_NANOS.length && nanos > BOUNDS_NANOS[bucket]) {
      bucket++;
    }
    latencies[api.id * (BOUNDS_NANOS.length + 1) + bucket].increment();
    latencyNanos[api.id].add(nanos);
  }

  private Latency latency(ApiKeys api) {
    long[] counts = new long[BOUNDS_NANOS.length + 1];
    Arrays.setAll(counts, i -> latencies[api.id * counts.length + i].sum());
    return new Latency(Arrays.stream(counts).boxed().toList(), latencyNanos[api.id].sum() / 1e9);
  }

  Snapshot snapshot(long bufferBytesUsed) {
    Map<ApiKeys, Long> byApi = new EnumMap<>(ApiKeys.class);
    Map<ApiKeys, Latency> latencyByApi = new EnumMap<>(ApiKeys.class);
    for (ApiKeys api : ApiKeys.values()) {
      long count = requests[api.id].sum();
      if (count > 0) {
        byApi.put(api, count);
        latencyByApi.put(api, latency(api));
      }
    }
    return new Snapshot(
        connectionsAccepted.sum(),
        connectionsClosed.sum(),
        connectionsRefused.sum(),
        bytesIn.sum(),
        bytesOut.sum(),
        malformed.sum(),
        bufferBytesUsed,
        Map.copyOf(byApi),
        Map.copyOf(latencyByApi));
  }

  /**
   * Counts since the start; taken one after the other, not at one instant.
   *
   * @param connectionsAccepted connections served or still being served
   * @param connectionsClosed those of them that have ended
   * @param connectionsRefused closed at once because of {@code max.connections.per.ip}
   * @param bytesIn received
   * @param bytesOut sent
   * @param malformed connections closed because of what they sent
   * @param bufferBytesUsed of the node's request memory, now
   * @param requests started, by API; APIs without any are left out
   * @param latencies of those that were answered, from the round of the network loop that read them
   *     to the answer: with the time that a Fetch waits for records
   */
  public record Snapshot(
      long connectionsAccepted,
      long connectionsClosed,
      long connectionsRefused,
      long bytesIn,
      long bytesOut,
      long malformed,
      long bufferBytesUsed,
      Map<ApiKeys, Long> requests,
      Map<ApiKeys, Latency> latencies) {

    public long connectionsOpen() {
      return connectionsAccepted - connectionsClosed;
    }
  }

  /**
   * @param counts requests in each bucket of {@link #LATENCY_BOUNDS_SECONDS}, and in the one above
   * @param sumSeconds of all of them
   */
  public record Latency(List<Long> counts, double sumSeconds) {}
}
