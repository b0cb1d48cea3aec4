package io.milena.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;

/** Leads this epoch. */
final class Leader implements Role {
  /** Every other member. */
  final TreeMap<Integer, Progress> peers = new TreeMap<>();

  final LeaderReads reads = new LeaderReads();

  /** Index of this leader's first entry: until that is committed it cannot know what is. */
  final long epochStartIndex;

  /** How much of its log this server has made durable. */
  long durableIndex;

  long uncommittedBytes;
  int ticksSinceHeartbeat;
  int ticksSinceQuorumCheck;

  /** To whom leadership is being handed over, and for how long that has been tried. */
  OptionalInt transferTarget = OptionalInt.empty();

  int ticksSinceTransfer;

  /** There are entries, or a commit index, that followers were not told of. */
  boolean hasNews;

  Leader(long epochStartIndex) {
    this.epochStartIndex = epochStartIndex;
  }

  /** Brings the peers in line with the membership. */
  void trackMembers(Membership membership, int self, long nextIndex, int inflightMax) {
    peers.keySet().removeIf(peer -> !membership.contains(peer));
    for (int member : membership.members()) {
      if (member != self) {
        peers.computeIfAbsent(member, _ -> new Progress(nextIndex, inflightMax));
      }
    }
  }

  /** The largest index that a majority of voters has durably; a sole voter counts too. */
  long majorityIndex(Membership membership, int self) {
    List<Long> matches = new ArrayList<>();
    for (int voter : membership.voters()) {
      if (voter == self) {
        matches.add(durableIndex);
      } else {
        Progress peer = peers.get(voter);
        matches.add(peer == null ? 0L : peer.match());
      }
    }
    matches.sort(null);
    return matches.isEmpty() ? 0 : matches.get((matches.size() - 1) / 2);
  }
}
