package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** The order of requests and answers on one connection. */
class PipeliningTest {

  /** Produce requests seen by the handler, and the stages a test completes, by correlation id. */
  private final Map<Integer, CompletableFuture<ApiMessage>> produces = new ConcurrentHashMap<>();

  private final Map<Integer, ProduceRequestData> requests = new ConcurrentHashMap<>();
  private final Map<Integer, CompletableFuture<ApiMessage>> heartbeats = new ConcurrentHashMap<>();

  private final ScriptedHandler produce =
      ScriptedHandler.of(
          ApiKeys.PRODUCE,
          (context, request) -> {
            int id = context.header().correlationId();
            CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
            requests.put(id, (ProduceRequestData) request);
            produces.put(id, answer);
            return answer;
          });

  private final ScriptedHandler heartbeat =
      ScriptedHandler.of(
          ApiKeys.HEARTBEAT,
          (context, _) ->
              heartbeats.computeIfAbsent(
                  context.header().correlationId(), _ -> new CompletableFuture<>()));

  @Test
  void producesAreStartedTogetherAndAnsweredInOrder() throws Exception {
    int count = 20;
    try (WireServer server = WireServer.start(produce);
        WireClient client = server.connect()) {
      ByteArrayOutputStream frames = new ByteArrayOutputStream();
      for (int i = 0; i < count; i++) {
        frames.writeBytes(Produces.frame(i, Produces.records(30_000, i)));
      }
      client.send(frames.toByteArray());
      WireServer.await("all started", () -> produces.size() == count);
      for (int i = count - 1; i >= 0; i--) {
        // The records must still be what was sent, whatever the loop has read since.
        produces.get(i).complete(Produces.answer(Produces.hashOf(requests.get(i))));
      }
      for (int i = 0; i < count; i++) {
        assertThat(Produces.receiveOffset(client, i))
            .isEqualTo(Produces.hash(ByteBuffer.wrap(Produces.records(30_000, i))));
      }
    }
  }

  /** The other connections of the event loop have no part in it. */
  @Test
  void anErrorInAHandlerEndsItsConnectionOnly() throws Exception {
    ScriptedHandler broken =
        ScriptedHandler.of(
            ApiKeys.PRODUCE,
            (_, _) -> {
              throw new StackOverflowError("as the test wants it");
            });
    try (WireServer server = WireServer.start(broken, heartbeat)) {
      for (int i = 0; i < 2 * WireServer.config().networkThreads(); i++) {
        try (WireClient client = server.connect()) {
          client.send(Produces.frame(i, Produces.records(30_000, i)));
          assertThat(client.isClosedByServer()).isTrue();
        }
      }
      heartbeats.put(7, CompletableFuture.completedFuture(new HeartbeatResponseData()));
      try (WireClient client = server.connect()) {
        client.send(heartbeat(7));
        client.receive(ApiKeys.HEARTBEAT, 4, 7, new HeartbeatResponseData());
      }
    }
  }

  @Test
  void aRequestBehindAnUnansweredOneOfAnotherApiWaits() throws Exception {
    try (WireServer server = WireServer.start(produce, heartbeat);
        WireClient client = server.connect()) {
      ByteArrayOutputStream frames = new ByteArrayOutputStream();
      frames.writeBytes(Produces.frame(1, Produces.records(10, 1)));
      frames.writeBytes(heartbeat(2));
      frames.writeBytes(heartbeat(3));
      frames.writeBytes(Produces.frame(4, Produces.records(10, 1)));
      client.send(frames.toByteArray());
      WireServer.await("produce started", () -> produces.containsKey(1));
      assertThat(heartbeats).isEmpty();
      produces.get(1).complete(Produces.answer(11));
      assertThat(Produces.receiveOffset(client, 1)).isEqualTo(11);
      WireServer.await("heartbeat started", () -> heartbeats.containsKey(2));
      assertThat(heartbeats).doesNotContainKey(3);
      heartbeats.get(2).complete(new HeartbeatResponseData());
      client.receive(ApiKeys.HEARTBEAT, 4, 2, new HeartbeatResponseData());
      WireServer.await("next heartbeat started", () -> heartbeats.containsKey(3));
      assertThat(produces).doesNotContainKey(4);
      heartbeats.get(3).complete(new HeartbeatResponseData());
      client.receive(ApiKeys.HEARTBEAT, 4, 3, new HeartbeatResponseData());
      WireServer.await("last produce started", () -> produces.containsKey(4));
      produces.get(4).complete(Produces.answer(44));
      assertThat(Produces.receiveOffset(client, 4)).isEqualTo(44);
    }
  }

  @Test
  void moreFramesThanMayWaitStayUnreadAndAreServedLater() throws Exception {
    int count = 40;
    AtomicInteger served = new AtomicInteger();
    CompletableFuture<ApiMessage> gate = new CompletableFuture<>();
    ScriptedHandler counting =
        ScriptedHandler.answering(
            ApiKeys.PRODUCE,
            (_, request) -> {
              served.incrementAndGet();
              return Produces.answer(Produces.hashOf((ProduceRequestData) request));
            });
    ScriptedHandler blocking = ScriptedHandler.of(ApiKeys.HEARTBEAT, (_, _) -> gate);
    try (WireServer server = WireServer.start(counting, blocking);
        WireClient client = server.connect()) {
      ByteArrayOutputStream frames = new ByteArrayOutputStream();
      frames.writeBytes(heartbeat(1_000));
      for (int i = 0; i < count; i++) {
        frames.writeBytes(Produces.frame(i, Produces.records(100_000, i)));
      }
      Thread sender =
          Thread.ofVirtual().start(() -> FramingTest.sendAll(client, frames.toByteArray()));
      WireServer.await("something read", () -> server.metrics().bufferBytesUsed() > 0);
      assertThat(served).hasValue(0);
      assertThat(server.metrics().bytesIn())
          .isLessThanOrEqualTo(2L * NetworkLoop.READ_BUFFER_BYTES);
      gate.complete(new HeartbeatResponseData());
      client.receive(ApiKeys.HEARTBEAT, 4, 1_000, new HeartbeatResponseData());
      for (int i = 0; i < count; i++) {
        assertThat(Produces.receiveOffset(client, i))
            .isEqualTo(Produces.hash(ByteBuffer.wrap(Produces.records(100_000, i))));
      }
      sender.join();
    }
  }

  @Test
  void aHandlersApiErrorBecomesTheApisErrorResponse() throws Exception {
    try (WireServer server = WireServer.start(produce, heartbeat);
        WireClient client = server.connect()) {
      client.send(heartbeat(1));
      WireServer.await("started", () -> heartbeats.containsKey(1));
      heartbeats.get(1).completeExceptionally(new NotLeaderOrFollowerException("moved"));
      assertThat(client.receive(ApiKeys.HEARTBEAT, 4, 1, new HeartbeatResponseData()).errorCode())
          .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
    }
  }

  @Test
  void aHandlersOtherFailureClosesTheConnection() throws Exception {
    try (WireServer server = WireServer.start(heartbeat);
        WireClient client = server.connect()) {
      client.send(heartbeat(1));
      WireServer.await("started", () -> heartbeats.containsKey(1));
      heartbeats.get(1).completeExceptionally(new IllegalStateException("expected by the test"));
      assertThat(client.isClosedByServer()).isTrue();
    }
  }

  @Test
  void aProduceWithoutAcknowledgementHasNoAnswerAndItsFailureClosesTheConnection()
      throws Exception {
    ScriptedHandler silent =
        ScriptedHandler.of(
            ApiKeys.PRODUCE,
            (context, _) -> {
              if (context.header().correlationId() == 3) {
                context.closeConnection("the topic is gone");
              }
              return CompletableFuture.completedFuture(null);
            });
    try (WireServer server = WireServer.start(silent, heartbeat);
        WireClient client = server.connect()) {
      byte[] records = Produces.records(10, 1);
      client.send(WireClient.frame(ApiKeys.PRODUCE, 9, 1, Produces.request(records, 0)));
      client.send(heartbeat(2));
      WireServer.await("started", () -> heartbeats.containsKey(2));
      heartbeats.get(2).complete(new HeartbeatResponseData());
      client.receive(ApiKeys.HEARTBEAT, 4, 2, new HeartbeatResponseData());
      client.send(WireClient.frame(ApiKeys.PRODUCE, 9, 3, Produces.request(records, 0)));
      assertThat(client.isClosedByServer()).isTrue();
    }
  }

  @Test
  void aClientThatGoesAwayIsToldToItsWaitingRequestAndItsMemoryComesBack() throws Exception {
    CompletableFuture<Void> told = new CompletableFuture<>();
    CompletableFuture<ApiMessage> late = new CompletableFuture<>();
    ScriptedHandler waiting =
        ScriptedHandler.of(
            ApiKeys.PRODUCE,
            (context, _) -> {
              context.onClose(() -> told.complete(null));
              return late;
            });
    try (WireServer server = WireServer.start(waiting)) {
      try (WireClient client = server.connect()) {
        client.send(Produces.frame(1, Produces.records(1_000, 1)));
        WireServer.await("started", () -> server.metrics().bufferBytesUsed() > 0);
      }
      assertThat(told).succeedsWithin(java.time.Duration.ofMillis(WireServer.DEADLINE_MS));
      late.complete(Produces.answer(1));
      WireServer.await("memory back", () -> server.metrics().bufferBytesUsed() == 0);
    }
  }

  @Test
  void aTimerOfAWaitingRequestRunsOnItsLoop() throws Exception {
    List<Boolean> onLoop = WireServer.recording();
    ScriptedHandler delayed =
        ScriptedHandler.of(
            ApiKeys.HEARTBEAT,
            (context, _) -> {
              CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
              var never = context.schedule(5, () -> onLoop.add(null));
              context.schedule(
                  10,
                  () -> {
                    onLoop.add(NetworkLoop.currentLoop() != null);
                    answer.complete(new HeartbeatResponseData());
                  });
              never.cancel();
              return answer;
            });
    try (WireServer server = WireServer.start(delayed);
        WireClient client = server.connect()) {
      client.send(heartbeat(1));
      client.receive(ApiKeys.HEARTBEAT, 4, 1, new HeartbeatResponseData());
      assertThat(onLoop).containsExactly(true);
    }
  }

  private static byte[] heartbeat(int correlationId) {
    return WireClient.frame(
        ApiKeys.HEARTBEAT,
        4,
        correlationId,
        new HeartbeatRequestData().setGroupId("g").setMemberId("m"));
  }
}
