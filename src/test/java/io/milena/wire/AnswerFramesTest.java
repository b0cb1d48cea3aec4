package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Frames come out whole, however the network cuts them. */
class AnswerFramesTest {
  private static final int SHARED_BYTES = 4096;
  private static final int FRAME_BYTES_MAX = 100_000;

  private final BufferPool pool = new BufferPool(1 << 20);
  private final PooledBuffer shared = pool.acquireUncharged(SHARED_BYTES);
  private final List<byte[]> taken = new ArrayList<>();
  private boolean wantsMore = true;
  private final AnswerFrames frames = new AnswerFrames(pool, 1, FRAME_BYTES_MAX, this::take);

  @AfterEach
  void everythingIsGivenBack() {
    frames.close();
    shared.release();
    assertThat(pool.outstanding()).isZero();
  }

  private boolean take(PooledBuffer memory, int from, int to) {
    byte[] frame = new byte[to - from];
    memory.bytes.duplicate().clear().get(from, frame);
    taken.add(frame);
    return wantsMore;
  }

  @Test
  void everyCutOfAFewFrames() throws Exception {
    List<byte[]> sent = List.of(Produces.records(1, 1), Produces.records(9, 2), new byte[300]);
    byte[] stream = stream(sent);
    for (int first = 1; first < stream.length; first++) {
      for (int second : new int[] {1, 2, 3, 4, 5, stream.length}) {
        taken.clear();
        int[] steps = {first, second, stream.length};
        int[] next = {0};
        feed(stream, () -> steps[Math.min(next[0]++, 2)]);
        assertThat(taken).containsExactlyElementsOf(sent);
      }
    }
  }

  @Test
  void framesOfAnySizeInPiecesOfAnySize() throws Exception {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<byte[]> sent = new ArrayList<>();
      for (int i = random.nextInt(1, 30); i > 0; i--) {
        int sizeBytes =
            switch (random.nextInt(3)) {
              case 0 -> random.nextInt(1, 10);
              case 1 -> random.nextInt(1, 2 * SHARED_BYTES);
              default -> random.nextInt(1, FRAME_BYTES_MAX);
            };
        sent.add(Produces.records(sizeBytes, random.nextInt()));
      }
      taken.clear();
      int pieceMax = random.nextBoolean() ? 8 : 3 * SHARED_BYTES;
      feed(stream(sent), () -> random.nextInt(1, pieceMax));
      assertThat(taken).as("seed %d", seed).containsExactlyElementsOf(sent);
    }
  }

  @Test
  void sizesThatAreNotTaken() {
    for (int size : new int[] {0, -1, Integer.MIN_VALUE, FRAME_BYTES_MAX + 1, Integer.MAX_VALUE}) {
      byte[] stream = ByteBuffer.allocate(8).putInt(size).putInt(1).array();
      AnswerFrames fresh = new AnswerFrames(pool, 1, FRAME_BYTES_MAX, this::take);
      assertThatThrownBy(() -> fresh.read(new Pieces(stream, () -> 8), shared))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(Integer.toString(size));
    }
    assertThat(taken).isEmpty();
  }

  @Test
  void nothingAfterTheSinkHasEnough() throws Exception {
    wantsMore = false;
    byte[] stream = stream(List.of(new byte[3], new byte[4], new byte[5]));
    frames.read(new Pieces(stream, () -> stream.length), shared);
    assertThat(taken).hasSize(1);
  }

  @Test
  void theEndOfTheStream() throws Exception {
    Pieces ended = new Pieces(new byte[] {0, 0}, () -> 2);
    assertThat(frames.read(ended, shared)).isEqualTo(2);
    assertThat(frames.read(ended, shared)).isEqualTo(-1);
    assertThat(taken).isEmpty();
  }

  private void feed(byte[] stream, IntSupplier pieceBytes) throws IOException {
    Pieces source = new Pieces(stream, pieceBytes);
    while (frames.read(source, shared) >= 0) {
      // Until its end.
    }
  }

  private static byte[] stream(List<byte[]> bodies) {
    ByteBuffer all = ByteBuffer.allocate(bodies.stream().mapToInt(body -> 4 + body.length).sum());
    bodies.forEach(body -> all.putInt(body.length).put(body));
    return all.array();
  }

  /** A socket that gives bytes in pieces. */
  private static final class Pieces implements Transport {
    private final ByteBuffer left;
    private final IntSupplier pieceBytes;

    Pieces(byte[] stream, IntSupplier pieceBytes) {
      this.left = ByteBuffer.wrap(stream);
      this.pieceBytes = pieceBytes;
    }

    private ByteBuffer piece() {
      int size = Math.min(pieceBytes.getAsInt(), left.remaining());
      ByteBuffer piece = left.slice(left.position(), size);
      return piece;
    }

    private int move(ByteBuffer piece, ByteBuffer target) {
      int size = Math.min(piece.remaining(), target.remaining());
      target.put(piece.slice(piece.position(), size));
      piece.position(piece.position() + size);
      left.position(left.position() + size);
      return size;
    }

    @Override
    public int read(ByteBuffer target) {
      return left.hasRemaining() ? move(piece(), target) : -1;
    }

    @Override
    public long read(ByteBuffer first, ByteBuffer rest) {
      if (!left.hasRemaining()) {
        return -1;
      }
      ByteBuffer piece = piece();
      return move(piece, first) + (long) (first.hasRemaining() ? 0 : move(piece, rest));
    }

    @Override
    public int write(ByteBuffer source) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(FileChannel file, long positionBytes, long countBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean hasPendingWrites() {
      return false;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
