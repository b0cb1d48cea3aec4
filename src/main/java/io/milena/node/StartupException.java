package io.milena.node;

/**
 * A node cannot start; the message says what is wrong with what and what to do, for the person who
 * started it.
 */
public final class StartupException extends RuntimeException {

  /** Exit code of a node that cannot start. */
  static final int FAILED = 1;

  /** Exit code of a node whose arguments or configuration are wrong. */
  static final int WRONG_CONFIGURATION = 2;

  private final int exitCode;

  public StartupException(String message) {
    super(message);
    this.exitCode = FAILED;
  }

  public StartupException(String message, Throwable cause) {
    this(message, cause, FAILED);
  }

  StartupException(String message, Throwable cause, int exitCode) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /** What the process ends with. */
  int exitCode() {
    return exitCode;
  }
}
