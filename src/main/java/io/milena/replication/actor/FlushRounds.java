package io.milena.replication.actor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * Runs the flushes of fsync mode in rounds: all that wait when a round begins run side by side, and
 * what comes meanwhile waits for the next. A journalling file system then makes one commit of a
 * round, whatever the number of its files, and each file's flush covers everything appended while
 * the round before it ran.
 */
public final class FlushRounds implements Executor {

  private final Executor threads;

  /** Guarded by this, as all that follows. At most one flush a partition waits. */
  private List<Runnable> next = new ArrayList<>();

  private int running;

  /**
   * @param threads runs the flushes of one round
   */
  public FlushRounds(Executor threads) {
    this.threads = threads;
  }

  @Override
  public void execute(Runnable flush) {
    List<Runnable> round;
    synchronized (this) {
      next.add(flush);
      if (running > 0) {
        return;
      }
      round = beginRound();
    }
    run(round);
  }

  private List<Runnable> beginRound() {
    List<Runnable> round = next;
    next = new ArrayList<>();
    running = round.size();
    return round;
  }

  private void run(List<Runnable> round) {
    for (Runnable flush : round) {
      Runnable task =
          () -> {
            try {
              flush.run();
            } finally {
              onFlushEnded();
            }
          };
      try {
        threads.execute(task);
      } catch (RejectedExecutionException stopping) {
        // The node stops: done here, so that nobody waits for it.
        task.run();
      }
    }
  }

  private void onFlushEnded() {
    List<Runnable> round;
    synchronized (this) {
      running--;
      if (running > 0 || next.isEmpty()) {
        return;
      }
      round = beginRound();
    }
    run(round);
  }
}
