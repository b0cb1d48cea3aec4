package io.milena.raft;

import java.io.ByteArrayOutputStream;

/** A snapshot that arrives in chunks, in order; as large as its sender's, which held it too. */
final class IncomingSnapshot {
  private final LogPosition position;
  private final Membership membership;
  private final long totalBytes;
  private final int epoch;
  private final ByteArrayOutputStream received = new ByteArrayOutputStream();

  IncomingSnapshot(Message.SnapshotChunk first) {
    position = first.position();
    membership = first.membership();
    totalBytes = first.totalBytes();
    epoch = first.epoch();
  }

  /** Whether the chunk belongs to this transfer: another leader's bytes may differ. */
  boolean accepts(Message.SnapshotChunk chunk) {
    return position.equals(chunk.position())
        && totalBytes == chunk.totalBytes()
        && epoch == chunk.epoch();
  }

  void add(Message.SnapshotChunk chunk) {
    if (chunk.offsetBytes() == received.size()) {
      received.writeBytes(chunk.data());
    }
  }

  long receivedBytes() {
    return received.size();
  }

  boolean isComplete() {
    return received.size() == totalBytes;
  }

  Snapshot toSnapshot() {
    return new Snapshot(position, membership, received.toByteArray());
  }
}
