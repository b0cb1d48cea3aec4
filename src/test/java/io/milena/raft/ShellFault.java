package io.milena.raft;

/** Bugs that can be planted into the simulated shell, to prove that the checkers see them. */
enum ShellFault {
  NONE,
  /** Votes and epochs are not written to disk. */
  FORGETS_VOTES,
  /** Messages leave before what they promise is durable. */
  SENDS_BEFORE_PERSISTING,
  /** Every vote is given, to whoever asks. */
  GRANTS_EVERY_VOTE,
  /** Followers say they have appended what they refused. */
  ACKNOWLEDGES_WHAT_IT_REJECTED,
  /** A leader answers reads from what it has, without asking whether it still leads. */
  READS_WITHOUT_ASKING
}
