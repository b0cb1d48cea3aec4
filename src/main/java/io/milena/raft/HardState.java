package io.milena.raft;

/**
 * What a server must never forget: forgetting it lets two leaders be elected in one epoch.
 *
 * @param epoch newest epoch seen
 * @param votedFor node voted for in it, or {@link #NOBODY}
 */
public record HardState(int epoch, int votedFor) {
  /** No node. */
  public static final int NOBODY = -1;

  /** Of a server that has seen nothing. */
  public static final HardState INITIAL = new HardState(0, NOBODY);
}
