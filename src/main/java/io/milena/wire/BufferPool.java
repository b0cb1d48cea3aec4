package io.milena.wire;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Off-heap buffers for request bytes that outlive a read and for answers that a socket did not take
 * at once, under one budget for the node. Thread-safe.
 *
 * <p>Sizes are rounded up to powers of two from {@link #CLASS_BYTES_MIN}. The common path does not
 * come here: it works in the buffers that each event loop owns. As in Kafka, the budget is a
 * threshold: a buffer of any size is granted while less than the budget is in use, so that no frame
 * is too large to ever be read.
 */
final class BufferPool {
  static final int CLASS_BYTES_MIN = 1024;

  /** Larger buffers are rare, and freed instead of kept. */
  static final int KEPT_BYTES_MAX = 2 * 1024 * 1024;

  /** Free memory kept for reuse; what comes back beyond it is freed. */
  static final long FREE_BYTES_MAX = 32L * 1024 * 1024;

  private final long budgetBytes;
  private final List<ArrayDeque<ByteBuffer>> free = new ArrayList<>();
  private final ArrayDeque<Runnable> waiters = new ArrayDeque<>();
  private long freeBytes;
  private volatile long usedBytes;
  private int outstanding;

  BufferPool(long budgetBytes) {
    this.budgetBytes = budgetBytes;
    for (int size = CLASS_BYTES_MIN; size <= KEPT_BYTES_MAX; size *= 2) {
      free.add(new ArrayDeque<>());
    }
  }

  /** Whether connections must wait with requests that need memory. */
  boolean isExhausted() {
    return usedBytes >= budgetBytes;
  }

  long usedBytes() {
    return usedBytes;
  }

  /** Buffers that have not come back, charged or not. */
  synchronized int outstanding() {
    return outstanding;
  }

  /** A buffer within the budget, or null when it is used up. */
  synchronized @Nullable PooledBuffer tryAcquire(int sizeBytes) {
    return isExhausted() ? null : acquire(sizeBytes);
  }

  /** A buffer even beyond the budget: for bytes that have been read already or must be answered. */
  synchronized PooledBuffer acquire(int sizeBytes) {
    PooledBuffer buffer = acquireUncharged(sizeBytes);
    charge(buffer);
    return buffer;
  }

  /**
   * A buffer that does not count against the budget: an event loop's own, and the bytes of one read
   * of a connection that waits for the budget.
   */
  synchronized PooledBuffer acquireUncharged(int sizeBytes) {
    outstanding++;
    if (sizeBytes > KEPT_BYTES_MAX) {
      Arena arena = Arena.ofShared();
      return new PooledBuffer(this, arena.allocate(sizeBytes).asByteBuffer(), arena);
    }
    int index = classIndex(sizeBytes);
    ByteBuffer bytes = free.get(index).pollFirst();
    if (bytes == null) {
      bytes = ByteBuffer.allocateDirect(CLASS_BYTES_MIN << index);
    } else {
      freeBytes -= bytes.capacity();
      bytes.clear();
    }
    return new PooledBuffer(this, bytes, null);
  }

  /**
   * Counts an uncharged buffer from now on: its loop has left it to requests that still need it.
   */
  synchronized void charge(PooledBuffer buffer) {
    if (!buffer.charged) {
      buffer.charged = true;
      setUsedBytes(usedBytes + buffer.bytes.capacity());
    }
  }

  /**
   * Runs the task once when the budget has room again, at once if it has. At most one task waits
   * for each connection.
   */
  void awaitSpace(Runnable task) {
    synchronized (this) {
      if (isExhausted()) {
        waiters.addLast(task);
        return;
      }
    }
    task.run();
  }

  void giveBack(PooledBuffer buffer) {
    List<Runnable> ready = List.of();
    synchronized (this) {
      outstanding--;
      if (buffer.charged) {
        setUsedBytes(usedBytes - buffer.bytes.capacity());
      }
      if (buffer.arena == null && freeBytes + buffer.bytes.capacity() <= FREE_BYTES_MAX) {
        freeBytes += buffer.bytes.capacity();
        free.get(classIndex(buffer.bytes.capacity())).addFirst(buffer.bytes);
      }
      if (!waiters.isEmpty() && !isExhausted()) {
        ready = List.copyOf(waiters);
        waiters.clear();
      }
    }
    if (buffer.arena != null) {
      buffer.arena.close();
    }
    ready.forEach(Runnable::run);
  }

  // Every writer holds the monitor; the field is volatile for isExhausted, which takes no lock.
  @SuppressWarnings("NonAtomicVolatileUpdate")
  private void setUsedBytes(long value) {
    usedBytes = value;
  }

  private static int classIndex(int sizeBytes) {
    int size = Math.max(sizeBytes, CLASS_BYTES_MIN);
    return 32 - Integer.numberOfLeadingZeros(size - 1) - Integer.numberOfTrailingZeros(1024);
  }
}
