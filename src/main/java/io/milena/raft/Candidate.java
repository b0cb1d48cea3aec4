package io.milena.raft;

import java.util.Set;

/**
 * Has voted for itself in this epoch and asks for more votes.
 *
 * @param granted who voted for this server, itself included; grows
 * @param leadershipTransfer whether the old leader asked for this
 */
record Candidate(Set<Integer> granted, boolean leadershipTransfer) implements Role {}
