package io.milena.http.peer;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;

/** A connection to a node's Kafka listener, for one request at a time. Blocks its caller. */
final class PeerSocket implements AutoCloseable {

  private static final int ANSWER_BYTES_MAX = 128 * 1024 * 1024;

  private final Socket socket = new Socket();

  /** When it was last used, in {@link System#nanoTime()}. */
  volatile long usedNanos;

  void connect(InetSocketAddress address, int timeoutMs) throws IOException {
    socket.setTcpNoDelay(true);
    socket.connect(address, timeoutMs);
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws IOException when the connection ends or the time is up: what became of the request is
   *     not known, and the connection is of no more use
   */
  ApiMessage ask(RequestHeader header, ApiMessage request, long deadlineNanos) throws IOException {
    ByteBuffer body =
        RequestUtils.serialize(header.data(), header.headerVersion(), request, header.apiVersion());
    byte[] frame = new byte[Integer.BYTES + body.remaining()];
    ByteBuffer.wrap(frame).putInt(body.remaining()).put(body);
    socket.getOutputStream().write(frame);
    ByteBuffer answer = receive(deadlineNanos);
    usedNanos = System.nanoTime();
    ResponseHeader got =
        ResponseHeader.parse(answer, header.apiKey().responseHeaderVersion(header.apiVersion()));
    if (got.correlationId() != header.correlationId()) {
      throw new IOException("it answered another request than it was asked");
    }
    ApiMessage message = ApiMessageType.fromApiKey(header.apiKey().id).newResponse();
    message.read(new ByteBufferAccessor(answer), header.apiVersion());
    return message;
  }

  private ByteBuffer receive(long deadlineNanos) throws IOException {
    byte[] size = new byte[Integer.BYTES];
    readFully(size, deadlineNanos);
    int sizeBytes = ByteBuffer.wrap(size).getInt();
    if (sizeBytes < Integer.BYTES || sizeBytes > ANSWER_BYTES_MAX) {
      throw new IOException("it answered with a frame of " + sizeBytes + " bytes");
    }
    byte[] body = new byte[sizeBytes];
    readFully(body, deadlineNanos);
    return ByteBuffer.wrap(body);
  }

  /** The socket's own limit is for one read, not for all of them. */
  private void readFully(byte[] target, long deadlineNanos) throws IOException {
    InputStream in = socket.getInputStream();
    int count = 0;
    while (count < target.length) {
      long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
      if (leftMs <= 0) {
        throw new SocketTimeoutException("it did not answer in time");
      }
      socket.setSoTimeout((int) Math.min(leftMs, Integer.MAX_VALUE));
      int read = in.read(target, count, target.length - count);
      if (read < 0) {
        throw new EOFException("it closed the connection");
      }
      count += read;
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException ignored) {
      // The peer is gone already; there is nothing else to release.
    }
  }
}
