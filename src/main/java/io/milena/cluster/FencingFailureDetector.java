package io.milena.cluster;

import akka.actor.Address;
import akka.event.EventStream;
import akka.remote.FailureDetector;
import akka.remote.FailureDetectorRegistry;
import akka.remote.PhiAccrualFailureDetector;
import com.typesafe.config.Config;

/**
 * Akka's failure detector, which also takes the metadata group's word: a member that was fenced is
 * unreachable at once. Without that Akka removes a member that was downed only once heartbeats have
 * been missing for long enough, some two seconds, as it waits for the member's own consent.
 *
 * <p>Akka makes one for each member that it watches ({@code
 * akka.cluster.failure-detector.implementation-class}).
 */
public final class FencingFailureDetector implements FailureDetector {

  /** Bound while a heartbeat is none, but word of a fencing: a detector is known to Akka only. */
  private static final ScopedValue<Boolean> FENCED = ScopedValue.newInstance();

  private final PhiAccrualFailureDetector heartbeats;
  private volatile boolean fenced;

  /** Akka's constructor. */
  public FencingFailureDetector(Config config, EventStream events) {
    heartbeats = new PhiAccrualFailureDetector(config, events);
  }

  /** The member at an address is unreachable from now on, until another one joins from there. */
  static void fence(FailureDetectorRegistry<Address> detectors, Address member) {
    ScopedValue.where(FENCED, true).run(() -> detectors.heartbeat(member));
  }

  @Override
  public void heartbeat() {
    if (FENCED.isBound()) {
      fenced = true;
    } else {
      heartbeats.heartbeat();
    }
  }

  @Override
  public boolean isAvailable() {
    return !fenced && heartbeats.isAvailable();
  }

  @Override
  public boolean isMonitoring() {
    return fenced || heartbeats.isMonitoring();
  }
}
