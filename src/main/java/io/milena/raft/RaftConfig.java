package io.milena.raft;

/**
 * Limits and times of a server.
 *
 * @param nodeId of this server
 * @param electionTicks silence after which a follower starts a pre-vote: between this, inclusive,
 *     and twice this, exclusive. Also how long a leader may go without a majority.
 * @param heartbeatTicks between heartbeats; well below {@code electionTicks}
 * @param appendBytesMax of entries in one message; a single larger entry still goes
 * @param inflightAppendsMax messages to one follower that are not acknowledged; then it waits
 * @param uncommittedBytesMax of entries in a leader's log; then proposals are refused
 * @param snapshotChunkBytes of a snapshot in one message
 * @param retainedEntries kept in memory before a snapshot, for followers that are a little behind
 * @param pendingReadsMax read requests that wait; then they are refused
 * @param caughtUpEntries how far behind a learner may be to be made a voter
 * @param crashStaggerTicks stagger between servers that learn at the same time that the leader is
 *     gone
 */
public record RaftConfig(
    int nodeId,
    int electionTicks,
    int heartbeatTicks,
    int appendBytesMax,
    int inflightAppendsMax,
    int uncommittedBytesMax,
    int snapshotChunkBytes,
    int retainedEntries,
    int pendingReadsMax,
    int caughtUpEntries,
    int crashStaggerTicks) {

  public RaftConfig {
    if (heartbeatTicks < 1 || electionTicks < 2 * heartbeatTicks) {
      throw new IllegalArgumentException(
          "electionTicks "
              + electionTicks
              + " must be at least twice heartbeatTicks "
              + heartbeatTicks);
    }
    if (appendBytesMax < 1
        || inflightAppendsMax < 1
        || uncommittedBytesMax < 1
        || snapshotChunkBytes < 1
        || retainedEntries < 0
        || pendingReadsMax < 1
        || caughtUpEntries < 0
        || crashStaggerTicks < 1) {
      throw new IllegalArgumentException("A limit is not positive: " + this);
    }
  }

  /** Sensible limits for a tick of about 50 ms: elections after 0.7 to 1.4 s of silence. */
  public static RaftConfig defaults(int nodeId) {
    return new RaftConfig(
        nodeId, 14, 2, 256 * 1024, 16, 16 * 1024 * 1024, 512 * 1024, 1_000, 1_024, 100, 2);
  }
}
