package io.milena.raft;

import static io.milena.raft.HardState.NOBODY;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One server of a Raft group, as a deterministic state machine: inputs and logical ticks in, {@link
 * Effects} out. No clock, no thread, no disk, no network; the same inputs and seed give the same
 * effects.
 *
 * <p>How to drive it: build it from the {@link DurableState} found on disk, call {@link #start}
 * once, then {@link #step} for everything that happens, and carry out the effects of each call in
 * order (see {@link Effects}). One thread at a time.
 *
 * <p>"Raft" in comments here is Ongaro and Ousterhout, <em>In Search of an Understandable Consensus
 * Algorithm</em> (extended version); "thesis" is Ongaro, <em>Consensus: Bridging Theory and
 * Practice</em>. Their term is called epoch, as in Kafka. Broken invariants throw {@link
 * IllegalStateException}: the server must then be stopped.
 */
public final class RaftCore {
  private final Server server;
  private final Leading leading;
  private final Following following;
  private final Elections elections;

  /** A {@link Persist} that was handed out and what it makes durable. */
  private record Unacknowledged(long sequence, int epoch, long lastIndex) {}

  private final ArrayDeque<Unacknowledged> unacknowledged = new ArrayDeque<>();

  /**
   * @param durable what was made durable in earlier lives
   * @param seed for election timeouts; different in each life and on each node
   */
  public RaftCore(RaftConfig config, DurableState durable, long seed) {
    server = new Server(config, durable, seed);
    leading = new Leading(server);
    following = new Following(server);
    elections = new Elections(server, leading);
  }

  /**
   * To be called once, before any step. Restores the state machine from the durable snapshot, and
   * makes a sole voter leader at once.
   */
  public Effects start() {
    if (server.log.snapshot().position().index() > 0) {
      server.out.restore(server.log.snapshot());
    }
    elections.start();
    return finish();
  }

  /** Takes one input. */
  public Effects step(Input input) {
    accept(input);
    return finish();
  }

  /**
   * Takes several inputs as one: one thing to persist, and fewer messages, for a batch of
   * proposals.
   */
  public Effects step(List<? extends Input> inputs) {
    inputs.forEach(this::accept);
    return finish();
  }

  public int nodeId() {
    return server.self();
  }

  public int epoch() {
    return server.epoch();
  }

  /** Who leads this epoch as far as this server knows, or {@link HardState#NOBODY}. */
  public int leaderId() {
    return server.leaderId();
  }

  /** Whether this server leads, as far as it knows: a newer leader may exist. */
  public boolean isLeader() {
    return server.role() instanceof Leader;
  }

  /**
   * Whether this server leads and has handed out for applying everything that earlier leaders
   * committed: only then does its state machine show what it may decide on.
   */
  public boolean isLeaderUpToDate() {
    return server.role() instanceof Leader leader
        && server.log.appliedIndex() >= leader.epochStartIndex;
  }

  /**
   * Whether it {@linkplain #isLeaderUpToDate may decide} and is not about to hand its leadership
   * over: while it is, proposals are refused, which ends within an election timeout.
   */
  public boolean takesProposals() {
    return isLeaderUpToDate()
        && server.role() instanceof Leader leader
        && leader.transferTarget.isEmpty();
  }

  /** Whether a leader must refuse a change of the group for now: the last one is not committed. */
  public boolean isMembershipChanging() {
    return server.log.membershipIndex() > server.log.commitIndex();
  }

  /** The newest membership in the log, committed or not. */
  public Membership membership() {
    return server.log.membership();
  }

  /** A picture of this server; costs an allocation for each peer. */
  public RaftStatus status() {
    Map<Integer, RaftStatus.Peer> peers = new HashMap<>();
    if (server.role() instanceof Leader leader) {
      leader.peers.forEach((nodeId, peer) ->
          peers.put(
              nodeId,
              new RaftStatus.Peer(
                  peer.match(), peer.isActive(), peer.state() == Progress.State.SNAPSHOT)));
    }
    var role =
        switch (server.role()) {
          case Follower _ -> RaftStatus.RoleName.FOLLOWER;
          case PreCandidate _ -> RaftStatus.RoleName.PRE_CANDIDATE;
          case Candidate _ -> RaftStatus.RoleName.CANDIDATE;
          case Leader _ -> RaftStatus.RoleName.LEADER;
        };
    return new RaftStatus(
        server.self(),
        role,
        server.epoch(),
        server.leaderId(),
        server.log.commitIndex(),
        server.log.appliedIndex(),
        server.log.last(),
        server.log.snapshot().position().index(),
        server.log.membership(),
        peers);
  }

  /**
   * Throws where this server's state contradicts itself. Costs a walk over the log in memory: for
   * tests.
   */
  public void checkInvariants() {
    server.checkInvariants();
  }

  /** For checkers that look at all servers of a group at once. */
  RaftLog log() {
    return server.log;
  }

  private void accept(Input input) {
    switch (input) {
      case Input.Tick _ -> tick();
      case Input.Receive(int from, Message message) -> receive(from, message);
      case Input.Persisted(long sequence) -> persisted(sequence);
      case Input.Propose(long proposalId, byte[] data) ->
          server.out.outcome(
              server.role() instanceof Leader leader
                  ? leading.propose(leader, proposalId, new EntryPayload.Command(data))
                  : notLeader(proposalId));
      case Input.ChangeMembership(long proposalId, MembershipChange change) ->
          server.out.outcome(
              server.role() instanceof Leader leader
                  ? leading.changeMembership(leader, proposalId, change)
                  : notLeader(proposalId));
      case Input.ReadIndex(long readId) -> readIndex(readId);
      case Input.TransferLeadership(int target) -> {
        if (server.role() instanceof Leader leader) {
          leading.transfer(leader, target);
        }
      }
      case Input.SnapshotTaken(long index, byte[] data) -> snapshotTaken(index, data);
      case Input.PeerGone(int nodeId) -> peerGone(nodeId);
    }
  }

  private Effects finish() {
    if (server.role() instanceof Leader leader) {
      leading.flush(leader);
      leading.answerReads(leader);
    }
    server.reads.takeReady(server.log.commitIndex()).forEach(server.out::outcome);
    Effects effects = server.out.take(server.log.takeCommitted());
    if (!effects.persist().isEmpty()) {
      unacknowledged.addLast(
          new Unacknowledged(effects.persist().sequence(), server.epoch(), server.log.lastIndex()));
    }
    return effects;
  }

  private void tick() {
    server.nowTick++;
    for (long readId : server.reads.takeExpired(server.nowTick)) {
      server.out.outcome(new ReadOutcome.Refused(readId, server.leaderId()));
    }
    if (server.role() instanceof Leader leader) {
      leading.tick(leader);
    } else {
      elections.tick();
    }
  }

  private void persisted(long sequence) {
    while (!unacknowledged.isEmpty() && unacknowledged.peekFirst().sequence() <= sequence) {
      Unacknowledged durable = unacknowledged.removeFirst();
      // What an earlier epoch wrote may have been replaced since.
      if (server.role() instanceof Leader leader && durable.epoch() == server.epoch()) {
        leading.durable(leader, durable.lastIndex());
      }
    }
  }

  private void readIndex(long readId) {
    if (server.role() instanceof Leader leader) {
      if (leader.reads.size() >= server.config.pendingReadsMax()) {
        server.out.outcome(new ReadOutcome.Refused(readId, server.self()));
      } else {
        leading.readIndex(leader, server.self(), readId);
      }
      return;
    }
    int leaderId = server.leaderId();
    if (leaderId == NOBODY || server.reads.size() >= server.config.pendingReadsMax()) {
      server.out.outcome(new ReadOutcome.Refused(readId, leaderId));
      return;
    }
    long key = server.reads.add(readId, server.nowTick + server.config.electionTicks());
    server.send(leaderId, new Message.ReadIndexRequest(server.epoch(), key));
  }

  private void snapshotTaken(long index, byte[] data) {
    if (index > server.log.appliedIndex()) {
      throw new IllegalArgumentException(
          "A snapshot at "
              + index
              + " holds what was not applied; "
              + server.log.appliedIndex()
              + " is the last that was");
    }
    if (index > server.log.snapshot().position().index()) {
      server.out.snapshotTaken(server.log.compact(index, data, server.config.retainedEntries()));
    }
  }

  private void peerGone(int nodeId) {
    if (server.role() instanceof Leader leader) {
      leading.peerGone(leader, nodeId);
    } else if (server.leaderId() == nodeId) {
      elections.leaderGone(nodeId);
    }
  }

  private void receive(int from, Message message) {
    if (!enterEpochOf(from, message)) {
      return;
    }
    switch (message) {
      case Message.PreVoteRequest request -> elections.onPreVoteRequest(from, request);
      case Message.PreVoteResponse response -> elections.onPreVoteResponse(from, response);
      case Message.VoteRequest request -> elections.onVoteRequest(from, request);
      case Message.VoteResponse response -> elections.onVoteResponse(from, response);
      case Message.TimeoutNow request -> elections.onTimeoutNow(request);
      case Message.AppendRequest request -> following.onAppendRequest(from, request);
      case Message.Heartbeat heartbeat -> following.onHeartbeat(from, heartbeat);
      case Message.SnapshotChunk chunk -> following.onSnapshotChunk(from, chunk);
      case Message.AppendResponse response -> {
        if (server.role() instanceof Leader leader) {
          leading.onAppendResponse(leader, from, response);
        }
      }
      case Message.AppendRejected rejected -> {
        if (server.role() instanceof Leader leader) {
          leading.onAppendRejected(leader, from, rejected);
        }
      }
      case Message.HeartbeatResponse response -> {
        if (server.role() instanceof Leader leader) {
          leading.onHeartbeatResponse(leader, from, response);
        }
      }
      case Message.SnapshotResponse response -> {
        if (server.role() instanceof Leader leader) {
          leading.onSnapshotResponse(leader, from, response);
        }
      }
      case Message.ReadIndexRequest request -> onReadIndexRequest(from, request);
      case Message.ReadIndexResponse(_, long key, long index) -> {
        if (index >= 0) {
          server.reads.indexIs(key, index);
        } else {
          for (long readId : server.reads.refused(key)) {
            server.out.outcome(new ReadOutcome.Refused(readId, server.leaderId()));
          }
        }
      }
    }
  }

  private void onReadIndexRequest(int from, Message.ReadIndexRequest request) {
    if (server.role() instanceof Leader leader
        && leader.reads.size() < server.config.pendingReadsMax()) {
      leading.readIndex(leader, from, request.readId());
    } else {
      server.send(from, new Message.ReadIndexResponse(server.epoch(), request.readId(), -1));
    }
  }

  /**
   * Follows a newer epoch, and turns away what comes from an older one.
   *
   * @return whether the message is to be looked at
   */
  private boolean enterEpochOf(int from, Message message) {
    return switch (message) {
      case Message.PreVoteRequest _ -> true;
      case Message.VoteRequest request -> {
        if (request.epoch() > server.epoch()) {
          if (elections.isSticky() && !request.leadershipTransfer()) {
            yield false;
          }
          server.becomeFollower(request.epoch(), NOBODY);
        }
        yield true;
      }
      case Message.AppendRequest _, Message.Heartbeat _, Message.SnapshotChunk _ ->
          followLeader(from, message.epoch());
      case Message.PreVoteResponse _,
          Message.VoteResponse _,
          Message.AppendResponse _,
          Message.AppendRejected _,
          Message.HeartbeatResponse _,
          Message.SnapshotResponse _,
          Message.TimeoutNow _,
          Message.ReadIndexRequest _,
          Message.ReadIndexResponse _ -> {
        if (message.epoch() > server.epoch()) {
          server.becomeFollower(message.epoch(), NOBODY);
        }
        yield message.epoch() == server.epoch() || message instanceof Message.PreVoteResponse;
      }
    };
  }

  private boolean followLeader(int from, int epoch) {
    if (epoch < server.epoch()) {
      // Tells a deposed leader, or one whose followers were cut off, about the newer epoch.
      server.send(from, new Message.HeartbeatResponse(server.epoch(), 0));
      return false;
    }
    if (epoch == server.epoch() && server.role() instanceof Leader) {
      throw new IllegalStateException(
          "Nodes " + from + " and " + server.self() + " both lead epoch " + epoch);
    }
    boolean isKnown = epoch == server.epoch() && server.leaderId() == from;
    if (isKnown) {
      server.ticksSilent = 0;
    } else {
      server.becomeFollower(epoch, from);
    }
    return true;
  }

  private ProposalOutcome notLeader(long proposalId) {
    return new ProposalOutcome.Refused(
        proposalId, ProposalOutcome.Reason.NOT_LEADER, server.leaderId());
  }
}
