package io.milena.raft;

/** What a server is at the moment, with the state that goes with it. */
sealed interface Role permits Follower, PreCandidate, Candidate, Leader {}
