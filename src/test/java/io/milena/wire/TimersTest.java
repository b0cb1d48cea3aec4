package io.milena.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.wire.handler.ConnectionContext.TimerTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TimersTest {

  @Test
  void timersRunInTheOrderOfTheirDeadlinesUnlessCancelled() {
    long seed = Long.getLong("milena.seed", System.nanoTime());
    Random random = new Random(seed);
    Timers timers = new Timers();
    TreeMap<Long, TimerTask> model = new TreeMap<>();
    List<Long> ran = new ArrayList<>();
    List<Long> expected = new ArrayList<>();
    long now = 0;
    for (int step = 0; step < 20_000; step++) {
      int action = random.nextInt(10);
      if (action < 5) {
        long deadline = now + random.nextInt(100_000);
        if (!model.containsKey(deadline)) {
          model.put(deadline, timers.schedule(deadline, () -> ran.add(deadline)));
        }
      } else if (action < 9 && !model.isEmpty()) {
        Long victim = model.ceilingKey(now + random.nextInt(100_000));
        if (victim != null) {
          model.remove(victim).cancel();
        }
      } else {
        now += random.nextInt(5_000);
        for (Runnable due = timers.pollDue(now); due != null; due = timers.pollDue(now)) {
          due.run();
        }
        expected.addAll(model.headMap(now, true).keySet());
        model.headMap(now, true).clear();
      }
      long next = model.isEmpty() ? Long.MAX_VALUE : model.firstKey() - now;
      assertThat(timers.nanosToNext(now)).as("seed %d", seed).isEqualTo(next);
      assertThat(timers.size()).as("seed %d", seed).isEqualTo(model.size());
    }
    assertThat(ran).as("seed %d", seed).isEqualTo(expected);
  }

  @Test
  void cancellingAfterTheRunOrTwiceChangesNothing() {
    Timers timers = new Timers();
    TimerTask first = timers.schedule(1, () -> {});
    TimerTask second = timers.schedule(2, () -> {});
    Runnable due = timers.pollDue(1);
    assertThat(due).isNotNull();
    first.cancel();
    second.cancel();
    second.cancel();
    assertThat(timers.size()).isZero();
    assertThat(timers.nanosToNext(1)).isEqualTo(Long.MAX_VALUE);
  }
}
