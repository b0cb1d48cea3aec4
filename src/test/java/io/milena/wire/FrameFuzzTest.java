package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.Test;

/**
 * Random mutations of valid frames. Whatever a connection sends, the node goes on, another
 * connection is served meanwhile, and no memory is kept. {@code -Dmilena.seed=N} replays a run.
 */
class FrameFuzzTest {
  private static final int ROUNDS = 1_500;
  private static final int REQUEST_MAX_BYTES = 200_000;

  @Test
  void noSequenceOfBytesDisturbsOtherConnections() throws Exception {
    long seed = Long.getLong("milena.seed", System.nanoTime());
    Random random = new Random(seed);
    ScriptedHandler metadata =
        ScriptedHandler.answering(ApiKeys.METADATA, (_, _) -> new MetadataResponseData());
    ScriptedHandler heartbeat =
        ScriptedHandler.answering(ApiKeys.HEARTBEAT, (_, _) -> new HeartbeatResponseData());
    // Records of a mutated request may be null, which a real handler refuses.
    ScriptedHandler produce =
        ScriptedHandler.answering(ApiKeys.PRODUCE, (_, request) -> Produces.answer(0));
    try (WireServer server =
            WireServer.start(
                WireServer.config(REQUEST_MAX_BYTES, 1_000_000),
                Clock.system(),
                metadata,
                heartbeat,
                produce);
        WireClient other = server.connect()) {
      for (int round = 0; round < ROUNDS; round++) {
        try (WireClient client = server.connect()) {
          sendMutated(client, random);
          client.closeOutput();
          drain(client);
        } catch (SocketException e) {
          // Closed by the server while sending: what it should do with most of this.
        }
        if (round % 10 == 0) {
          byte[] records = Produces.records(100, round);
          other.send(Produces.frame(round, records));
          assertThat(Produces.receiveOffset(other, round)).as("seed %d", seed).isZero();
        }
      }
      WireServer.await(
          "connections closed, seed " + seed, () -> server.metrics().connectionsOpen() == 1);
      assertThat(server.metrics().malformed()).as("seed %d", seed).isPositive();
    }
  }

  private static void sendMutated(WireClient client, Random random) throws Exception {
    int frames = 1 + random.nextInt(4);
    for (int i = 0; i < frames; i++) {
      byte[] frame = valid(random);
      if (random.nextInt(3) > 0) {
        frame = mutated(frame, random);
      }
      client.send(frame);
    }
  }

  private static byte[] valid(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> WireClient.frame(ApiKeys.METADATA, 9, random.nextInt(), new MetadataRequestData());
      case 1 -> frame(ApiKeys.HEARTBEAT, 4, new HeartbeatRequestData().setGroupId("group"), random);
      case 2 -> frame(ApiKeys.API_VERSIONS, 3, new ApiVersionsRequestData(), random);
      default ->
          Produces.frame(
              random.nextInt(), Produces.records(random.nextInt(2_000), random.nextLong()));
    };
  }

  private static byte[] frame(ApiKeys api, int version, ApiMessage body, Random random) {
    return WireClient.frame(api, version, random.nextInt(), body);
  }

  private static byte[] mutated(byte[] frame, Random random) {
    switch (random.nextInt(5)) {
      case 0 -> frame[random.nextInt(frame.length)] ^= (byte) (1 << random.nextInt(8));
      case 1 -> {
        for (int i = 0; i < 8; i++) {
          frame[4 + random.nextInt(frame.length - 4)] = (byte) random.nextInt();
        }
      }
      case 2 -> ByteBuffer.wrap(frame).putInt(random.nextInt(frame.length - 3), random.nextInt());
      case 3 -> {
        byte[] shorter = java.util.Arrays.copyOf(frame, 4 + random.nextInt(frame.length - 4));
        ByteBuffer.wrap(shorter).putInt(0, shorter.length - 4);
        return shorter;
      }
      default -> {
        return java.util.Arrays.copyOf(frame, frame.length + 1 + random.nextInt(40));
      }
    }
    return frame;
  }

  private static void drain(WireClient client) throws Exception {
    while (!client.isClosedByServer()) {
      // An answer's byte; on to the next.
    }
  }
}
