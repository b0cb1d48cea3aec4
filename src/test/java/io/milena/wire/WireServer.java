package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A server on a free port for one test; closing it checks that all buffers came back. */
final class WireServer implements AutoCloseable {
  static final long DEADLINE_MS = 60_000;

  final KafkaServer server;

  private WireServer(KafkaServer server) {
    this.server = server;
  }

  static WireServer start(ApiHandler... handlers) throws IOException {
    return start(config(), Clock.system(), handlers);
  }

  static WireServer start(WireConfig config, Clock clock, ApiHandler... handlers)
      throws IOException {
    return start(config, clock, List.of(handlers), List.of());
  }

  static WireServer start(
      WireConfig config, Clock clock, List<ApiHandler> handlers, List<PrivateApi> privateApis)
      throws IOException {
    KafkaServer server =
        KafkaServer.bind(
            List.of(new ListenAddress("PLAINTEXT", "127.0.0.1", 0)),
            handlers,
            privateApis,
            config,
            clock);
    server.start();
    return new WireServer(server);
  }

  /** Two loops and the defaults. */
  static WireConfig config() {
    return config(
        WireConfig.REQUEST_MAX_BYTES_DEFAULT, WireConfig.QUEUED_REQUEST_MAX_BYTES_DEFAULT);
  }

  static WireConfig config(int requestMaxBytes, long queuedRequestMaxBytes) {
    return new WireConfig(
        2,
        WireConfig.SOCKET_BUFFER_BYTES_DEFAULT,
        WireConfig.SOCKET_BUFFER_BYTES_DEFAULT,
        50,
        requestMaxBytes,
        queuedRequestMaxBytes,
        WireConfig.IDLE_MAX_MS_DEFAULT,
        ConnectionLimits.NONE);
  }

  int port() {
    return server.ports().get("PLAINTEXT");
  }

  WireClient connect() throws IOException {
    return new WireClient(port());
  }

  WireMetrics.Snapshot metrics() {
    return server.metrics();
  }

  /** Polls until the condition holds; fails at the deadline. */
  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - deadline).as(what).isNegative();
      LockSupport.parkNanos(1_000_000);
      Thread.yield();
    }
  }

  @Override
  public void close() {
    assertThat(server.stop(5_000)).succeedsWithin(java.time.Duration.ofMillis(DEADLINE_MS));
    assertThat(metrics().bufferBytesUsed()).as("request memory still held").isZero();
    assertThat(server.outstandingBuffers()).as("buffers still held").isZero();
    assertThat(metrics().connectionsOpen()).isZero();
  }

  /** Everything a test asked of a handler, in order. */
  static <T> List<T> recording() {
    return java.util.Collections.synchronizedList(new ArrayList<>());
  }
}
