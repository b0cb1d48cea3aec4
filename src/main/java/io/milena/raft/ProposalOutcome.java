package io.milena.raft;

/** What became of a proposal. */
public sealed interface ProposalOutcome {

  /** As in the proposal. */
  long proposalId();

  /**
   * It is in the leader's log. It is committed if and when an entry with this index and this epoch
   * is handed out for applying; another epoch there means it never will be.
   */
  record Appended(long proposalId, LogPosition position) implements ProposalOutcome {}

  /**
   * Nothing was done.
   *
   * @param leaderId who leads as far as this server knows, or {@link HardState#NOBODY}
   */
  record Refused(long proposalId, Reason reason, int leaderId) implements ProposalOutcome {}

  /** Why nothing was done. */
  enum Reason {
    /** Ask the leader. */
    NOT_LEADER,
    /** Leadership is being handed over. */
    TRANSFERRING,
    /** As much as {@link RaftConfig#uncommittedBytesMax} waits to be committed: ask later. */
    TOO_MUCH_UNCOMMITTED,
    /** An earlier change of the group, or the leader's first entry, is not committed yet. */
    CHANGE_IN_PROGRESS,
    /** A node must be a learner that has caught up before it is a voter. */
    NOT_CAUGHT_UP,
    /** The group is already so, or would have no voter. */
    NO_SUCH_CHANGE
  }
}
