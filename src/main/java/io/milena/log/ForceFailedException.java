package io.milena.log;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Forcing a file to disk failed. The kernel may have dropped what it could not write, so the file
 * as it can be read now is not what a restart would find; trying again proves nothing.
 */
final class ForceFailedException extends IOException {

  private static final long serialVersionUID = 1;

  ForceFailedException(Path file, IOException cause) {
    super("forcing " + file + " to disk failed (" + cause.getMessage() + ")", cause);
  }
}
