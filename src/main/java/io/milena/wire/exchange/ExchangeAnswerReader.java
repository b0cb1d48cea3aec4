package io.milena.wire.exchange;

import static io.milena.wire.exchange.ExchangeFormat.readLong;
import static io.milena.wire.exchange.ExchangeFormat.readUnsigned;
import static io.milena.wire.exchange.ExchangeFormat.require;

import io.milena.replication.DivergingEpoch;
import io.milena.wire.handler.MalformedFrameException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Reads answers to polls. */
final class ExchangeAnswerReader {
  private static final ByteBuffer NONE = ByteBuffer.allocate(0);

  /** Told of each entry, in their order. */
  @FunctionalInterface
  interface Sink {
    /**
     * @param version of the position that is answered
     * @param error NONE for most
     * @param records a view of the body, empty when there are none
     */
    void entry(
        int handle,
        byte version,
        int leaderEpoch,
        long highWatermark,
        long logStartOffset,
        Errors error,
        @Nullable DivergingEpoch diverging,
        ByteBuffer records);
  }

  private ExchangeAnswerReader() {}

  /**
   * Reads a whole body. Entries before a mistake have been told by then.
   *
   * @return the error that the leader's node answered with instead of entries, or NONE
   * @throws MalformedFrameException when it is no such answer, with what is wrong
   */
  static Errors read(ByteBuffer body, Sink sink) throws MalformedFrameException {
    require(body, Short.BYTES, "the error");
    Errors error = Errors.forCode(body.getShort());
    if (error != Errors.NONE) {
      return error;
    }
    require(body, Integer.BYTES, "the size of the entries");
    int entriesBytes = body.getInt();
    if (entriesBytes < 0 || entriesBytes > body.remaining()) {
      throw new MalformedFrameException(
          "it has " + entriesBytes + " bytes of entries in " + body.remaining());
    }
    ByteBuffer records = body.duplicate();
    records.position(body.position() + entriesBytes);
    body.limit(body.position() + entriesBytes);
    while (body.hasRemaining()) {
      entry(body, records, sink);
    }
    if (records.hasRemaining()) {
      throw new MalformedFrameException(
          records.remaining() + " bytes of records belong to no entry");
    }
    return error;
  }

  private static void entry(ByteBuffer body, ByteBuffer records, Sink sink)
      throws MalformedFrameException {
    int handle = readUnsigned(body, "a handle");
    require(body, 2, "an entry");
    byte version = body.get();
    int contents = body.get();
    if ((contents & ~(ExchangeFormat.DIVERGING | ExchangeFormat.RECORDS | ExchangeFormat.ERROR))
        != 0) {
      throw new MalformedFrameException("an entry has the contents " + contents);
    }
    int leaderEpoch = readUnsigned(body, "a leader epoch");
    long highWatermark = readLong(body, 0, "a high watermark");
    long logStartOffset = readLong(body, 0, "a log start offset");
    Errors error = Errors.NONE;
    if ((contents & ExchangeFormat.ERROR) != 0) {
      require(body, Short.BYTES, "an error");
      error = Errors.forCode(body.getShort());
    }
    DivergingEpoch diverging = null;
    if ((contents & ExchangeFormat.DIVERGING) != 0) {
      int epoch = readUnsigned(body, "a diverging epoch") - 1;
      diverging = new DivergingEpoch(epoch, readLong(body, 0, "a diverging offset") - 1);
    }
    ByteBuffer ofEntry = NONE;
    if ((contents & ExchangeFormat.RECORDS) != 0) {
      int sizeBytes = readUnsigned(body, "the size of records");
      if (sizeBytes > records.remaining()) {
        throw new MalformedFrameException(
            "an entry has " + sizeBytes + " bytes of records of " + records.remaining());
      }
      ofEntry = records.slice(records.position(), sizeBytes);
      records.position(records.position() + sizeBytes);
    }
    sink.entry(
        handle, version, leaderEpoch, highWatermark, logStartOffset, error, diverging, ofEntry);
  }
}
