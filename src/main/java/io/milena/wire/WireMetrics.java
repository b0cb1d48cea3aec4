package io.milena.wire;

import java.util.EnumMap;
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

  /** By API id. */
  private final LongAdder[] requests;

  WireMetrics() {
    requests = new LongAdder[Dispatcher.API_ID_MAX + 1];
    for (int i = 0; i < requests.length; i++) {
      requests[i] = new LongAdder();
    }
  }

  void countRequest(ApiKeys api) {
    requests[api.id].increment();
  }

  Snapshot snapshot(long bufferBytesUsed) {
    Map<ApiKeys, Long> byApi = new EnumMap<>(ApiKeys.class);
    for (ApiKeys api : ApiKeys.values()) {
      long count = requests[api.id].sum();
      if (count > 0) {
        byApi.put(api, count);
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
        Map.copyOf(byApi));
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
   */
  public record Snapshot(
      long connectionsAccepted,
      long connectionsClosed,
      long connectionsRefused,
      long bytesIn,
      long bytesOut,
      long malformed,
      long bufferBytesUsed,
      Map<ApiKeys, Long> requests) {

    public long connectionsOpen() {
      return connectionsAccepted - connectionsClosed;
    }
  }
}
