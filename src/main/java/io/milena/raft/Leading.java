package io.milena.raft;

import static io.milena.raft.HardState.NOBODY;

import java.util.List;
import java.util.OptionalInt;

/** What a leader does: replicate, commit, watch its majority, hand over. */
final class Leading {
  private final Server server;

  Leading(Server server) {
    this.server = server;
  }

  /** Won an election. */
  void start() {
    var leader = new Leader(server.log.lastIndex() + 1);
    for (long index = server.log.commitIndex() + 1; index <= server.log.lastIndex(); index++) {
      leader.uncommittedBytes += server.log.entry(index).payload().sizeBytes();
    }
    server.becomeLeader(leader);
    trackMembers(leader);
    append(leader, new EntryPayload.EpochStart());
  }

  void tick(Leader leader) {
    leader.ticksSinceQuorumCheck++;
    if (leader.ticksSinceQuorumCheck >= server.config.electionTicks()) {
      leader.ticksSinceQuorumCheck = 0;
      if (!hasActiveQuorum(leader)) {
        server.becomeFollower(server.epoch(), NOBODY);
        return;
      }
      leader.peers.values().forEach(peer -> peer.active(false));
    }
    if (leader.transferTarget.isPresent()
        && ++leader.ticksSinceTransfer >= server.config.electionTicks()) {
      leader.transferTarget = OptionalInt.empty();
    }
    leader.ticksSinceHeartbeat++;
    if (leader.ticksSinceHeartbeat >= server.config.heartbeatTicks()) {
      sendHeartbeats(leader);
      continueTransfer(leader);
    }
  }

  /** Appends an entry if there is room for it and leadership is not being handed over. */
  ProposalOutcome propose(Leader leader, long proposalId, EntryPayload payload) {
    if (leader.transferTarget.isPresent()) {
      return refused(proposalId, ProposalOutcome.Reason.TRANSFERRING);
    }
    boolean isRoom =
        leader.uncommittedBytes == 0
            || leader.uncommittedBytes + payload.sizeBytes() <= server.config.uncommittedBytesMax();
    if (!isRoom) {
      return refused(proposalId, ProposalOutcome.Reason.TOO_MUCH_UNCOMMITTED);
    }
    append(leader, payload);
    return new ProposalOutcome.Appended(proposalId, server.log.last());
  }

  /** Changes the group, one server at a time and one change at a time (thesis, section 4.1). */
  ProposalOutcome changeMembership(Leader leader, long proposalId, MembershipChange change) {
    Membership now = server.log.membership();
    Membership after = now.with(change);
    if (after.equals(now) || after.voters().isEmpty()) {
      return refused(proposalId, ProposalOutcome.Reason.NO_SUCH_CHANGE);
    }
    // Without an entry of this epoch committed, two majorities need not overlap (thesis, erratum).
    if (server.log.membershipIndex() > server.log.commitIndex()
        || leader.epochStartIndex > server.log.commitIndex()) {
      return refused(proposalId, ProposalOutcome.Reason.CHANGE_IN_PROGRESS);
    }
    if (change instanceof MembershipChange.AddVoter(int nodeId) && !isCaughtUp(leader, nodeId)) {
      return refused(proposalId, ProposalOutcome.Reason.NOT_CAUGHT_UP);
    }
    var outcome = propose(leader, proposalId, new EntryPayload.MembershipChanged(after));
    if (outcome instanceof ProposalOutcome.Appended) {
      trackMembers(leader);
      commit(leader);
    }
    return outcome;
  }

  void transfer(Leader leader, int target) {
    int chosen = target == NOBODY ? furthestVoter(leader) : target;
    boolean isPossible =
        leader.peers.containsKey(chosen) && server.log.membership().voters().contains(chosen);
    if (isPossible) {
      leader.transferTarget = OptionalInt.of(chosen);
      leader.ticksSinceTransfer = 0;
      continueTransfer(leader);
    }
  }

  void peerGone(Leader leader, int nodeId) {
    Progress peer = leader.peers.get(nodeId);
    if (peer != null) {
      peer.gone();
    }
  }

  /** This server's own log is durable up to an index. */
  void durable(Leader leader, long index) {
    leader.durableIndex = Math.max(leader.durableIndex, index);
    commit(leader);
  }

  void onAppendResponse(Leader leader, int from, Message.AppendResponse response) {
    Progress peer = leader.peers.get(from);
    if (peer == null) {
      return;
    }
    peer.active(true);
    if (peer.acknowledged(response.matchIndex())) {
      commit(leader);
    }
    replicateTo(leader, from);
    continueTransfer(leader);
  }

  void onAppendRejected(Leader leader, int from, Message.AppendRejected rejected) {
    Progress peer = leader.peers.get(from);
    if (peer == null) {
      return;
    }
    peer.active(true);
    long possibleMatch = server.log.lastPossibleMatch(rejected.hint()).index();
    if (peer.rejected(rejected.rejectedIndex(), possibleMatch)) {
      sendAppend(from, peer, true);
    }
  }

  void onHeartbeatResponse(Leader leader, int from, Message.HeartbeatResponse response) {
    Progress peer = leader.peers.get(from);
    if (peer == null) {
      return;
    }
    peer.heartbeatAnswered();
    if (peer.state() == Progress.State.SNAPSHOT) {
      sendChunk(from, peer);
    } else if (peer.match() < server.log.lastIndex()) {
      sendAppend(from, peer, true);
    }
    leader.reads.answered(from, response.readSequence());
    confirmReads(leader);
  }

  void onSnapshotResponse(Leader leader, int from, Message.SnapshotResponse response) {
    Progress peer = leader.peers.get(from);
    if (peer == null
        || peer.state() != Progress.State.SNAPSHOT
        || peer.sending().position().index() != response.index()) {
      return;
    }
    peer.active(true);
    if (peer.isWaiting() && response.receivedBytes() == peer.sentBytes()) {
      // An answer to a chunk sent twice; the one that is out will be answered too.
      return;
    }
    peer.chunkReceived(response.receivedBytes());
    sendChunk(from, peer);
  }

  void readIndex(Leader leader, int from, long readId) {
    long index = Math.max(server.log.commitIndex(), leader.epochStartIndex);
    if (leader.reads.add(from, readId, index)) {
      sendHeartbeats(leader);
    }
    confirmReads(leader);
  }

  /** At the end of a step: tells followers what they were not told. */
  void flush(Leader leader) {
    if (!leader.hasNews) {
      return;
    }
    leader.hasNews = false;
    leader.peers.forEach((nodeId, peer) -> {
      sendAppend(nodeId, peer, true);
      sendPending(nodeId, peer);
    });
  }

  /** Hands out reads that became ready. */
  void answerReads(Leader leader) {
    for (LeaderReads.Pending read : leader.reads.takeReady(server.log.commitIndex())) {
      if (read.from() == server.self()) {
        server.out.outcome(new ReadOutcome.Ready(read.readId(), read.index()));
      } else {
        server.send(
            read.from(),
            new Message.ReadIndexResponse(server.epoch(), read.readId(), read.index()));
      }
    }
  }

  private void append(Leader leader, EntryPayload payload) {
    server.append(new Entry(server.log.lastIndex() + 1, server.epoch(), payload));
    leader.uncommittedBytes += payload.sizeBytes();
    leader.hasNews = true;
  }

  private void commit(Leader leader) {
    long index = leader.majorityIndex(server.log.membership(), server.self());
    // Only entries of this epoch commit by counting (Raft, section 5.4.2 and figure 8).
    boolean isProgress =
        index > server.log.commitIndex() && server.log.epochAt(index) == server.epoch();
    if (!isProgress) {
      return;
    }
    for (long i = server.log.commitIndex() + 1; i <= index; i++) {
      leader.uncommittedBytes -= server.log.entry(i).payload().sizeBytes();
    }
    server.log.commitTo(index);
    leader.hasNews = true;
    boolean isRemoved =
        !server.isVoter() && server.log.membershipIndex() <= server.log.commitIndex();
    if (isRemoved) {
      resign(leader);
    }
  }

  /** Removed from the voters: helps the best of them to take over. */
  private void resign(Leader leader) {
    flush(leader);
    int successor = furthestVoter(leader);
    if (successor != NOBODY) {
      server.send(successor, new Message.TimeoutNow(server.epoch()));
    }
    answerReads(leader);
    server.becomeFollower(server.epoch(), NOBODY);
  }

  private void confirmReads(Leader leader) {
    while (leader.reads.confirm(server.log.membership(), server.self())) {
      sendHeartbeats(leader);
    }
  }

  private void trackMembers(Leader leader) {
    leader.trackMembers(
        server.log.membership(),
        server.self(),
        server.log.lastIndex() + 1,
        server.config.inflightAppendsMax());
  }

  private boolean hasActiveQuorum(Leader leader) {
    var active = new java.util.HashSet<Integer>();
    active.add(server.self());
    leader.peers.forEach((peer, progress) -> {
      if (progress.isActive()) {
        active.add(peer);
      }
    });
    return server.log.membership().isQuorum(active);
  }

  private boolean isCaughtUp(Leader leader, int nodeId) {
    Progress peer = leader.peers.get(nodeId);
    return peer != null
        && peer.isActive()
        && server.log.lastIndex() - peer.match() <= server.config.caughtUpEntries();
  }

  private int furthestVoter(Leader leader) {
    int best = NOBODY;
    long bestMatch = -1;
    for (int voter : server.log.membership().voters()) {
      Progress peer = leader.peers.get(voter);
      if (peer != null && peer.isActive() && peer.match() > bestMatch) {
        best = voter;
        bestMatch = peer.match();
      }
    }
    return best;
  }

  private void continueTransfer(Leader leader) {
    if (server.role() != leader || leader.transferTarget.isEmpty()) {
      return;
    }
    int target = leader.transferTarget.getAsInt();
    Progress peer = leader.peers.get(target);
    if (peer == null) {
      leader.transferTarget = OptionalInt.empty();
    } else if (peer.match() == server.log.lastIndex()) {
      server.send(target, new Message.TimeoutNow(server.epoch()));
    } else {
      replicateTo(leader, target);
    }
  }

  private void sendHeartbeats(Leader leader) {
    leader.ticksSinceHeartbeat = 0;
    leader.peers.forEach((peer, progress) ->
        server.send(
            peer,
            new Message.Heartbeat(
                server.epoch(),
                Math.min(progress.match(), server.log.commitIndex()),
                leader.reads.round())));
  }

  /** Sends what the other may get now. */
  private void replicateTo(Leader leader, int to) {
    Progress peer = leader.peers.get(to);
    if (server.role() != leader || peer == null) {
      return;
    }
    sendPending(to, peer);
  }

  private void sendPending(int to, Progress peer) {
    while (!peer.isPaused() && peer.next() <= server.log.lastIndex()) {
      sendAppend(to, peer, false);
    }
  }

  private void sendAppend(int to, Progress peer, boolean evenEmpty) {
    if (peer.isPaused()) {
      return;
    }
    if (peer.next() <= server.log.baseIndex()) {
      peer.startSnapshot(server.log.snapshot());
      sendChunk(to, peer);
      return;
    }
    List<Entry> entries = server.log.slice(peer.next(), server.config.appendBytesMax());
    if (entries.isEmpty() && !evenEmpty) {
      return;
    }
    LogPosition previous = server.log.positionAt(peer.next() - 1);
    server.send(
        to, new Message.AppendRequest(server.epoch(), previous, entries, server.log.commitIndex()));
    peer.sent(previous.index() + entries.size(), !entries.isEmpty());
  }

  private void sendChunk(int to, Progress peer) {
    if (peer.isWaiting()) {
      return;
    }
    Snapshot snapshot = peer.sending();
    int from = Math.toIntExact(Math.min(peer.sentBytes(), snapshot.data().length));
    int until = Math.min(snapshot.data().length, from + server.config.snapshotChunkBytes());
    server.send(
        to,
        new Message.SnapshotChunk(
            server.epoch(),
            snapshot.position(),
            snapshot.membership(),
            snapshot.data().length,
            from,
            java.util.Arrays.copyOfRange(snapshot.data(), from, until)));
    peer.chunkSent();
  }

  private ProposalOutcome refused(long proposalId, ProposalOutcome.Reason reason) {
    return new ProposalOutcome.Refused(proposalId, reason, server.self());
  }
}
