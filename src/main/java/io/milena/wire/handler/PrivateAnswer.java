package io.milena.wire.handler;

import org.apache.kafka.common.protocol.Writable;

/**
 * The body of an answer to a private request. It says how large it is before it is written: once,
 * on the connection's network thread, when the answers before it have gone.
 */
public interface PrivateAnswer {

  /** Bytes that are copied to memory. */
  int memoryBytes();

  /**
   * Bytes that stay where they are: regions of files, given to {@link Writable#writeRecords}, and
   * buffers, given to {@link Writable#writeByteBuffer}.
   */
  int recordsBytes();

  /**
   * Writes {@link #memoryBytes()} and {@link #recordsBytes()} bytes, no fewer and no more. What is
   * not copied must stay as it is until the socket has taken it: when the connection's next request
   * is served, but for one-way ones, it has.
   */
  void write(Writable out);

  /** An answer that lies in memory as a whole. */
  static PrivateAnswer of(byte[] body) {
    return new PrivateAnswer() {
      @Override
      public int memoryBytes() {
        return body.length;
      }

      @Override
      public int recordsBytes() {
        return 0;
      }

      @Override
      public void write(Writable out) {
        out.writeByteArray(body);
      }
    };
  }
}
