package io.milena.replication.actor;

import io.milena.log.RecoveryReport;

/**
 * What opening all the logs of a node came to: one line for people, however many logs there are.
 * Any thread.
 */
final class RecoverySummary {

  private int logs;
  private int checkedLogs;
  private long checkedBytes;
  private long cutBytes;
  private int rebuiltIndexes;

  synchronized void add(RecoveryReport report) {
    logs++;
    if (!report.untouched()) {
      checkedLogs++;
    }
    checkedBytes += report.scannedBytes();
    cutBytes += report.cutBytes();
    rebuiltIndexes += report.rebuiltIndexes();
  }

  /** True when nothing had to be checked: the node was stopped cleanly, or is new. */
  synchronized boolean untouched() {
    return checkedBytes == 0 && cutBytes == 0;
  }

  /**
   * What was done.
   *
   * @param cleanShutdown whether the last run closed every log; then only what somebody removed or
   *     damaged since can have needed work
   */
  synchronized String sentence(boolean cleanShutdown) {
    String read = "%d bytes in %d of %d logs".formatted(checkedBytes, checkedLogs, logs);
    String cut =
        cutBytes == 0
            ? "nothing was torn"
            : "cut " + cutBytes + " bytes that were written only in part";
    return cleanShutdown
        ? "rebuilt indexes that were missing or damaged (%d), by reading %s; %s"
            .formatted(rebuiltIndexes, read, cut)
        : "the last run did not stop cleanly: checked " + read + "; " + cut;
  }
}
