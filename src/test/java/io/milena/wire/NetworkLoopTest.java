package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NetworkLoopTest {

  private static final Duration DEADLINE = Duration.ofMillis(WireServer.DEADLINE_MS);

  @Test
  void aLoopWhoseEndFailsIsKnownToHaveEndedAndClosesAllItsConnections() throws Exception {
    BufferPool pool = new BufferPool(1 << 20);
    NetworkLoop loop =
        new NetworkLoop(
            0,
            WireServer.config(),
            new Dispatcher(List.of(), List.of()),
            pool,
            new PeerLog(Clock.system(), _ -> {}),
            new WireMetrics(),
            Clock.system(),
            _ -> {
              throw new IllegalStateException("as the test wants it");
            });
    loop.start();
    try (ServerSocketChannel server =
            ServerSocketChannel.open()
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        SocketChannel first = SocketChannel.open(server.getLocalAddress());
        SocketChannel second = SocketChannel.open(server.getLocalAddress())) {
      for (int id = 0; id < 2; id++) {
        adopt(loop, server.accept(), id);
      }
      loop.drainAndStop(0);
      assertThat(loop.ended()).succeedsWithin(DEADLINE);
      assertThat(pool.outstanding()).isZero();
      for (SocketChannel peer : List.of(first, second)) {
        assertThat(peer.read(ByteBuffer.allocate(1))).as("closed").isEqualTo(-1);
      }
    }
  }

  private static void adopt(NetworkLoop loop, SocketChannel channel, long id) throws Exception {
    channel.configureBlocking(false);
    InetSocketAddress peer = (InetSocketAddress) channel.getRemoteAddress();
    CompletableFuture<Void> adopted = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        loop.adopt(channel, id, peer, "PLAINTEXT");
        adopted.complete(null);
      } catch (Exception failure) {
        adopted.completeExceptionally(failure);
      }
    });
    adopted.get(WireServer.DEADLINE_MS, TimeUnit.MILLISECONDS);
  }
}
