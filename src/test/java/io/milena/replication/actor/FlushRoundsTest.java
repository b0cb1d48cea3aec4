package io.milena.replication.actor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FlushRoundsTest {

  private final ArrayDeque<Runnable> threads = new ArrayDeque<>();
  private final FlushRounds rounds = new FlushRounds(threads::add);
  private final List<String> flushed = new ArrayList<>();

  private void flush(String name) {
    rounds.execute(() -> flushed.add(name));
  }

  @Test
  void whatComesWhileARoundRunsSharesTheNext() {
    flush("a");
    flush("b");
    flush("c");
    assertThat(threads).hasSize(1);
    threads.remove().run();
    assertThat(flushed).containsExactly("a");
    assertThat(threads).hasSize(2);
    threads.remove().run();
    flush("d");
    assertThat(threads).as("the round is not over").hasSize(1);
    threads.remove().run();
    assertThat(threads).hasSize(1);
    threads.remove().run();
    assertThat(flushed).containsExactly("a", "b", "c", "d");
    assertThat(threads).isEmpty();
  }

  @Test
  void aFlushThatFailsEndsItsPartOfTheRound() {
    rounds.execute(() -> {
      throw new IllegalStateException("expected");
    });
    flush("after");
    Runnable failing = threads.remove();
    try {
      failing.run();
    } catch (IllegalStateException expected) {
      flushed.add("failed");
    }
    threads.remove().run();
    assertThat(flushed).containsExactly("failed", "after");
  }
}
