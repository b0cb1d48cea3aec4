package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import io.milena.wire.handler.ConnectionContext;
import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateAnswer;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.record.internal.FileRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests with keys of Milena's own, among those of Kafka and alone. */
class PrivateApiTest {
  private static final short KEY = PrivateApi.KEY_MIN + 7;
  private static final int TIMEOUT_MS = 20_000;

  private static final ScriptedHandler HEARTBEAT =
      ScriptedHandler.answering(ApiKeys.HEARTBEAT, (_, _) -> new HeartbeatResponseData());

  @FunctionalInterface
  private interface Behaviour {
    CompletionStage<? extends PrivateAnswer> handle(ConnectionContext context, ByteBuffer body)
        throws MalformedFrameException;
  }

  private record Scripted(short key, Behaviour behaviour) implements PrivateApi {
    @Override
    public String name() {
      return "SCRIPTED";
    }

    @Override
    public short minVersion() {
      return 1;
    }

    @Override
    public short maxVersion() {
      return 2;
    }

    @Override
    public CompletionStage<? extends PrivateAnswer> handle(
        ConnectionContext context, short version, ByteBuffer body) throws MalformedFrameException {
      return behaviour.handle(context, body);
    }
  }

  @Test
  void theClientGetsTheAnswer() throws Exception {
    try (WireServer server = start((_, body) -> echo(body))) {
      for (int size : new int[] {0, 1, 1_000, 300_000}) {
        byte[] body = Produces.records(size, size);
        assertThat(ask(server.port(), (short) 2, body)).isEqualTo(body);
      }
    }
  }

  @Test
  void answersKeepTheOrderOfTheRequestsWhateverTheirKind() throws Exception {
    LinkedBlockingQueue<CompletableFuture<PrivateAnswer>> waiting = new LinkedBlockingQueue<>();
    Behaviour later =
        (_, _) -> {
          CompletableFuture<PrivateAnswer> answer = new CompletableFuture<>();
          waiting.add(answer);
          return answer;
        };
    try (WireServer server = start(later);
        WireClient client = server.connect()) {
      client.send(frame(KEY, 1, 11, new byte[3]));
      client.send(WireClient.frame(ApiKeys.HEARTBEAT, 4, 12, new HeartbeatRequestData()));
      client.send(frame(KEY, 1, 13, new byte[0]));
      next(waiting).complete(PrivateAnswer.of(new byte[] {1}));
      assertAnswer(client.receive(), 11, new byte[] {1});
      client.receive(ApiKeys.HEARTBEAT, 4, 12, new HeartbeatResponseData());
      next(waiting).complete(PrivateAnswer.of(new byte[] {2}));
      assertAnswer(client.receive(), 13, new byte[] {2});
    }
  }

  @Test
  void regionsOfFilesGoBetweenTheBytes(@TempDir Path directory) throws Exception {
    byte[] content = Produces.records(400_000, 5);
    Path file = directory.resolve("content");
    Files.write(file, content);
    try (FileRecords records = FileRecords.open(file.toFile(), false)) {
      Behaviour regions =
          (_, _) -> CompletableFuture.completedFuture(new WithRegion(records, content.length));
      try (WireServer server = start(regions)) {
        ByteBuffer answer = ByteBuffer.wrap(ask(server.port(), (short) 1, new byte[0]));
        assertThat(answer.getInt()).isEqualTo(42);
        byte[] sent = new byte[content.length];
        answer.get(sent);
        assertThat(sent).isEqualTo(content);
        assertThat(answer.getLong()).isEqualTo(43);
        assertThat(answer.hasRemaining()).isFalse();
      }
    }
  }

  private record WithRegion(FileRecords records, int recordsBytes) implements PrivateAnswer {
    @Override
    public int memoryBytes() {
      return 12;
    }

    @Override
    public void write(Writable out) {
      out.writeInt(42);
      out.writeRecords(records);
      out.writeLong(43);
    }
  }

  @Test
  void whatIsNotServedClosesTheConnection() throws Exception {
    Behaviour refusing =
        (_, body) -> {
          if (body.hasRemaining()) {
            throw new MalformedFrameException("it has a body");
          }
          return CompletableFuture.failedFuture(new IllegalStateException("on purpose"));
        };
    Queue<byte[]> bad = new ArrayDeque<>();
    bad.add(frame((short) (KEY + 1), 1, 1, new byte[0]));
    bad.add(frame(PrivateApi.KEY_MAX, 1, 1, new byte[0]));
    bad.add(frame(KEY, 0, 1, new byte[0]));
    bad.add(frame(KEY, 3, 1, new byte[0]));
    bad.add(frame(KEY, 1, 1, new byte[] {1}));
    bad.add(ByteBuffer.allocate(7).putInt(3).putShort(KEY).array());
    bad.add(ByteBuffer.allocate(6).putInt(2).putShort(KEY).array());
    int count = bad.size();
    try (WireServer server = start(refusing)) {
      for (byte[] frame : bad) {
        try (WireClient client = server.connect()) {
          client.send(frame);
          assertThat(client.isClosedByServer()).isTrue();
        }
      }
      assertThat(server.metrics().malformed()).isEqualTo(count);
      // The request is sound, serving it failed.
      try (WireClient client = server.connect()) {
        client.send(frame(KEY, 1, 1, new byte[0]));
        assertThat(client.isClosedByServer()).isTrue();
      }
      assertThat(server.metrics().malformed()).isEqualTo(count);
    }
  }

  @Test
  void anAnswerOfAnotherSizeThanItSaysIsNotSent() throws Exception {
    PrivateAnswer wrong =
        new PrivateAnswer() {
          @Override
          public int memoryBytes() {
            return 5;
          }

          @Override
          public int recordsBytes() {
            return 0;
          }

          @Override
          public void write(Writable out) {
            out.writeInt(1);
          }
        };
    try (WireServer server = start((_, _) -> CompletableFuture.completedFuture(wrong));
        WireClient client = server.connect()) {
      client.send(frame(KEY, 1, 1, new byte[0]));
      assertThat(client.isClosedByServer()).isTrue();
    }
  }

  @Test
  void aRequestThatWaitsHearsOfTheEndOfItsConnection() throws Exception {
    AtomicBoolean ended = new AtomicBoolean();
    CompletableFuture<Boolean> asked = new CompletableFuture<>();
    Behaviour never =
        (context, _) -> {
          context.onClose(() -> ended.set(true));
          asked.complete(true);
          return new CompletableFuture<>();
        };
    try (WireServer server = start(never)) {
      try (WireClient client = server.connect()) {
        client.send(frame(KEY, 1, 1, new byte[0]));
        assertThat(asked.get(TIMEOUT_MS, TimeUnit.MILLISECONDS)).isTrue();
      }
      WireServer.await("end heard of", ended::get);
    }
  }

  @Test
  void theClientSaysWhatWentWrong() throws Exception {
    try (WireServer server = start((_, _) -> new CompletableFuture<>())) {
      assertThatThrownBy(
              () -> PrivateClient.ask(address(server.port()), KEY, (short) 1, empty(), 200))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("did not answer within 200 ms");
      assertThatThrownBy(() -> ask(server.port(), (short) 9, new byte[0]))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("closed the connection instead of answering");
    }
    int free;
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      free = taken.getLocalPort();
    }
    assertThatThrownBy(() -> ask(free, (short) 1, new byte[0]))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("127.0.0.1:" + free)
        .hasMessageContaining("refused");
  }

  @Test
  void aKeyOfKafkasAndASecondHandlerOfAKeyAreRefused() {
    Behaviour none = (_, body) -> echo(body);
    assertThatThrownBy(() -> new Dispatcher(List.of(), List.of(new Scripted((short) 3, none))))
        .isInstanceOf(IllegalArgumentException.class);
    Scripted one = new Scripted(KEY, none);
    assertThatThrownBy(() -> new Dispatcher(List.of(), List.of(one, new Scripted(KEY, none))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Dispatcher.API_ID_MAX).isLessThan(PrivateApi.KEY_MIN);
  }

  private static WireServer start(Behaviour behaviour) throws IOException {
    return WireServer.start(
        WireServer.config(),
        Clock.system(),
        List.of(HEARTBEAT),
        List.of(new Scripted(KEY, behaviour)));
  }

  private static CompletionStage<PrivateAnswer> echo(ByteBuffer body) {
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    return CompletableFuture.completedFuture(PrivateAnswer.of(bytes));
  }

  private static byte[] ask(int port, short version, byte[] body) throws IOException {
    ByteBuffer answer =
        PrivateClient.ask(address(port), KEY, version, ByteBuffer.wrap(body), TIMEOUT_MS);
    byte[] bytes = new byte[answer.remaining()];
    answer.get(bytes);
    return bytes;
  }

  private static InetSocketAddress address(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private static ByteBuffer empty() {
    return ByteBuffer.allocate(0);
  }

  private static byte[] frame(short key, int version, int correlationId, byte[] body) {
    return ByteBuffer.allocate(12 + body.length)
        .putInt(8 + body.length)
        .putShort(key)
        .putShort((short) version)
        .putInt(correlationId)
        .put(body)
        .array();
  }

  private static <T> T next(LinkedBlockingQueue<T> queue) throws InterruptedException {
    T element = queue.poll(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    assertThat(element).isNotNull();
    return element;
  }

  private static void assertAnswer(ByteBuffer answer, int correlationId, byte[] body) {
    assertThat(answer.getInt()).isEqualTo(correlationId);
    byte[] bytes = new byte[answer.remaining()];
    answer.get(bytes);
    assertThat(bytes).isEqualTo(body);
  }
}
