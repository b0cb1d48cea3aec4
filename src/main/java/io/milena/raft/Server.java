package io.milena.raft;

import static io.milena.raft.HardState.NOBODY;

import java.util.SplittableRandom;

/**
 * The state that all rules share, and the only place that moves between roles and epochs.
 *
 * <p>Invariants: the hard state is never behind what any message in the outbox says; {@code
 * hardState.epoch() >= log.last().epoch()}.
 */
final class Server {
  final RaftConfig config;
  final RaftLog log;
  final Outbox out = new Outbox();
  final FollowerReads reads;
  private final SplittableRandom random;
  private HardState hardState;
  private Role role = new Follower(NOBODY);

  /** Ticks since this server started. */
  long nowTick;

  /** Ticks since a leader of this epoch was heard, a vote was given or a campaign began. */
  int ticksSilent;

  /** How many of them make a follower campaign. */
  private int electionTimeoutTicks;

  Server(RaftConfig config, DurableState durable, long seed) {
    this.config = config;
    random = new SplittableRandom(seed);
    log = new RaftLog(durable);
    hardState = durable.hardState();
    reads = new FollowerReads(random.nextLong());
    drawElectionTimeout();
  }

  int self() {
    return config.nodeId();
  }

  int epoch() {
    return hardState.epoch();
  }

  int votedFor() {
    return hardState.votedFor();
  }

  Role role() {
    return role;
  }

  /** Who leads this epoch, as far as is known. */
  int leaderId() {
    return switch (role) {
      case Follower(int leaderId) -> leaderId;
      case PreCandidate _, Candidate _ -> NOBODY;
      case Leader _ -> self();
    };
  }

  boolean isVoter() {
    return log.membership().voters().contains(self());
  }

  /**
   * Whether this server may stand for election. One that is removed by an entry that is not
   * committed still may: its log may be the only one that can win (thesis, section 4.2.2).
   */
  boolean mayCampaign() {
    return log.mayBeVoter(self());
  }

  boolean isElectionDue() {
    return ticksSilent >= electionTimeoutTicks;
  }

  /** Lets the next election come after exactly so many ticks of silence. */
  void electionIn(int ticks) {
    ticksSilent = 0;
    electionTimeoutTicks = ticks;
  }

  void drawElectionTimeout() {
    electionIn(config.electionTicks() + random.nextInt(config.electionTicks()));
  }

  void send(int to, Message message) {
    out.send(to, message);
  }

  void sendToOtherVoters(Message message) {
    for (int voter : log.membership().voters()) {
      if (voter != self()) {
        send(voter, message);
      }
    }
  }

  /** Follows a leader or nobody, in this epoch or a newer one. */
  void becomeFollower(int epoch, int leaderId) {
    if (epoch > epoch()) {
      setHardState(new HardState(epoch, NOBODY));
    }
    refuseReadsOfLeader();
    role = new Follower(leaderId);
    drawElectionTimeout();
  }

  void becomePreCandidate(PreCandidate preCandidate) {
    role = preCandidate;
    drawElectionTimeout();
  }

  /** Enters a new epoch, with a vote for itself. */
  void becomeCandidate(Candidate candidate) {
    setHardState(new HardState(epoch() + 1, self()));
    role = candidate;
    drawElectionTimeout();
  }

  void becomeLeader(Leader leader) {
    role = leader;
    ticksSilent = 0;
  }

  void voteFor(int candidate) {
    setHardState(new HardState(epoch(), candidate));
    drawElectionTimeout();
  }

  void append(Entry entry) {
    log.append(entry);
    out.append(entry);
  }

  private void setHardState(HardState newHardState) {
    hardState = newHardState;
    out.hardState(newHardState);
  }

  private void refuseReadsOfLeader() {
    if (role instanceof Leader leader) {
      for (LeaderReads.Pending read : leader.reads.takeAll()) {
        if (read.from() == self()) {
          out.outcome(new ReadOutcome.Refused(read.readId(), NOBODY));
        } else {
          send(read.from(), new Message.ReadIndexResponse(epoch(), read.readId(), -1));
        }
      }
    }
  }

  void checkInvariants() {
    log.checkInvariants();
    check(epoch() >= log.last().epoch(), "the log is of a newer epoch");
    switch (role) {
      case Follower(int leaderId) -> check(leaderId != self(), "follows itself");
      case PreCandidate(var granted) -> check(granted.contains(self()), "is not for itself");
      case Candidate(var granted, _) ->
          check(granted.contains(self()) && votedFor() == self(), "has no vote of its own");
      case Leader leader -> {
        check(leader.epochStartIndex <= log.lastIndex(), "has lost its first entry");
        check(leader.durableIndex <= log.lastIndex(), "more durable than written");
        check(votedFor() == self(), "leads without its own vote");
        leader.peers.values().forEach(peer -> peer.checkInvariants(log.lastIndex()));
      }
    }
  }

  private void check(boolean condition, String what) {
    if (!condition) {
      throw new IllegalStateException(
          "Node " + self() + " in epoch " + epoch() + " as " + role + ": " + what);
    }
  }
}
