package io.milena.wire.exchange;

import io.milena.wire.handler.MalformedFrameException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.utils.internals.ByteUtils;

/**
 * The bodies of the frames of the replication exchange, version 1. Integers are big-endian, {@code
 * uvarint} and {@code varlong} (zigzag) are Kafka's.
 *
 * <p>A follower's node asks the leader's node on one connection, one <em>poll</em> (EXCHANGE) at a
 * time, which is answered as soon as there is something, or after its longest wait. What the
 * follower has to say meanwhile goes into an <em>update</em> (EXCHANGE_UPDATE), which has no
 * answer. Both carry entries, worked off in order:
 *
 * <pre>
 * request   byte flags                          bit 0: a hello follows
 *           hello, in the first request of a connection:
 *             int64 int64 cluster id | int32 node id asked | int32 node id that asks
 *           varlong node epoch                  of the asking node's registration
 *           in a poll: uvarint longest wait ms | uvarint most bytes | uvarint most bytes a partition
 *           entries, up to the end of the frame:
 *             uvarint handle &lt;&lt; 2 | kind
 *             0 REMOVED                         the handle is free again
 *             1 ADDED     int64 int64 topic id | uvarint partition
 *             2 POSITION  byte version | uvarint leader epoch | varlong log start offset
 *                         | varlong log end - log start offset | varlong log end - kept end offset
 *                         | uvarint newest epoch in the log + 1
 *             3 KEPT      varlong kept end offset
 *
 * answer    int16 error                         if not NONE, nothing follows
 *           int32 bytes of the entries
 *           entries:
 *             uvarint handle | byte version     of the position that is answered
 *             byte contents                     bit 0: diverging, 1: records, 2: error
 *             uvarint leader epoch | varlong high watermark | varlong log start offset
 *             int16 error                       if bit 2
 *             uvarint epoch + 1 | varlong end   if bit 0: offset + 1
 *             uvarint bytes of records          if bit 1
 *           records of the entries, in their order, up to the end of the frame
 * </pre>
 *
 * <p>The follower chooses the handles, small numbers that stand for partitions on this connection.
 * A POSITION says from where to send on, acknowledges everything below, and gets records, an error
 * or a divergence at most once: the leader then waits for the next one. KEPT acknowledges more of
 * what the last position claimed. Everything ends with the connection: a new one begins with a
 * hello and no partitions.
 */
final class ExchangeFormat {
  static final short VERSION = 1;

  /** Handles are below this: no node follows as many partitions of another. */
  static final int HANDLES_MAX = 1 << 24;

  static final int HELLO = 1;

  static final int REMOVED = 0;
  static final int ADDED = 1;
  static final int POSITION = 2;
  static final int KEPT = 3;

  static final int DIVERGING = 1;
  static final int RECORDS = 2;
  static final int ERROR = 4;

  /** Error and size of the entries. */
  static final int ANSWER_HEADER_BYTES = 2 + 4;

  private static final int VARINT_BYTES_MAX = 5;
  private static final int VARLONG_BYTES_MAX = 10;

  /** Everything before the entries of a request. */
  static final int REQUEST_HEADER_BYTES_MAX =
      1 + 2 * 8 + 2 * 4 + VARLONG_BYTES_MAX + 3 * VARINT_BYTES_MAX;

  /** The largest entry of a request or an answer. */
  static final int ENTRY_BYTES_MAX = 16 + 4 * VARINT_BYTES_MAX + 3 * VARLONG_BYTES_MAX;

  private ExchangeFormat() {}

  /** A number that is 0 or more. */
  static int readUnsigned(ByteBuffer from, String what) throws MalformedFrameException {
    int value;
    try {
      value = ByteUtils.readUnsignedVarint(from);
    } catch (RuntimeException e) {
      throw new MalformedFrameException(what + " cannot be read");
    }
    if (value < 0) {
      throw new MalformedFrameException(what + " is " + Integer.toUnsignedString(value));
    }
    return value;
  }

  /** A number that is {@code min} or more. */
  static long readLong(ByteBuffer from, long min, String what) throws MalformedFrameException {
    long value;
    try {
      value = ByteUtils.readVarlong(from);
    } catch (RuntimeException e) {
      throw new MalformedFrameException(what + " cannot be read");
    }
    if (value < min) {
      throw new MalformedFrameException(what + " is " + value);
    }
    return value;
  }

  /** Refuses a frame that ends before fields of a fixed size do. */
  static void require(ByteBuffer from, int bytes, String what) throws MalformedFrameException {
    if (from.remaining() < bytes) {
      throw new MalformedFrameException("it ends within " + what);
    }
  }

  /** The buffer with room for more, a larger copy if need be; position and content stay. */
  static ByteBuffer withRoom(ByteBuffer buffer, int bytes) {
    if (buffer.remaining() >= bytes) {
      return buffer;
    }
    int capacity = Math.max(2 * buffer.capacity(), buffer.position() + bytes);
    return ByteBuffer.allocate(capacity).put(buffer.flip());
  }
}
