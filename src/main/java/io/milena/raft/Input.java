package io.milena.raft;

/** Everything that can happen to a server. */
public sealed interface Input {

  /** One unit of logical time has passed; timeouts of {@link RaftConfig} count these. */
  record Tick() implements Input {}

  /** A message of another server arrived; late, twice or out of order does no harm. */
  record Receive(int from, Message message) implements Input {}

  /** A {@link Persist} and all before it are durable. */
  record Persisted(long sequence) implements Input {}

  /**
   * The state machine's owner wants a command in the log. Answered by exactly one {@link
   * ProposalOutcome} in the same effects.
   *
   * @param proposalId chosen by the caller
   */
  @SuppressWarnings("ArrayRecordComponent") // bulk bytes, never changed
  record Propose(long proposalId, byte[] data) implements Input {}

  /** As {@link Propose}, for a change of the group. */
  record ChangeMembership(long proposalId, MembershipChange change) implements Input {}

  /**
   * Asks for an index such that a state machine that has applied it shows everything that was
   * committed when this was asked (thesis, section 6.4). Answered by one {@link ReadOutcome}, later
   * or never when this server restarts.
   *
   * @param readId chosen by the caller, not used before in this life of the process
   */
  record ReadIndex(long readId) implements Input {}

  /**
   * The leader shall hand over to this voter (thesis, section 3.10); ignored by others. Proposals
   * are refused until it is done or an election timeout has passed.
   *
   * @param target a voter, or {@link HardState#NOBODY} for the one that is furthest
   */
  record TransferLeadership(int target) implements Input {}

  /**
   * The state machine took a snapshot of itself; the log before it may go.
   *
   * @param index last entry applied to it; one that was handed out for applying
   */
  @SuppressWarnings("ArrayRecordComponent") // bulk bytes, never changed
  record SnapshotTaken(long index, byte[] data) implements Input {}

  /**
   * A process is gone for certain: its port refuses connections. If it led, a pre-vote starts at
   * once.
   */
  record PeerGone(int nodeId) implements Input {}
}
