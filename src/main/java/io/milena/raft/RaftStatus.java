package io.milena.raft;

import java.util.Map;

/**
 * What a server knows of itself and its group, for people and for {@code DescribeQuorum}.
 *
 * @param leaderId of this epoch, or {@link HardState#NOBODY}
 * @param commitIndex last index it knows to be committed
 * @param appliedIndex last index it handed out for applying
 * @param last end of its log
 * @param snapshotIndex last index its snapshot includes, 0 for none
 * @param peers the others as a leader sees them; empty elsewhere
 */
public record RaftStatus(
    int nodeId,
    RoleName role,
    int epoch,
    int leaderId,
    long commitIndex,
    long appliedIndex,
    LogPosition last,
    long snapshotIndex,
    Membership membership,
    Map<Integer, Peer> peers) {

  public RaftStatus {
    peers = Map.copyOf(peers);
  }

  /** The role without its state. */
  public enum RoleName {
    FOLLOWER,
    PRE_CANDIDATE,
    CANDIDATE,
    LEADER
  }

  /**
   * @param matchIndex it has the leader's log up to here, inclusive
   * @param isActive heard of within the last election timeout
   * @param isInstallingSnapshot whether it is too far behind for entries
   */
  public record Peer(long matchIndex, boolean isActive, boolean isInstallingSnapshot) {}
}
