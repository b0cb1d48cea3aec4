package io.milena.log;

/** How fast compaction may go, and whether it should go on. Asked after every piece of work. */
@FunctionalInterface
public interface CompactionPace {

  /**
   * Waits as long as the limit demands.
   *
   * @param bytes read and written since the last call
   * @return false to stop: the log stays as it is
   */
  boolean proceed(long bytes);

  /** As fast as it goes, to the end. */
  static CompactionPace unlimited() {
    return bytes -> true;
  }
}
