package io.milena.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class CarrierThreadTest {

  private static void runOnCarrier(Runnable task) throws InterruptedException {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CarrierThread thread = new CarrierThread(task, "carrier");
    thread.setUncaughtExceptionHandler((_, thrown) -> failure.set(thrown));
    thread.start();
    thread.join();
    assertThat(failure.get()).isNull();
  }

  private static CarrierThread current() {
    return (CarrierThread) Thread.currentThread();
  }

  @Test
  void aTaskRunsAtOnceOnTheThreadThatHandsItOver() throws Exception {
    List<String> order = new ArrayList<>();
    runOnCarrier(() -> {
      order.add("before");
      current().carry(() -> order.add(Thread.currentThread().getName()));
      order.add("after");
    });
    assertThat(order).containsExactly("before", "carrier", "after");
  }

  @Test
  void whatATaskCausesRunsAfterItAndNeverInsideIt() throws Exception {
    List<String> order = new ArrayList<>();
    runOnCarrier(() -> {
      current()
          .carry(() -> {
            current().carry(() -> order.add("caused first"));
            current().carry(() -> order.add("caused second"));
            order.add("task");
          });
      order.add("sender goes on");
    });
    assertThat(order).containsExactly("task", "caused first", "caused second", "sender goes on");
  }

  @Test
  void aLongChainOfTasksNeedsNoStack() throws Exception {
    int[] ran = new int[1];
    runOnCarrier(() -> {
      Runnable[] next = new Runnable[1];
      next[0] =
          () -> {
            if (++ran[0] < 1_000_000) {
              current().carry(next[0]);
            }
          };
      current().carry(next[0]);
    });
    assertThat(ran[0]).isEqualTo(1_000_000);
  }

  @Test
  void aTaskThatFailsDoesNotKeepTheThreadFromCarryingOthers() throws Exception {
    List<String> order = new ArrayList<>();
    runOnCarrier(() -> {
      try {
        current()
            .carry(() -> {
              current().carry(() -> order.add("caused before it failed"));
              throw new IllegalStateException("expected");
            });
      } catch (IllegalStateException expected) {
        order.add("failed");
      }
      current().carry(() -> order.add("carried"));
    });
    assertThat(order).containsExactly("caused before it failed", "failed", "carried");
  }
}
