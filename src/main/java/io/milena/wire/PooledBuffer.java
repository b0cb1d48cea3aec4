package io.milena.wire;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Off-heap memory that goes back to its pool when the last of its holders lets go. Whoever acquired
 * it holds it once; {@link #retain} and {@link #release} may be called from any thread, the bytes
 * themselves belong to the network thread.
 */
final class PooledBuffer implements ReceivedBytes {
  final ByteBuffer bytes;

  /** Set where the memory is too large to keep: closed, and so freed, on the last release. */
  final @Nullable Arena arena;

  /** Whether it counts against the pool's budget; guarded by the pool. */
  boolean charged;

  private final BufferPool pool;
  private final AtomicInteger holders = new AtomicInteger(1);

  PooledBuffer(BufferPool pool, ByteBuffer bytes, @Nullable Arena arena) {
    this.pool = pool;
    this.bytes = bytes;
    this.arena = arena;
  }

  @Override
  public PooledBuffer retain() {
    if (holders.getAndIncrement() <= 0) {
      throw new IllegalStateException("Retained after its last release");
    }
    return this;
  }

  @Override
  public void release() {
    int left = holders.decrementAndGet();
    if (left == 0) {
      pool.giveBack(this);
    } else if (left < 0) {
      throw new IllegalStateException("Released more often than retained");
    }
  }

  boolean isShared() {
    return holders.get() > 1;
  }
}
