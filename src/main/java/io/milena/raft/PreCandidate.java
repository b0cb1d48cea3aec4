package io.milena.raft;

import java.util.Set;

/**
 * Asks whether an election could be won, without disturbing anyone (thesis, section 9.6).
 *
 * @param granted who would vote for this server, itself included; grows
 */
record PreCandidate(Set<Integer> granted) implements Role {}
