package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import java.net.BindException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.Test;

/** Slow peers, limits of connections, idleness, and stopping. */
class BackpressureTest {
  private static final ScriptedHandler HEARTBEAT =
      ScriptedHandler.answering(ApiKeys.HEARTBEAT, (_, _) -> new HeartbeatResponseData());

  @Test
  void aPeerThatDoesNotReadIsNotReadFrom() throws Exception {
    int count = 400;
    AtomicInteger served = new AtomicInteger();
    MetadataResponseData answer = new MetadataResponseData().setClusterId("x".repeat(20_000));
    for (int i = 0; i < 2_000; i++) {
      answer
          .topics()
          .add(
              new MetadataResponseData.MetadataResponseTopic()
                  .setName("topic-" + "y".repeat(50) + i));
    }
    ScriptedHandler metadata =
        ScriptedHandler.answering(
            ApiKeys.METADATA,
            (_, _) -> {
              served.incrementAndGet();
              return answer;
            });
    try (WireServer server = WireServer.start(metadata, HEARTBEAT);
        WireClient slow = new WireClient(server.port(), 4096);
        WireClient other = server.connect()) {
      for (int i = 0; i < count; i++) {
        slow.send(WireClient.frame(ApiKeys.METADATA, 9, i, new MetadataRequestData()));
      }
      WireServer.await(
          "output of the slow peer held", () -> server.server.outstandingBuffers() > 4);
      for (int i = 0; i < 50; i++) {
        heartbeat(other, i);
      }
      assertThat(served.get()).isLessThan(count / 2);
      for (int i = 0; i < count; i++) {
        assertThat(slow.receive(ApiKeys.METADATA, 9, i, new MetadataResponseData()))
            .isEqualTo(answer);
      }
    }
  }

  @Test
  void connectionsBeyondTheLimitWaitForAPlace() throws Exception {
    try (WireServer server = WireServer.start(limited(2, 100), Clock.system(), HEARTBEAT);
        WireClient first = server.connect();
        WireClient second = server.connect();
        WireClient third = server.connect()) {
      heartbeat(first, 1);
      heartbeat(second, 1);
      third.send(heartbeatFrame(7));
      heartbeat(second, 2);
      assertThat(server.metrics().connectionsAccepted()).isEqualTo(2);
      first.close();
      third.receive(ApiKeys.HEARTBEAT, 4, 7, new HeartbeatResponseData());
      assertThat(server.metrics().connectionsAccepted()).isEqualTo(3);
    }
  }

  @Test
  void connectionsBeyondTheLimitOfAnAddressAreClosed() throws Exception {
    try (WireServer server = WireServer.start(limited(100, 2), Clock.system(), HEARTBEAT);
        WireClient first = server.connect();
        WireClient second = server.connect()) {
      heartbeat(first, 1);
      heartbeat(second, 1);
      try (WireClient third = server.connect()) {
        assertThat(third.isClosedByServer()).isTrue();
      }
      first.close();
      WireServer.await("place free", () -> server.metrics().connectionsOpen() == 1);
      try (WireClient fourth = server.connect()) {
        heartbeat(fourth, 1);
      }
      assertThat(server.metrics().connectionsRefused()).isEqualTo(1);
    }
  }

  @Test
  void limitsMayChangeWhileConnectionsAreOpen() throws Exception {
    try (WireServer server = WireServer.start(limited(1, 100), Clock.system(), HEARTBEAT);
        WireClient first = server.connect();
        WireClient second = server.connect()) {
      heartbeat(first, 1);
      second.send(heartbeatFrame(7));
      heartbeat(first, 2);
      server.server.limit(limits(100, 2));
      second.receive(ApiKeys.HEARTBEAT, 4, 7, new HeartbeatResponseData());
      try (WireClient third = server.connect()) {
        assertThat(third.isClosedByServer()).isTrue();
      }
      InetAddress own = InetAddress.getByName("127.0.0.1");
      server.server.limit(new ConnectionLimits(100, 0, Map.of(own, 3), Integer.MAX_VALUE));
      try (WireClient fourth = server.connect()) {
        heartbeat(fourth, 1);
      }
      heartbeat(first, 3);
    }
  }

  @Test
  void connectionsThatComeTooFastWaitInTheBacklog() throws Exception {
    ManualClock clock = new ManualClock();
    ConnectionLimits onePerSecond =
        new ConnectionLimits(Integer.MAX_VALUE, Integer.MAX_VALUE, Map.of(), 1);
    WireConfig config = new WireConfig(2, -1, -1, 50, 1_000_000, 1_000_000, -1, onePerSecond);
    try (WireServer server = WireServer.start(config, clock, HEARTBEAT);
        WireClient first = server.connect();
        WireClient second = server.connect();
        WireClient third = server.connect()) {
      heartbeat(first, 1);
      heartbeat(second, 1);
      third.send(heartbeatFrame(7));
      heartbeat(second, 2);
      assertThat(server.metrics().connectionsAccepted()).isEqualTo(2);
      clock.advanceMs(1_000);
      wake(server);
      third.receive(ApiKeys.HEARTBEAT, 4, 7, new HeartbeatResponseData());
    }
  }

  @Test
  void anIdleConnectionIsClosedAndOneThatWaitsForAnAnswerIsNot() throws Exception {
    ManualClock clock = new ManualClock();
    CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
    CompletableFuture<Void> started = new CompletableFuture<>();
    ScriptedHandler waiting =
        ScriptedHandler.of(
            ApiKeys.METADATA,
            (_, _) -> {
              started.complete(null);
              return answer;
            });
    try (WireServer server = WireServer.start(WireServer.config(), clock, HEARTBEAT, waiting);
        WireClient idle = server.connect();
        WireClient busy = server.connect()) {
      heartbeat(idle, 1);
      busy.send(WireClient.frame(ApiKeys.METADATA, 9, 1, new MetadataRequestData()));
      started.get(WireServer.DEADLINE_MS, TimeUnit.MILLISECONDS);
      clock.advanceMs(WireConfig.IDLE_MAX_MS_DEFAULT / 2);
      wake(server);
      heartbeat(idle, 2);
      clock.advanceMs(WireConfig.IDLE_MAX_MS_DEFAULT / 2 + 1);
      wake(server);
      heartbeat(idle, 3);
      clock.advanceMs(WireConfig.IDLE_MAX_MS_DEFAULT + 1);
      wake(server);
      assertThat(idle.isClosedByServer()).isTrue();
      answer.complete(new MetadataResponseData());
      busy.receive(ApiKeys.METADATA, 9, 1, new MetadataResponseData());
    }
  }

  @Test
  void stoppingAnswersWhatWasStartedAndClosesTheRest() throws Exception {
    CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
    CompletableFuture<Void> started = new CompletableFuture<>();
    ScriptedHandler waiting =
        ScriptedHandler.of(
            ApiKeys.METADATA,
            (_, _) -> {
              started.complete(null);
              return answer;
            });
    try (WireServer server = WireServer.start(waiting, HEARTBEAT);
        WireClient idle = server.connect();
        WireClient busy = server.connect()) {
      heartbeat(idle, 1);
      busy.send(WireClient.frame(ApiKeys.METADATA, 9, 1, new MetadataRequestData()));
      started.get(WireServer.DEADLINE_MS, TimeUnit.MILLISECONDS);
      CompletableFuture<?> stopped = server.server.stop(WireServer.DEADLINE_MS);
      assertThat(idle.isClosedByServer()).isTrue();
      assertThat(stopped).isNotDone();
      answer.complete(new MetadataResponseData());
      busy.receive(ApiKeys.METADATA, 9, 1, new MetadataResponseData());
      assertThat(busy.isClosedByServer()).isTrue();
      stopped.get(WireServer.DEADLINE_MS, TimeUnit.MILLISECONDS);
    }
  }

  @Test
  void aPortInUseIsNamedWithWhatToDo() throws Exception {
    try (WireServer server = WireServer.start(HEARTBEAT)) {
      ListenAddress taken = new ListenAddress("PLAINTEXT", "127.0.0.1", server.port());
      assertThatThrownBy(() ->
              KafkaServer.bind(
                  List.of(taken),
                  List.of(HEARTBEAT),
                  List.of(),
                  WireServer.config(),
                  Clock.system()))
          .isInstanceOf(BindException.class)
          .hasMessage(
              "Kafka port %s is in use by another process: stop it or choose another with --kafka"
                  + " HOST:PORT",
              taken);
    }
  }

  @Test
  void tasksRunOnTheLoopInTheirOrder() throws Exception {
    try (WireServer server = WireServer.start(HEARTBEAT)) {
      NetworkLoop loop = server.server.loops().getFirst();
      List<Integer> order = new ArrayList<>();
      CompletableFuture<NetworkLoop> done = new CompletableFuture<>();
      for (int i = 0; i < 1_000; i++) {
        int task = i;
        loop.execute(() -> order.add(task));
      }
      loop.execute(() -> loop.execute(() -> done.complete(NetworkLoop.currentLoop())));
      assertThat(done.get(WireServer.DEADLINE_MS, TimeUnit.MILLISECONDS)).isSameAs(loop);
      assertThat(order).hasSize(1_000).isSorted();
      assertThat(NetworkLoop.currentLoop()).isNull();
    }
  }

  private static void wake(WireServer server) throws Exception {
    // Two tasks one after the other: the first round may have begun before the clock was moved.
    for (int i = 0; i < 2; i++) {
      for (NetworkLoop loop : server.server.loops()) {
        CompletableFuture.runAsync(() -> {}, loop)
            .get(WireServer.DEADLINE_MS, TimeUnit.MILLISECONDS);
      }
    }
  }

  private static void heartbeat(WireClient client, int correlationId) throws Exception {
    client.send(heartbeatFrame(correlationId));
    client.receive(ApiKeys.HEARTBEAT, 4, correlationId, new HeartbeatResponseData());
  }

  private static byte[] heartbeatFrame(int correlationId) {
    return WireClient.frame(
        ApiKeys.HEARTBEAT,
        4,
        correlationId,
        new HeartbeatRequestData().setGroupId("g").setMemberId("m"));
  }

  private static WireConfig limited(int connectionsMax, int connectionsPerIpMax) {
    return new WireConfig(
        2, -1, -1, 50, 1_000_000, 1_000_000, -1, limits(connectionsMax, connectionsPerIpMax));
  }

  private static ConnectionLimits limits(int max, int perIp) {
    return new ConnectionLimits(max, perIp, Map.of(), Integer.MAX_VALUE);
  }

  /** A clock that only a test moves. */
  private static final class ManualClock implements Clock {
    private final AtomicLong nanos = new AtomicLong();

    void advanceMs(long ms) {
      nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(ms));
    }

    @Override
    public long wallClockMs() {
      return TimeUnit.NANOSECONDS.toMillis(nanos.get());
    }

    @Override
    public long monotonicNanos() {
      return nanos.get();
    }
  }
}
