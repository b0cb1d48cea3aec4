package io.milena.metadata.actor;

import io.milena.common.Clock;
import java.time.Duration;

/**
 * When this node last was in contact with the metadata leader, for parts of the node that must not
 * act on an image that may be long out of date. {@link MetadataGroup} keeps it up to date; anyone
 * may read it.
 */
public final class LeaderContact {

  private final Clock clock;

  /** This node is the whole group: there is nobody to lose contact with. */
  private volatile boolean alone;

  private volatile long lastNanos;

  public LeaderContact(Clock clock) {
    this.clock = clock;
    this.lastNanos = clock.monotonicNanos();
  }

  /**
   * Whether there was none for longer than this. A leader without its majority counts as having
   * none from the moment on that it resigns.
   */
  public boolean isLostFor(Duration time) {
    return !alone && clock.monotonicNanos() - lastNanos > time.toNanos();
  }

  void renew(boolean isAlone) {
    alone = isAlone;
    lastNanos = clock.monotonicNanos();
  }

  void leaveAlone() {
    alone = false;
  }
}
