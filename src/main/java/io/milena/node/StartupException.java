package io.milena.node;

import org.jspecify.annotations.Nullable;

/**
 * A node cannot start; the message says what is wrong with what and what to do, for the person who
 * started it.
 */
public class StartupException extends RuntimeException {

  /** Exit code of a node that cannot start. */
  static final int FAILED = 1;

  /** Exit code of a node whose arguments or configuration are wrong. */
  static final int WRONG_CONFIGURATION = 2;

  /** Exit code of a node whose port or data directory another process uses. */
  static final int IN_USE = 5;

  private final int exitCode;

  public StartupException(String message) {
    this(message, null, FAILED);
  }

  public StartupException(String message, Throwable cause) {
    this(message, cause, FAILED);
  }

  private StartupException(String message, @Nullable Throwable cause, int exitCode) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /** An argument or a setting is not what it must be. */
  static StartupException wrongConfiguration(String message) {
    return new StartupException(message, null, WRONG_CONFIGURATION);
  }

  /** As {@link #wrongConfiguration(String)}, found by {@code cause}. */
  static StartupException wrongConfiguration(String message, Throwable cause) {
    return new StartupException(message, cause, WRONG_CONFIGURATION);
  }

  /** Another process uses what this node needs for itself. */
  static StartupException inUse(String message, Throwable cause) {
    return new StartupException(message, cause, IN_USE);
  }

  /** What the process ends with; the {@code milena} command's help lists the codes. */
  int exitCode() {
    return exitCode;
  }
}
