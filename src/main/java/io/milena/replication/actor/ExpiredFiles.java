package io.milena.replication.actor;

import akka.actor.typed.javadsl.TimerScheduler;
import io.milena.common.Clock;
import io.milena.log.LogFailedException;
import io.milena.log.PartitionLog;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes a replica's files that have waited for {@code file.delete.delay.ms}, on io threads. */
final class ExpiredFiles {

  private static final Logger LOG = LoggerFactory.getLogger(ExpiredFiles.class);

  private final PartitionLog log;
  private final Clock clock;
  private final Executor io;
  private final TimerScheduler<ReplicaCommand> timers;

  ExpiredFiles(PartitionLog log, Clock clock, Executor io, TimerScheduler<ReplicaCommand> timers) {
    this.log = log;
    this.clock = clock;
    this.io = io;
    this.timers = timers;
  }

  void remove() {
    if (log.nextExpiryMs().isEmpty()) {
      return;
    }
    Runnable removal = log.takeExpiredFiles(clock.wallClockMs());
    io.execute(() -> {
      try {
        removal.run();
      } catch (LogFailedException failure) {
        LOG.warn("files stay until the node is restarted: {}", failure.getMessage());
      }
    });
  }

  /** Has {@link ReplicaCommand.RemoveFiles} sent when the next are due. */
  void schedule() {
    OptionalLong next = log.nextExpiryMs();
    if (next.isPresent()) {
      timers.startSingleTimer(
          ReplicaCommand.RemoveFiles.class,
          new ReplicaCommand.RemoveFiles(),
          Duration.ofMillis(Math.max(1, next.getAsLong() - clock.wallClockMs() + 1)));
    }
  }
}
