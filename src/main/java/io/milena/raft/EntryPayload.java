package io.milena.raft;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Arrays;

/** What a log entry carries. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = EntryPayload.EpochStart.class, name = "epochStart"),
  @JsonSubTypes.Type(value = EntryPayload.Command.class, name = "command"),
  @JsonSubTypes.Type(value = EntryPayload.MembershipChanged.class, name = "membership")
})
public sealed interface EntryPayload {

  /** Fixed part of an entry's size, so that empty payloads count against limits too. */
  int OVERHEAD_BYTES = 24;

  /** Roughly what the payload costs in memory and on the wire. */
  default int sizeBytes() {
    return switch (this) {
      case EpochStart _ -> OVERHEAD_BYTES;
      case Command command -> OVERHEAD_BYTES + command.data().length;
      case MembershipChanged changed ->
          OVERHEAD_BYTES
              + Integer.BYTES
                  * (changed.membership().voters().size() + changed.membership().learners().size());
    };
  }

  /** The first entry of every leader: committing it commits all before it (Raft, section 8). */
  record EpochStart() implements EntryPayload {}

  /**
   * What the state machine applies; opaque here.
   *
   * @param data never changed by anyone after it was handed over
   */
  @SuppressWarnings("ArrayRecordComponent") // bulk bytes, never changed
  record Command(byte[] data) implements EntryPayload {
    @Override
    public boolean equals(Object other) {
      return other instanceof Command command && Arrays.equals(data, command.data);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(data);
    }

    @Override
    public String toString() {
      return "Command[" + data.length + " bytes]";
    }
  }

  /** The membership in force from this entry on, committed or not (thesis, section 4.1). */
  record MembershipChanged(Membership membership) implements EntryPayload {}
}
