package io.milena.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.network.TransferableChannel;

/**
 * The bytes of one connection, non-blocking. Everything above sees only this: encryption is another
 * implementation. Used on the connection's network thread.
 */
interface Transport extends TransferableChannel {

  /** Reads what is there into {@code target}; -1 when the peer has closed. */
  int read(ByteBuffer target) throws IOException;

  /** Fills {@code first}, then {@code rest}, with what is there; -1 when the peer has closed. */
  long read(ByteBuffer first, ByteBuffer rest) throws IOException;
}
