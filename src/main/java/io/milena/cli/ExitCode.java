package io.milena.cli;

/** What the command's exit status means; {@code milena --help} lists them. */
public final class ExitCode {

  /** Done. */
  public static final int OK = 0;

  /** The cluster, or this machine, refused or failed. */
  public static final int FAILURE = 1;

  /** The command line or a configuration value is wrong; nothing was done. */
  public static final int USAGE = 2;

  /** What was named does not exist, or the node is not running. */
  public static final int NOT_FOUND = 3;

  /** Nobody answers at the address, or the answer did not come in time. */
  public static final int UNREACHABLE = 4;

  /** What was to be made exists already, or is in use. */
  public static final int CONFLICT = 5;

  private ExitCode() {}
}
