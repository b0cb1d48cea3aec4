package io.milena.wire.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.metadata.MetadataRecord;
import io.milena.wire.PrivateClient;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may ask a leader's node, and what it makes of frames that no follower sends. */
@Timeout(240)
class LeaderExchangeTest {
  private static final Uuid TOPIC = new Uuid(5, 5);
  private static final long FOLLOWER_EPOCH = 22;
  private static final int TIMEOUT_MS = 60_000;

  private ExchangeNode leader;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    leader = new ExchangeNode(1, directory);
    leader.apply(ExchangeNode.registered(1, 1, leader.port()));
    // Node 2 is this test.
    leader.apply(ExchangeNode.registered(2, FOLLOWER_EPOCH, 1));
    leader.apply(
        ExchangeNode.led(0, List.of(1, 2), 1, 1),
        new MetadataRecord.TopicCreated("t", TOPIC, false, List.of(0)));
  }

  @AfterEach
  void stop() throws Exception {
    leader.close();
  }

  private ByteBuffer ask(
      Consumer<ExchangeRequestWriter> hello, Consumer<ExchangeRequestWriter> more)
      throws IOException {
    ExchangeRequestWriter request = new ExchangeRequestWriter();
    hello.accept(request);
    request.poll(0, 1_000, 1_000);
    more.accept(request);
    return ask(request.body());
  }

  private ByteBuffer ask(ByteBuffer body) throws IOException {
    return PrivateClient.ask(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), leader.port()),
        PrivateApi.EXCHANGE,
        ExchangeFormat.VERSION,
        body,
        TIMEOUT_MS);
  }

  private static Consumer<ExchangeRequestWriter> hello(
      Uuid cluster, int asked, int by, long epoch) {
    return request -> request.beginWithHello(cluster, asked, by, epoch);
  }

  private static Consumer<ExchangeRequestWriter> hello() {
    return hello(ExchangeNode.CLUSTER, 1, 2, FOLLOWER_EPOCH);
  }

  private Errors answerTo(Consumer<ExchangeRequestWriter> hello) throws Exception {
    ByteBuffer answer = ask(hello, _ -> {});
    return ExchangeAnswerReader.read(answer, (_, _, _, _, _, _, _, _) -> {});
  }

  @Test
  void onlyNodesOfTheClusterInTheirPresentLifeAreServed() throws Exception {
    assertThat(answerTo(hello())).isEqualTo(Errors.NONE);
    assertThat(answerTo(hello(new Uuid(8, 8), 1, 2, FOLLOWER_EPOCH)))
        .isEqualTo(Errors.INCONSISTENT_CLUSTER_ID);
    assertThat(answerTo(hello(ExchangeNode.CLUSTER, 3, 2, FOLLOWER_EPOCH)))
        .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    assertThat(answerTo(hello(ExchangeNode.CLUSTER, 1, 9, FOLLOWER_EPOCH)))
        .isEqualTo(Errors.BROKER_ID_NOT_REGISTERED);
    for (long epoch : new long[] {FOLLOWER_EPOCH - 1, FOLLOWER_EPOCH + 1}) {
      assertThat(answerTo(hello(ExchangeNode.CLUSTER, 1, 2, epoch)))
          .isEqualTo(Errors.STALE_BROKER_EPOCH);
    }
  }

  @Test
  void positionsOfNodesThatAreRefusedDoNotCount() throws Exception {
    int before = leader.replica("t", 0).positions.get();
    Consumer<ExchangeRequestWriter> position =
        request -> {
          request.added(0, TOPIC, 0);
          request.position(0, (byte) 1, 1, 0, 0, -1, 0);
        };
    ask(hello(ExchangeNode.CLUSTER, 1, 2, FOLLOWER_EPOCH - 1), position);
    assertThat(leader.replica("t", 0).positions.get()).isEqualTo(before);
    ask(hello(), position);
    assertThat(leader.replica("t", 0).positions.get()).isEqualTo(before + 1);
  }

  @Test
  void framesThatAreNoneEndTheirConnection() throws Exception {
    List<Consumer<ExchangeRequestWriter>> wrong =
        List.of(
            request -> request.removed(0),
            request -> request.kept(0, 5),
            request -> request.position(3, (byte) 1, 1, 0, 0, -1, 0),
            request -> request.added(1, TOPIC, 0),
            request -> {
              request.added(0, TOPIC, 0);
              request.added(0, TOPIC, 0);
            },
            request -> {
              request.added(0, TOPIC, 0);
              request.position(0, (byte) 1, 1, 0, 4, -1, 4);
              request.kept(0, 5);
            });
    for (Consumer<ExchangeRequestWriter> entries : wrong) {
      assertThatThrownBy(() -> ask(hello(), entries))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("closed the connection");
    }
    assertThatThrownBy(() -> ask(request -> request.begin(FOLLOWER_EPOCH), _ -> {}))
        .isInstanceOf(IOException.class);
    assertThat(answerTo(hello())).isEqualTo(Errors.NONE);
  }

  @Test
  void partitionsThatAreNotHereAreWaitedFor() throws Exception {
    ask(
        hello(),
        request -> {
          request.added(0, new Uuid(9, 9), 0);
          request.position(0, (byte) 1, 1, 0, 0, -1, 0);
          request.added(1, TOPIC, 77);
          request.position(1, (byte) 1, 1, 0, 0, -1, 0);
          request.added(2, TOPIC, 0);
          request.position(2, (byte) 1, 7, 0, 0, -1, 0);
        });
    assertThat(answerTo(hello())).isEqualTo(Errors.NONE);
  }

  @Test
  void bytesOfAnyKind() throws Exception {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      ExchangeRequestWriter request = new ExchangeRequestWriter();
      hello().accept(request);
      request.poll(0, 1_000, 1_000);
      request.added(0, TOPIC, 0);
      request.position(0, (byte) 1, 1, 0, 0, -1, 0);
      ByteBuffer sound = request.body();
      byte[] bytes = new byte[sound.remaining()];
      sound.get(bytes);
      // Behind the hello, so that it is read further.
      bytes[25 + random.nextInt(bytes.length - 25)] = (byte) random.nextInt();
      // A longest wait above 0 would keep the answer.
      bytes[26] = 0;
      try {
        ask(ByteBuffer.wrap(bytes));
      } catch (IOException refused) {
        assertThat(refused).as("seed %d", seed).hasMessageContaining("closed the connection");
      }
    }
    assertThat(answerTo(hello())).isEqualTo(Errors.NONE);
    ExchangeNode.await("no session is left over", () -> leader.leading().sessionCount() == 0);
  }
}
