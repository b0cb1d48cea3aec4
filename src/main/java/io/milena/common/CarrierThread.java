package io.milena.common;

import java.util.ArrayDeque;

/**
 * A thread that carries the actors it talks to: work that an actor's mailbox hands to an executor
 * runs here at once, on the stack of the sender, instead of on another thread. The hand-over
 * between threads is most of what an actor costs (10 to 14 of 25 CPU seconds per million small
 * requests, architecture.md section 4). Work that such work causes waits until the first is done,
 * so stacks stay flat and an actor never runs inside another.
 */
public class CarrierThread extends Thread {

  private final ArrayDeque<Runnable> deferred = new ArrayDeque<>();
  private boolean carrying;

  public CarrierThread(Runnable task, String name) {
    super(null, task, name, 0, false);
  }

  /**
   * Runs a task now, or, when called from within such a task, right after it. Only this thread may
   * call it.
   */
  public final void carry(Runnable task) {
    if (carrying) {
      deferred.add(task);
      return;
    }
    carrying = true;
    Throwable failure = null;
    for (Runnable next = task; next != null; next = deferred.poll()) {
      try {
        next.run();
      } catch (RuntimeException | Error thrown) {
        failure = thrown;
      }
    }
    carrying = false;
    switch (failure) {
      case Error error -> throw error;
      case RuntimeException exception -> throw exception;
      case null, default -> {}
    }
  }
}
