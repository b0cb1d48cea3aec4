package io.milena.replication.actor;

import io.milena.common.Clock;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does while appends find no space on its disk, however many logs find out: it says so
 * once, and once that there is space again; and it asks the metadata group to go on without it, so
 * that no acknowledgement waits for it.
 */
final class DiskSpace {

  private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);

  /**
   * Before the group is asked again. A replica that has all there is comes back into the ISR while
   * nobody writes, and finds out with the next record.
   */
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final Supplier<CompletionStage<?>> leaveInSync;
  private final Clock clock;
  private int logsWithoutSpace;
  private boolean asking;
  private boolean asked;
  private long askedNanos;

  /**
   * @param leaveInSync asks the metadata group that others lead, and are in sync without this node
   */
  DiskSpace(Supplier<CompletionStage<?>> leaveInSync, Clock clock) {
    this.leaveInSync = leaveInSync;
    this.clock = clock;
  }

  /**
   * A log could not be appended to for want of space, for the first time since it last had some.
   */
  synchronized void onFull(String message) {
    if (logsWithoutSpace++ == 0) {
      LOG.error("appends are refused, reads go on: {}", message);
    }
  }

  /** A log that had no space has some again, or is gone. */
  synchronized void onSpace() {
    if (--logsWithoutSpace == 0) {
      LOG.info("there is space on the disk again: appends go on");
    }
  }

  /** An append was refused for want of space: the others shall go on without this node. */
  void onRefused() {
    if (isToAsk()) {
      var _ = leaveInSync.get().whenComplete((_, _) -> onAnswered());
    }
  }

  private synchronized boolean isToAsk() {
    if (asking || (asked && clock.monotonicNanos() - askedNanos < PAUSE.toNanos())) {
      return false;
    }
    asking = true;
    return true;
  }

  private synchronized void onAnswered() {
    asking = false;
    asked = true;
    askedNanos = clock.monotonicNanos();
  }
}
