package io.milena.raft;

import java.util.Arrays;

/**
 * A durable point that replaces the log up to and including its position (Raft, section 7).
 *
 * @param position last entry it includes
 * @param membership in force there
 * @param data the state machine's state, opaque here; never changed after it was handed over. Held
 *     in memory for as long as a follower may need it.
 */
@SuppressWarnings("ArrayRecordComponent") // bulk bytes, never changed
public record Snapshot(LogPosition position, Membership membership, byte[] data) {

  /** What every first voter of a group starts with. */
  public static Snapshot bootstrap(Membership membership) {
    return new Snapshot(LogPosition.START, membership, new byte[0]);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Snapshot snapshot
        && position.equals(snapshot.position)
        && membership.equals(snapshot.membership)
        && Arrays.equals(data, snapshot.data);
  }

  @Override
  public int hashCode() {
    return position.hashCode();
  }

  @Override
  public String toString() {
    return "Snapshot[" + position + ", " + membership + ", " + data.length + " bytes]";
  }
}
