package io.milena.replication;

/**
 * A rule that a simulation breaks on purpose, in the shell around the cores: one of each must be
 * seen, or the simulation proves nothing.
 */
enum ReplicationFault {
  NONE,
  /** Acknowledges what only the leader has. */
  ACKNOWLEDGES_ALONE,
  /** Takes every follower to have what the leader has. */
  POSITION_IS_THE_LEADERS_END,
  /** A follower whose log differs goes on from its end. */
  NEITHER_COMPARES_NOR_TRUNCATES,
  /** A leader takes positions of followers in any epoch. */
  EPOCH_OF_POSITIONS_IGNORED(1455),
  /** A leader takes what an earlier life of a node had for what this one has. */
  LIFE_OF_FOLLOWERS_IGNORED(361),
  /** Proposes a replica without having every partition wait for it. */
  EXPANDS_IN_ONE_STEP,
  /** Ends the waiting when a proposal was answered, though the image is not there yet. */
  ANSWER_ENDS_THE_WAITING,
  /** The metadata group accepts what was proposed for another version of the set. */
  PARTITION_EPOCH_IGNORED(378),
  /** A node is fenced unnoticed by proposals for sets of which it was not in sync. */
  FENCING_RAISES_NOTHING(17_850),
  /** Partitions come to a set unnoticed by proposals for it. */
  ADDED_PARTITIONS_RAISE_NOTHING(269),
  /** Commits with fewer in sync than the minimum, on which the ELR relies. */
  MINIMUM_IGNORED,
  /** With {@code fsync}: acknowledges what is written but not flushed. */
  WRITTEN_COUNTS_AS_KEPT,
  /** A replica that leaves the ISR remains eligible while others commit without it. */
  EVERYBODY_REMAINS_ELIGIBLE,
  /** A node acts on an image that shows an earlier life of it as leader. */
  LEADS_FOR_AN_EARLIER_LIFE,
  /** A machine that crashed comes back as if only its process had been killed. */
  CRASH_TAKEN_FOR_A_KILL;

  /**
   * The seed to begin with. Those that are rare were seen there: any change of the simulation moves
   * them, and then it takes longer.
   */
  final long firstSeed;

  ReplicationFault() {
    this(1);
  }

  ReplicationFault(long firstSeed) {
    this.firstSeed = firstSeed;
  }
}
