package io.milena.node;

import akka.cluster.typed.Cluster;
import akka.cluster.typed.Leave;
import io.milena.cluster.MetadataMember;
import io.milena.metadata.MetadataCommand;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node that stops has others lead in its place, and leaves their cluster. That is done before
 * its listeners close: the others would count that as a crash, and until then clients hear from
 * this node where to go.
 *
 * <p>All of it is for the sake of those that stay. Where nobody does, as the others are gone or
 * stopping too, nothing is handed over; where that shows only meanwhile, nothing is waited for any
 * more.
 */
final class Departure {

  private static final Logger LOG = LoggerFactory.getLogger(Departure.class);

  /** For all steps together. What is not done then is an emergency of the others' then. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** Without word of a metadata leader for so long, a stop waits for none. */
  private static final Duration NO_LEADER_TIMEOUT = Duration.ofSeconds(2);

  private final Node.Parts life;
  private final long deadlineNanos = System.nanoTime() + TIMEOUT.toNanos();
  private final CompletableFuture<?> nobodyStays;

  private Departure(Node.Parts life) {
    this.life = life;
    this.nobodyStays = life.others().whenNoneStays().toCompletableFuture();
  }

  /** Leaves, or finds that there is nobody to leave. */
  static void leave(Node.Parts life) {
    new Departure(life).leave();
  }

  private void leave() {
    MetadataMember metadata = life.metadata();
    step("handing the metadata leadership over", metadata::resign);
    if (!nobodyStays.isDone() && metadata.isCutOffFor(NO_LEADER_TIMEOUT)) {
      LOG.warn("the metadata group has no leader: this node stops without handing anything over");
      return;
    }
    step(
        "handing leadership of partitions over",
        () ->
            metadata
                .service()
                .submit(new MetadataCommand.BeginShutdown(life.self().nodeId(), life.nodeEpoch())));
    step("handing replica sets over", () -> life.leaders().handOver(TIMEOUT));
    step(
        "leaving the cluster",
        () -> {
          Cluster cluster = Cluster.get(life.system());
          cluster.manager().tell(Leave.create(cluster.selfMember().address()));
          return life.givenUp();
        });
  }

  private void step(String doing, Supplier<CompletionStage<?>> begin) {

    long leftNanos = deadlineNanos - System.nanoTime();
    if (nobodyStays.isDone() || leftNanos <= 0) {
      return;
    }
    try {
      CompletableFuture.anyOf(begin.get().toCompletableFuture(), nobodyStays)
          .get(leftNanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException late) {
      LOG.warn(
          "{} is not done {} s after the stop began; going on without it",
          doing,
          TIMEOUT.toSeconds());
    } catch (ExecutionException failure) {
      LOG.warn("{} failed: {}", doing, String.valueOf(failure.getCause()));
    }
  }
}
