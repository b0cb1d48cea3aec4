package io.milena.raft;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Arrays;
import java.util.List;

/** What servers say to each other. Immutable; Jackson can write and read them. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Message.PreVoteRequest.class, name = "preVote"),
  @JsonSubTypes.Type(value = Message.PreVoteResponse.class, name = "preVoted"),
  @JsonSubTypes.Type(value = Message.VoteRequest.class, name = "vote"),
  @JsonSubTypes.Type(value = Message.VoteResponse.class, name = "voted"),
  @JsonSubTypes.Type(value = Message.AppendRequest.class, name = "append"),
  @JsonSubTypes.Type(value = Message.AppendResponse.class, name = "appended"),
  @JsonSubTypes.Type(value = Message.AppendRejected.class, name = "appendRejected"),
  @JsonSubTypes.Type(value = Message.Heartbeat.class, name = "heartbeat"),
  @JsonSubTypes.Type(value = Message.HeartbeatResponse.class, name = "heartbeaten"),
  @JsonSubTypes.Type(value = Message.SnapshotChunk.class, name = "snapshot"),
  @JsonSubTypes.Type(value = Message.SnapshotResponse.class, name = "snapshotGot"),
  @JsonSubTypes.Type(value = Message.TimeoutNow.class, name = "timeoutNow"),
  @JsonSubTypes.Type(value = Message.ReadIndexRequest.class, name = "readIndex"),
  @JsonSubTypes.Type(value = Message.ReadIndexResponse.class, name = "readIndexIs")
})
public sealed interface Message {

  /** The sender's epoch; in {@link PreVoteRequest} the one it would campaign in. */
  int epoch();

  /**
   * Would you vote for me? Changes nothing at the receiver (thesis, section 9.6).
   *
   * @param epoch the next one, which the sender has not entered
   * @param last end of the sender's log
   */
  record PreVoteRequest(int epoch, LogPosition last) implements Message {}

  /**
   * @param epoch the voter's own
   * @param campaignEpoch as asked
   * @param granted whether it would
   */
  record PreVoteResponse(int epoch, int campaignEpoch, boolean granted) implements Message {}

  /**
   * @param last end of the sender's log
   * @param leadershipTransfer the old leader asked for this: stickiness does not apply
   */
  record VoteRequest(int epoch, LogPosition last, boolean leadershipTransfer) implements Message {}

  /**
   * @param granted only after it is durable
   */
  record VoteResponse(int epoch, boolean granted) implements Message {}

  /**
   * Entries to append after {@code previous}.
   *
   * @param commitIndex of the leader
   */
  record AppendRequest(int epoch, LogPosition previous, List<Entry> entries, long commitIndex)
      implements Message {
    public AppendRequest {
      entries = List.copyOf(entries);
    }
  }

  /**
   * @param matchIndex the follower's durable log is the leader's up to here, inclusive
   */
  record AppendResponse(int epoch, long matchIndex) implements Message {}

  /**
   * The follower does not have {@code rejectedIndex} as the leader does.
   *
   * @param rejectedIndex the request's previous index
   * @param hint largest position in the follower's log that could match: no later entry does
   */
  record AppendRejected(int epoch, long rejectedIndex, LogPosition hint) implements Message {}

  /**
   * @param commitIndex never above what the receiver is known to have
   * @param readSequence to be returned
   */
  record Heartbeat(int epoch, long commitIndex, long readSequence) implements Message {}

  /**
   * @param readSequence of the heartbeat
   */
  record HeartbeatResponse(int epoch, long readSequence) implements Message {}

  /**
   * A part of a snapshot (Raft, figure 13).
   *
   * @param offsetBytes where {@code data} belongs
   * @param totalBytes of the whole
   */
  @SuppressWarnings("ArrayRecordComponent") // bulk bytes, never changed
  record SnapshotChunk(
      int epoch,
      LogPosition position,
      Membership membership,
      long totalBytes,
      long offsetBytes,
      byte[] data)
      implements Message {
    @Override
    public boolean equals(Object other) {
      return other instanceof SnapshotChunk chunk
          && epoch == chunk.epoch
          && position.equals(chunk.position)
          && membership.equals(chunk.membership)
          && totalBytes == chunk.totalBytes
          && offsetBytes == chunk.offsetBytes
          && Arrays.equals(data, chunk.data);
    }

    @Override
    public int hashCode() {
      return 31 * position.hashCode() + Long.hashCode(offsetBytes);
    }
  }

  /**
   * @param index of the snapshot being sent
   * @param receivedBytes of it so far: where to go on
   */
  record SnapshotResponse(int epoch, long index, long receivedBytes) implements Message {}

  /** Campaign at once: the leader hands over to you (thesis, section 3.10). */
  record TimeoutNow(int epoch) implements Message {}

  /**
   * @param readId the follower's
   */
  record ReadIndexRequest(int epoch, long readId) implements Message {}

  /**
   * @param readId the follower's
   * @param index to wait for, or -1: refused
   */
  record ReadIndexResponse(int epoch, long readId, long index) implements Message {}
}
