package io.milena.wire;

import io.milena.common.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warnings about peers, at most one each {@link #INTERVAL_MS} for an address: a client that
 * reconnects in a loop must not fill the disk. Thread-safe.
 */
final class PeerLog {
  static final long INTERVAL_MS = 10_000;

  /** Addresses remembered; the one warned about longest ago is forgotten first. */
  static final int ADDRESSES_MAX = 1024;

  private static final Logger log = LoggerFactory.getLogger("io.milena.wire");

  private final Clock clock;
  private final Map<String, Warning> entries =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Warning> eldest) {
          return size() > ADDRESSES_MAX;
        }
      };

  PeerLog(Clock clock) {
    this.clock = clock;
  }

  void warn(String address, String message) {
    long now = clock.monotonicNanos();
    int suppressed = 0;
    synchronized (this) {
      Warning entry = entries.get(address);
      if (entry != null && now - entry.loggedNanos < TimeUnit.MILLISECONDS.toNanos(INTERVAL_MS)) {
        entry.suppressed++;
        return;
      }
      if (entry != null) {
        suppressed = entry.suppressed;
        entries.remove(address);
      }
      entries.put(address, new Warning(now));
    }
    if (suppressed > 0) {
      log.warn("{} ({} more about {} were not logged)", message, suppressed, address);
    } else {
      log.warn("{}", message);
    }
  }

  private static final class Warning {
    final long loggedNanos;
    int suppressed;

    Warning(long loggedNanos) {
      this.loggedNanos = loggedNanos;
    }
  }
}
