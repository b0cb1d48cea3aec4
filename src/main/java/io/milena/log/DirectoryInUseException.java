package io.milena.log;

import java.io.IOException;
import java.nio.file.Path;

/** A log directory cannot be taken into use, because another process holds its lock. */
public final class DirectoryInUseException extends IOException {

  DirectoryInUseException(Path lockFile) {
    super("another process uses it (" + lockFile + " is locked)");
  }
}
