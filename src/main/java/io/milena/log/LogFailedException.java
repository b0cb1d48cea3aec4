package io.milena.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A log could not read or write its files. The message names the directory, what went wrong and
 * what to do.
 */
public final class LogFailedException extends RuntimeException {

  /** What kind of failure it was; decides whether trying again makes sense. */
  public enum Kind {
    /**
     * No space is left. Nothing of the failed append is in the log; the log goes on as soon as
     * there is space.
     */
    DISK_FULL,
    /** The file system refused for another reason: the log should be taken offline. */
    IO,
    /** The directory that holds the log and others failed, which has been said. */
    DIRECTORY,
    /** The bytes in the files are not what they should be. */
    CORRUPT
  }

  private final Kind kind;
  private final Path directory;

  private LogFailedException(Kind kind, Path directory, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.directory = directory;
  }

  /**
   * Wraps an exception of the file system.
   *
   * @param directory of the log
   * @param doing what was tried, as in "appending 12 bytes to 000.log"
   */
  static LogFailedException of(Path directory, String doing, IOException cause) {
    if (cause instanceof DamagedRecordsException) {
      return damagedRecords(directory, String.valueOf(cause.getMessage()));
    }
    boolean full = isDiskFull(cause);
    String remedy;
    if (full) {
      remedy =
          "no space is left on the device: free some, or shorten retention; the log goes on by"
              + " itself";
    } else if (cause instanceof FileGoneException) {
      remedy = String.valueOf(cause.getMessage());
    } else {
      remedy = cause + ": check the disk and the permissions of the directory";
    }
    return new LogFailedException(
        full ? Kind.DISK_FULL : Kind.IO,
        directory,
        "log " + directory + " failed while " + doing + ": " + remedy,
        cause);
  }

  /** Reports that the directory which holds a log, with others, cannot be used any more. */
  public static LogFailedException ofDirectory(Path directory, Path logDirectory) {
    String what = "log directory " + logDirectory + " failed";
    return new LogFailedException(Kind.DIRECTORY, directory, what, new IOException(what));
  }

  /** Reports records that are not what was written, with what can be done about it. */
  static LogFailedException damagedRecords(Path directory, String what) {
    return corrupt(
        directory,
        what
            + "; with the node stopped, 'bin/milena log check "
            + directory
            + "' says what is left of it and 'bin/milena log repair' cuts it after the last sound"
            + " batch; or restore the file, or delete the directory to copy it from another"
            + " replica");
  }

  /** Reports damaged contents. */
  static LogFailedException corrupt(Path directory, String what) {
    return new LogFailedException(
        Kind.CORRUPT,
        directory,
        "log " + directory + " is damaged: " + what,
        new IOException(what));
  }

  /** What kind of failure it was. */
  public Kind kind() {
    return kind;
  }

  /** The log's directory. */
  public Path directory() {
    return directory;
  }

  /**
   * Whether a failure means that no space is left and nothing else: a failed force does not, as
   * what is on disk is unknown after it.
   */
  public static boolean isDiskFull(IOException e) {
    if (e instanceof ForceFailedException) {
      return false;
    }
    // Java has no exception class for ENOSPC and EDQUOT; the message is the C library's.
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("no space left") || message.contains("quota exceeded");
  }

  /** Whether the process, or the machine, has as many files open as it may. */
  static boolean isOutOfFiles(IOException e) {
    return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("too many open files");
  }
}
