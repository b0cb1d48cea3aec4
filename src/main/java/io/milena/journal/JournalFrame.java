package io.milena.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * What is written or lost as one: the events of an atomic write, or a note of what was deleted.
 *
 * <pre>
 * bytes  what
 * 4      length of the body
 * 4      CRC-32C of the body
 * 1      kind: 1 events, 2 deletion        ┐
 * 2 + n  persistence id, UTF-8             │ body
 * events:   4 count, each 8 sequence number, 4 + n data
 * deletion: 8 deleted up to, inclusive, 8 highest sequence number
 * </pre>
 */
sealed interface JournalFrame {
  int HEADER_BYTES = 8;

  /** Larger lengths are damage, not frames. */
  int BODY_BYTES_MAX = 512 * 1024 * 1024;

  byte EVENTS = 1;
  byte DELETION = 2;

  /** Whose. */
  String persistenceId();

  /** Events in ascending order of sequence number; at least one. */
  record Events(String persistenceId, List<StoredEvent> events) implements JournalFrame {}

  /**
   * @param deletedTo events up to this one, inclusive, are gone
   * @param highest sequence number ever used, which outlives its event
   */
  record Deletion(String persistenceId, long deletedTo, long highest) implements JournalFrame {}

  /** Header and body, ready to be written. */
  default ByteBuffer encode() {
    byte[] id = persistenceId().getBytes(UTF_8);
    if (id.length > 0xFFFF) {
      throw new IllegalArgumentException(
          "A persistence id of " + id.length + " bytes is longer than 65535");
    }
    long bodyBytes = 3L + id.length;
    bodyBytes +=
        switch (this) {
          case Events(_, var events) -> {
            long bytes = 4;
            for (StoredEvent event : events) {
              bytes += 12L + event.data().length;
            }
            yield bytes;
          }
          case Deletion _ -> 16;
        };
    if (bodyBytes > BODY_BYTES_MAX) {
      throw new IllegalArgumentException(
          "An atomic write of " + bodyBytes + " bytes is larger than " + BODY_BYTES_MAX);
    }
    var buffer = ByteBuffer.allocate(Math.toIntExact(HEADER_BYTES + bodyBytes));
    buffer.position(HEADER_BYTES);
    switch (this) {
      case Events(_, var events) -> {
        putHead(buffer, EVENTS, id);
        buffer.putInt(events.size());
        for (StoredEvent event : events) {
          buffer.putLong(event.sequenceNumber()).putInt(event.data().length).put(event.data());
        }
      }
      case Deletion(_, long deletedTo, long highest) ->
          putHead(buffer, DELETION, id).putLong(deletedTo).putLong(highest);
    }
    buffer.flip();
    buffer.putInt(0, buffer.limit() - HEADER_BYTES).putInt(4, checksum(buffer));
    return buffer;
  }

  /** Whether the buffer, which holds a whole frame, is as it was written. */
  static boolean isIntact(ByteBuffer frame) {
    return frame.getInt(4) == checksum(frame);
  }

  /** Reads a whole, intact frame. */
  static JournalFrame decode(ByteBuffer frame) {
    var body = frame.duplicate().position(HEADER_BYTES);
    byte kind = body.get();
    byte[] id = new byte[Short.toUnsignedInt(body.getShort())];
    body.get(id);
    String persistenceId = new String(id, UTF_8);
    return switch (kind) {
      case EVENTS -> {
        int count = body.getInt();
        var events = new ArrayList<StoredEvent>(count);
        for (int i = 0; i < count; i++) {
          long sequenceNumber = body.getLong();
          byte[] data = new byte[body.getInt()];
          body.get(data);
          events.add(new StoredEvent(sequenceNumber, data));
        }
        yield new Events(persistenceId, events);
      }
      case DELETION -> new Deletion(persistenceId, body.getLong(), body.getLong());
      default -> throw new JournalDamagedException("A journal frame has unknown kind " + kind);
    };
  }

  private static ByteBuffer putHead(ByteBuffer buffer, byte kind, byte[] id) {
    return buffer.put(kind).putShort((short) id.length).put(id);
  }

  private static int checksum(ByteBuffer frame) {
    var crc = new CRC32C();
    crc.update(frame.duplicate().position(HEADER_BYTES));
    return (int) crc.getValue();
  }
}
