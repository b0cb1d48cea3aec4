package io.milena.replication.actor;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once that the disk is full, and once that it no longer is, however many logs find out. */
final class DiskSpace {

  private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);

  private int logsWithoutSpace;

  /** A log could not be appended to for want of space. */
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
}
