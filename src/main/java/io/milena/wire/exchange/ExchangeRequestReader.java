package io.milena.wire.exchange;

import static io.milena.wire.exchange.ExchangeFormat.readLong;
import static io.milena.wire.exchange.ExchangeFormat.readUnsigned;
import static io.milena.wire.exchange.ExchangeFormat.require;

import io.milena.wire.handler.MalformedFrameException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.Uuid;

/** Reads polls and updates, calling a sink for what they say: nothing is allocated for entries. */
final class ExchangeRequestReader {

  /** What is told of a request, in its order. */
  interface Sink {
    /** The first request of a connection says who asks whom, in which cluster. */
    void hello(Uuid clusterId, int askedNodeId, int askingNodeId) throws MalformedFrameException;

    /** Every request has it. */
    void nodeEpoch(long nodeEpoch) throws MalformedFrameException;

    /** A poll has it, before its entries. */
    void poll(int maxWaitMs, int maxBytes, int partitionMaxBytes);

    void removed(int handle) throws MalformedFrameException;

    void added(int handle, Uuid topicId, int partition) throws MalformedFrameException;

    /**
     * @param version tells this position from others of the handle
     * @param logStartOffset from 0 to {@code logEndOffset}
     * @param newestEpoch in the follower's log, or -1
     * @param keptEndOffset from 0 to {@code logEndOffset}
     */
    void position(
        int handle,
        byte version,
        int leaderEpoch,
        long logStartOffset,
        long logEndOffset,
        int newestEpoch,
        long keptEndOffset)
        throws MalformedFrameException;

    void kept(int handle, long keptEndOffset) throws MalformedFrameException;
  }

  private ExchangeRequestReader() {}

  /**
   * Reads a whole body. What comes before a mistake has been told by then.
   *
   * @throws MalformedFrameException when it is no such request, with what is wrong
   */
  static void read(ByteBuffer body, boolean poll, Sink sink) throws MalformedFrameException {
    require(body, 1, "the flags");
    int flags = body.get();
    if ((flags & ~ExchangeFormat.HELLO) != 0) {
      throw new MalformedFrameException("it has the flags " + flags);
    }
    if (flags == ExchangeFormat.HELLO) {
      require(body, 24, "the hello");
      sink.hello(uuid(body), body.getInt(), body.getInt());
    }
    sink.nodeEpoch(readLong(body, 0, "the node epoch"));
    if (poll) {
      sink.poll(
          readUnsigned(body, "the longest wait"),
          readUnsigned(body, "the most bytes"),
          readUnsigned(body, "the most bytes of a partition"));
    }
    while (body.hasRemaining()) {
      entry(body, sink);
    }
  }

  private static void entry(ByteBuffer body, Sink sink) throws MalformedFrameException {
    int key = readUnsigned(body, "an entry's handle");
    int handle = key >>> 2;
    if (handle >= ExchangeFormat.HANDLES_MAX) {
      throw new MalformedFrameException("an entry has the handle " + handle);
    }
    switch (key & 3) {
      case ExchangeFormat.REMOVED -> sink.removed(handle);
      case ExchangeFormat.ADDED -> {
        require(body, 16, "a topic id");
        sink.added(handle, uuid(body), readUnsigned(body, "a partition"));
      }
      case ExchangeFormat.POSITION -> position(body, handle, sink);
      default -> sink.kept(handle, readLong(body, 0, "a kept end offset"));
    }
  }

  private static void position(ByteBuffer body, int handle, Sink sink)
      throws MalformedFrameException {
    require(body, 1, "a position");
    byte version = body.get();
    int leaderEpoch = readUnsigned(body, "a leader epoch");
    long start = readLong(body, 0, "a log start offset");
    long length = readLong(body, 0, "a distance to the log end");
    if (length > Long.MAX_VALUE - start) {
      throw new MalformedFrameException("a log ends " + length + " behind its start " + start);
    }
    long end = start + length;
    long notKept = readLong(body, 0, "a distance to the kept end");
    if (notKept > end) {
      throw new MalformedFrameException("a kept end lies " + notKept + " below the end " + end);
    }
    int newestEpoch = readUnsigned(body, "a newest epoch") - 1;
    sink.position(handle, version, leaderEpoch, start, end, newestEpoch, end - notKept);
  }

  private static Uuid uuid(ByteBuffer body) {
    return new Uuid(body.getLong(), body.getLong());
  }
}
