package io.milena.wire;

import io.milena.common.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warnings about peers, one each {@link #INTERVAL_MS} for an address: a client that reconnects in a
 * loop must not fill the disk. What came within the interval is told at its end, by its number and
 * the last of it. Thread-safe.
 */
final class PeerLog {
  static final long INTERVAL_MS = 10_000;

  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(INTERVAL_MS);

  /** Addresses remembered; the one warned about longest ago is forgotten first, with its count. */
  static final int ADDRESSES_MAX = 1024;

  private static final Logger log = LoggerFactory.getLogger("io.milena.wire");

  private final Clock clock;
  private final Consumer<Runnable> afterInterval;
  private final Map<String, Warning> entries =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Warning> eldest) {
          return size() > ADDRESSES_MAX;
        }
      };

  /**
   * @param afterInterval runs a task once, {@link #INTERVAL_MS} later; should it forget to, the
   *     next warning makes up for it
   */
  PeerLog(Clock clock, Consumer<Runnable> afterInterval) {
    this.clock = clock;
    this.afterInterval = afterInterval;
  }

  /** Logs a warning, or counts it when there was one about this address a moment ago. */
  void warn(String address, String message) {
    long now = clock.monotonicNanos();
    boolean isFirstCounted;
    synchronized (this) {
      Warning entry = entries.get(address);
      long quiet = entry != null && entry.counted > 0 ? 2 * INTERVAL_NANOS : INTERVAL_NANOS;
      if (entry == null || now - entry.loggedNanos >= quiet) {
        entries.remove(address);
        entries.put(address, new Warning(now));
        log.warn("{}", message);
        return;
      }
      entry.last = message;
      isFirstCounted = ++entry.counted == 1;
    }
    if (isFirstCounted) {
      afterInterval.accept(() -> tellCounted(address));
    }
  }

  /** Logs how many warnings about the address were only counted, and the last of them. */
  private void tellCounted(String address) {
    int counted;
    String last;
    synchronized (this) {
      Warning entry = entries.remove(address);
      if (entry == null) {
        return;
      }
      counted = entry.counted;
      last = entry.last;
      entries.put(address, new Warning(clock.monotonicNanos()));
    }
    if (counted == 1) {
      log.warn("{}", last);
    } else if (counted > 1) {
      log.warn("{} (the last of {} about {} since the one logged before)", last, counted, address);
    }
  }

  private static final class Warning {
    final long loggedNanos;
    int counted;
    String last = "";

    Warning(long loggedNanos) {
      this.loggedNanos = loggedNanos;
    }
  }
}
