package io.milena.raft;

/**
 * Follows a leader, or waits for one. Learners never are anything else.
 *
 * @param leaderId of this epoch, or {@link HardState#NOBODY} as long as it is not known
 */
record Follower(int leaderId) implements Role {}
