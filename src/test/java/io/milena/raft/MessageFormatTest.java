package io.milena.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Jackson writes and reads what goes between servers and to their journals. */
class MessageFormatTest {
  private static final ObjectMapper CBOR = new CBORMapper().registerModule(new Jdk8Module());

  private static final Membership MEMBERSHIP = new Membership(Set.of(1, 2), Set.of(3));
  private static final LogPosition POSITION = new LogPosition(7, 3);
  private static final List<Entry> ENTRIES =
      List.of(
          new Entry(8, 3, new EntryPayload.EpochStart()),
          new Entry(9, 3, new EntryPayload.Command(new byte[] {1, 2})),
          new Entry(10, 3, new EntryPayload.MembershipChanged(MEMBERSHIP)));

  @ParameterizedTest
  @MethodSource("messages")
  void messageIsReadAsItWasWritten(Message message) throws IOException {
    assertThat(CBOR.readValue(CBOR.writeValueAsBytes(message), Message.class)).isEqualTo(message);
  }

  @Test
  void everyKindIsCovered() {
    assertThat(messages().map(Object::getClass).distinct())
        .hasSize(Message.class.getPermittedSubclasses().length);
  }

  @Test
  void persistIsReadAsItWasWritten() throws IOException {
    var persist =
        new Persist(
            5,
            Optional.of(new HardState(3, 1)),
            OptionalLong.of(8),
            Optional.of(new Snapshot(POSITION, MEMBERSHIP, new byte[] {4})),
            ENTRIES);

    assertThat(CBOR.readValue(CBOR.writeValueAsBytes(persist), Persist.class)).isEqualTo(persist);
  }

  @Test
  void durableStateIsReadAsItWasWritten() throws IOException {
    var snapshot = new Snapshot(POSITION, MEMBERSHIP, new byte[] {4});
    var state = new DurableState(new HardState(3, 1), snapshot, ENTRIES);

    var read = CBOR.readValue(CBOR.writeValueAsBytes(state), DurableState.class);

    assertThat(read.hardState()).isEqualTo(state.hardState());
    assertThat(read.snapshot()).isEqualTo(snapshot);
    assertThat(read.entries()).isEqualTo(ENTRIES);
  }

  static Stream<Message> messages() {
    return Stream.of(
        new Message.PreVoteRequest(4, POSITION),
        new Message.PreVoteResponse(3, 4, true),
        new Message.VoteRequest(4, POSITION, true),
        new Message.VoteResponse(4, false),
        new Message.AppendRequest(4, POSITION, ENTRIES, 6),
        new Message.AppendResponse(4, 10),
        new Message.AppendRejected(4, 9, POSITION),
        new Message.Heartbeat(4, 6, 12),
        new Message.HeartbeatResponse(4, 12),
        new Message.SnapshotChunk(4, POSITION, MEMBERSHIP, 100, 16, new byte[] {5}),
        new Message.SnapshotResponse(4, 7, 17),
        new Message.TimeoutNow(4),
        new Message.ReadIndexRequest(4, -17),
        new Message.ReadIndexResponse(4, -17, 10));
  }
}
