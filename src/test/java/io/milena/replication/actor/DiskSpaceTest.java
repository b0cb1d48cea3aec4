package io.milena.replication.actor;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class DiskSpaceTest {

  private long nowNanos;
  private final List<CompletableFuture<Void>> asked = new ArrayList<>();
  private final DiskSpace space =
      new DiskSpace(
          () -> {
            CompletableFuture<Void> reply = new CompletableFuture<>();
            asked.add(reply);
            return reply;
          },
          new Clock() {
            @Override
            public long wallClockMs() {
              throw new UnsupportedOperationException();
            }

            @Override
            public long monotonicNanos() {
              return nowNanos;
            }
          });

  @Test
  void asksAtOnceAndAgainNotBeforeTheAnswerAndAPauseHaveCome() {
    space.onRefused();
    nowNanos += Duration.ofHours(1).toNanos();
    space.onRefused();
    assertThat(asked).hasSize(1);
    asked.getFirst().completeExceptionally(new IllegalStateException("no leader"));
    space.onRefused();
    assertThat(asked).hasSize(1);
    nowNanos += Duration.ofSeconds(1).toNanos();
    space.onRefused();
    assertThat(asked).hasSize(2);
  }
}
