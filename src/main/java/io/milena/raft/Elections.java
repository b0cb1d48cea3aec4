package io.milena.raft;

import static io.milena.raft.HardState.NOBODY;

import java.util.Set;
import java.util.TreeSet;

/** Pre-votes and votes (Raft, sections 5.2 and 5.4.1; thesis, sections 4.2.3 and 9.6). */
final class Elections {
  private final Server server;
  private final Leading leading;

  Elections(Server server, Leading leading) {
    this.server = server;
    this.leading = leading;
  }

  /** A tick of a server that does not lead. */
  void tick() {
    server.ticksSilent++;
    if (!server.mayCampaign()) {
      return;
    }
    if (server.isElectionDue()) {
      startPreVote();
    } else if (server.ticksSilent % server.config.heartbeatTicks() == 0) {
      askAgain();
    }
  }

  /** A sole voter has nobody to wait for or to ask. */
  void start() {
    if (server.log.membership().isSoleVoter(server.self())) {
      campaign(false);
    }
  }

  void startPreVote() {
    if (server.log.membership().isSoleVoter(server.self())) {
      campaign(false);
      return;
    }
    server.becomePreCandidate(new PreCandidate(self()));
    server.sendToOtherVoters(preVoteRequest());
  }

  /** The leader is gone for certain: the first voter campaigns now, the others shortly after it. */
  void leaderGone(int gone) {
    server.becomeFollower(server.epoch(), NOBODY);
    if (!server.mayCampaign()) {
      return;
    }
    int rank = 0;
    for (int voter : server.log.membership().voters()) {
      if (voter == server.self()) {
        break;
      }
      if (voter != gone) {
        rank++;
      }
    }
    if (rank == 0) {
      startPreVote();
    } else {
      server.electionIn(rank * server.config.crashStaggerTicks());
    }
  }

  void onPreVoteRequest(int from, Message.PreVoteRequest request) {
    boolean isGranted =
        request.epoch() > server.epoch()
            && !isSticky()
            && request.last().compareTo(server.log.last()) >= 0;
    server.send(from, new Message.PreVoteResponse(server.epoch(), request.epoch(), isGranted));
  }

  void onPreVoteResponse(int from, Message.PreVoteResponse response) {
    if (server.role() instanceof PreCandidate(var granted)
        && response.granted()
        && response.campaignEpoch() == server.epoch() + 1) {
      granted.add(from);
      if (server.log.membership().isQuorum(granted)) {
        campaign(false);
      }
    }
  }

  void onVoteRequest(int from, Message.VoteRequest request) {
    boolean isFree =
        server.role() instanceof Follower(int leaderId)
            && leaderId == NOBODY
            && server.votedFor() == NOBODY;
    boolean isGranted =
        request.epoch() == server.epoch()
            && (isFree || server.votedFor() == from)
            && request.last().compareTo(server.log.last()) >= 0;
    if (isGranted) {
      server.voteFor(from);
    }
    server.send(from, new Message.VoteResponse(server.epoch(), isGranted));
  }

  void onVoteResponse(int from, Message.VoteResponse response) {
    if (server.role() instanceof Candidate(var granted, _)
        && response.granted()
        && response.epoch() == server.epoch()) {
      granted.add(from);
      electIfQuorum(granted);
    }
  }

  void onTimeoutNow(Message.TimeoutNow request) {
    boolean isFollower = server.role() instanceof Follower;
    if (isFollower && request.epoch() == server.epoch() && server.mayCampaign()) {
      campaign(true);
    }
  }

  /**
   * Whether this server has a leader that it will not let down: then even a newer epoch does not
   * move it (thesis, section 4.2.3).
   */
  boolean isSticky() {
    return switch (server.role()) {
      case Leader _ -> true;
      case Follower(int leaderId) ->
          leaderId != NOBODY && server.ticksSilent < server.config.electionTicks();
      case PreCandidate _, Candidate _ -> false;
    };
  }

  private void campaign(boolean leadershipTransfer) {
    var granted = self();
    server.becomeCandidate(new Candidate(granted, leadershipTransfer));
    if (!electIfQuorum(granted)) {
      server.sendToOtherVoters(voteRequest(leadershipTransfer));
    }
  }

  private boolean electIfQuorum(Set<Integer> granted) {
    boolean isElected = server.log.membership().isQuorum(granted);
    if (isElected) {
      leading.start();
    }
    return isElected;
  }

  /** Requests or answers may have been lost, or voters may have let go of the old leader since. */
  private void askAgain() {
    switch (server.role()) {
      case PreCandidate(var granted) -> {
        for (int voter : server.log.membership().voters()) {
          if (!granted.contains(voter)) {
            server.send(voter, preVoteRequest());
          }
        }
      }
      case Candidate(var granted, boolean leadershipTransfer) -> {
        for (int voter : server.log.membership().voters()) {
          if (!granted.contains(voter)) {
            server.send(voter, voteRequest(leadershipTransfer));
          }
        }
      }
      case Follower _, Leader _ -> {}
    }
  }

  private Message preVoteRequest() {
    return new Message.PreVoteRequest(server.epoch() + 1, server.log.last());
  }

  private Message voteRequest(boolean leadershipTransfer) {
    return new Message.VoteRequest(server.epoch(), server.log.last(), leadershipTransfer);
  }

  private Set<Integer> self() {
    Set<Integer> granted = new TreeSet<>();
    granted.add(server.self());
    return granted;
  }
}
