package io.milena.replication.actor;

import akka.dispatch.DispatcherPrerequisites;
import akka.dispatch.ExecutorServiceConfigurator;
import akka.dispatch.ExecutorServiceFactory;
import com.typesafe.config.Config;
import io.milena.common.CarrierThread;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * The executor of the replica dispatcher: a mailbox that a {@link CarrierThread} (a network loop)
 * schedules runs on that thread at once; one that any other thread schedules runs on a small pool.
 * An actor that is already running elsewhere just gets the message, so an actor is still on one
 * thread at a time.
 *
 * <p>Configuration: {@code threads}, the size of the pool.
 */
public final class CarrierExecutorConfigurator extends ExecutorServiceConfigurator {

  private final int threads;

  public CarrierExecutorConfigurator(Config config, DispatcherPrerequisites prerequisites) {
    super(config, prerequisites);
    this.threads = config.getInt("threads");
  }

  @Override
  public ExecutorServiceFactory createExecutorServiceFactory(
      String id, ThreadFactory threadFactory) {
    return () -> new CarrierExecutor(Executors.newFixedThreadPool(threads, threadFactory));
  }

  private static final class CarrierExecutor extends AbstractExecutorService {
    private final ExecutorService pool;

    CarrierExecutor(ExecutorService pool) {
      this.pool = pool;
    }

    @Override
    public void execute(Runnable task) {
      if (Thread.currentThread() instanceof CarrierThread carrier) {
        carrier.carry(task);
      } else {
        pool.execute(task);
      }
    }

    @Override
    public void shutdown() {
      pool.shutdown();
    }

    @Override
    public List<Runnable> shutdownNow() {
      return pool.shutdownNow();
    }

    @Override
    public boolean isShutdown() {
      return pool.isShutdown();
    }

    @Override
    public boolean isTerminated() {
      return pool.isTerminated();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
      return pool.awaitTermination(timeout, unit);
    }
  }
}
