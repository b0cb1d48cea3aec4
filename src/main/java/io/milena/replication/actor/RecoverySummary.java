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

  synchronized void add(RecoveryReport report) {
    logs++;
    if (!report.untouched()) {
      checkedLogs++;
    }
    checkedBytes += report.scannedBytes();
    cutBytes += report.cutBytes();
  }

  /** True when nothing had to be checked: the node was stopped cleanly, or is new. */
  synchronized boolean untouched() {
    return checkedBytes == 0 && cutBytes == 0;
  }

  synchronized String sentence() {
    return "the last run did not stop cleanly: checked "
        + checkedBytes
        + " bytes in "
        + checkedLogs
        + " of "
        + logs
        + " logs; "
        + (cutBytes == 0
            ? "nothing was torn"
            : "cut " + cutBytes + " bytes that were written only in part");
  }
}
