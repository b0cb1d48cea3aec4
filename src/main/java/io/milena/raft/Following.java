package io.milena.raft;

import java.util.Optional;

/** What a follower does with entries, heartbeats and snapshots (Raft, sections 5.3 and 7). */
final class Following {
  private final Server server;
  private Optional<IncomingSnapshot> incoming = Optional.empty();

  Following(Server server) {
    this.server = server;
  }

  void onAppendRequest(int from, Message.AppendRequest request) {
    RaftLog log = server.log;
    if (request.previous().index() < log.commitIndex()) {
      // Old news; what is committed agrees with every leader.
      server.send(from, new Message.AppendResponse(server.epoch(), log.commitIndex()));
      return;
    }
    if (!log.matches(request.previous())) {
      LogPosition hint = log.lastPossibleMatch(request.previous());
      server.send(
          from, new Message.AppendRejected(server.epoch(), request.previous().index(), hint));
      return;
    }
    for (Entry entry : request.entries()) {
      if (log.covers(entry.index())) {
        if (log.epochAt(entry.index()) == entry.epoch()) {
          continue;
        }
        log.truncateFrom(entry.index());
        server.out.truncate(entry.index());
      }
      server.append(entry);
    }
    long matchIndex = request.previous().index() + request.entries().size();
    log.commitTo(Math.min(request.commitIndex(), matchIndex));
    server.send(from, new Message.AppendResponse(server.epoch(), matchIndex));
  }

  void onHeartbeat(int from, Message.Heartbeat heartbeat) {
    server.log.commitTo(heartbeat.commitIndex());
    server.send(from, new Message.HeartbeatResponse(server.epoch(), heartbeat.readSequence()));
  }

  void onSnapshotChunk(int from, Message.SnapshotChunk chunk) {
    if (chunk.position().index() <= server.log.commitIndex()) {
      incoming = Optional.empty();
      server.send(from, new Message.AppendResponse(server.epoch(), server.log.commitIndex()));
      return;
    }
    var transfer =
        incoming.filter(known -> known.accepts(chunk)).orElseGet(() -> new IncomingSnapshot(chunk));
    transfer.add(chunk);
    incoming = Optional.of(transfer);
    if (!transfer.isComplete()) {
      server.send(
          from,
          new Message.SnapshotResponse(
              server.epoch(), chunk.position().index(), transfer.receivedBytes()));
      return;
    }
    incoming = Optional.empty();
    install(transfer.toSnapshot());
    server.send(from, new Message.AppendResponse(server.epoch(), server.log.commitIndex()));
  }

  private void install(Snapshot snapshot) {
    if (server.log.matches(snapshot.position())) {
      // The log has all of it: no need to throw away what follows (Raft, figure 13, step 6).
      server.log.commitTo(snapshot.position().index());
      return;
    }
    server.log.install(snapshot);
    server.out.install(snapshot);
  }
}
