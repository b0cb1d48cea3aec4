package io.milena.log;

import java.io.IOException;
import java.nio.file.Path;

/** A file that the log has open is no longer at its place: somebody removed or replaced it. */
final class FileGoneException extends IOException {
  FileGoneException(Path file) {
    super(
        "its file "
            + file.getFileName()
            + " was removed or replaced while the node had it open: what it held is lost, unless"
            + " you have a copy to put back before the node is started again");
  }
}
