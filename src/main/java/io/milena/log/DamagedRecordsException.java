package io.milena.log;

import java.io.IOException;

/** A log file has bytes where a batch should be that are none. */
final class DamagedRecordsException extends IOException {
  DamagedRecordsException(Segment segment, String fault) {
    super(segment.file().getFileName() + ": " + fault);
  }
}
