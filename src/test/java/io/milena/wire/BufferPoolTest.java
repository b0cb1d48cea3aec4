package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BufferPoolTest {

  @Test
  void buffersAreGrantedWhileTheBudgetHasRoomAndThenWaitedFor() {
    BufferPool pool = new BufferPool(3_000);
    AtomicInteger woken = new AtomicInteger();
    PooledBuffer small = pool.tryAcquire(1_000);
    PooledBuffer large = pool.tryAcquire(10_000_000);
    assertThat(small.bytes.capacity()).isEqualTo(1_024);
    assertThat(large.bytes.capacity()).isEqualTo(10_000_000);
    assertThat(pool.tryAcquire(1)).isNull();
    pool.awaitSpace(woken::incrementAndGet);
    small.release();
    assertThat(woken).hasValue(0);
    large.release();
    assertThat(woken).hasValue(1);
    pool.awaitSpace(woken::incrementAndGet);
    assertThat(woken).hasValue(2);
    assertThat(pool.usedBytes()).isZero();
    assertThat(pool.outstanding()).isZero();
  }

  @Test
  void aBufferComesBackWithItsLastHolderAndIsUsedAgain() {
    BufferPool pool = new BufferPool(1_000_000);
    PooledBuffer buffer = pool.acquire(5_000);
    buffer.retain();
    buffer.release();
    assertThat(pool.usedBytes()).isEqualTo(8_192);
    buffer.bytes.position(17).limit(18);
    buffer.release();
    PooledBuffer again = pool.acquire(8_000);
    assertThat(again.bytes).isSameAs(buffer.bytes);
    assertThat(again.bytes.remaining()).isEqualTo(8_192);
    again.release();
    assertThatThrownBy(again::release).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(again::retain).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aLoopsOwnBufferCountsOnceItIsLeftToRequests() {
    BufferPool pool = new BufferPool(1_000_000);
    PooledBuffer own = pool.acquireUncharged(2_048);
    own.retain();
    assertThat(pool.usedBytes()).isZero();
    pool.charge(own);
    own.release();
    assertThat(pool.usedBytes()).isEqualTo(2_048);
    own.release();
    assertThat(pool.usedBytes()).isZero();
  }
}
