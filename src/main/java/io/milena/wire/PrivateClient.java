package io.milena.wire;

import io.milena.wire.handler.PrivateApi;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/**
 * Asks another node one private request over a connection of its own, and waits for the answer: for
 * what is asked rarely, such as by a node that joins a cluster. Blocks the caller.
 */
public final class PrivateClient {
  /** Largest answer taken. */
  public static final int ANSWER_BYTES_MAX = 16 * 1024 * 1024;

  private PrivateClient() {}

  /**
   * Connects, asks, and closes.
   *
   * @param node a Kafka listener of the node to ask
   * @param key of the API, see {@link PrivateApi}
   * @param body the request's body; its position does not move
   * @param timeoutMs for all of it, more than 0
   * @return the answer's body
   * @throws IOException when the node cannot be reached, closes the connection (it does not serve
   *     the API or did not understand the body), answers with something else or too late; the
   *     message says which, and names the node
   */
  public static ByteBuffer ask(
      InetSocketAddress node, short key, short version, ByteBuffer body, int timeoutMs)
      throws IOException {
    long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      socket.connect(node, timeoutMs);
      socket.getOutputStream().write(frame(key, version, body));
      return receive(socket, deadlineNanos);
    } catch (SocketTimeoutException e) {
      throw new IOException(node + " did not answer within " + timeoutMs + " ms", e);
    } catch (EOFException e) {
      throw new IOException(
          node
              + " closed the connection instead of answering: is it a Milena node of this version?",
          e);
    } catch (IOException e) {
      throw new IOException(node + " cannot be asked: " + e.getMessage(), e);
    }
  }

  private static byte[] frame(short key, short version, ByteBuffer body) {
    int sizeBytes = PrivateRequest.HEADER_BYTES + body.remaining();
    return ByteBuffer.allocate(Integer.BYTES + sizeBytes)
        .putInt(sizeBytes)
        .putShort(key)
        .putShort(version)
        .putInt(0)
        .put(body.duplicate())
        .array();
  }

  private static ByteBuffer receive(Socket socket, long deadlineNanos) throws IOException {
    InputStream in = socket.getInputStream();
    byte[] head = new byte[2 * Integer.BYTES];
    readFully(socket, in, head, deadlineNanos);
    int sizeBytes = ByteBuffer.wrap(head).getInt();
    int correlationId = ByteBuffer.wrap(head).getInt(Integer.BYTES);
    if (sizeBytes < Integer.BYTES || sizeBytes > ANSWER_BYTES_MAX || correlationId != 0) {
      throw new IOException(
          "it answered with a frame of %d bytes to request %d".formatted(sizeBytes, correlationId));
    }
    byte[] body = new byte[sizeBytes - Integer.BYTES];
    readFully(socket, in, body, deadlineNanos);
    return ByteBuffer.wrap(body);
  }

  /** The socket's own limit is for one read: a peer that dribbles must not keep the caller. */
  private static void readFully(Socket socket, InputStream in, byte[] target, long deadlineNanos)
      throws IOException {
    int count = 0;
    while (count < target.length) {
      long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
      if (leftMs <= 0) {
        throw new SocketTimeoutException("out of time");
      }
      socket.setSoTimeout((int) Math.min(leftMs, Integer.MAX_VALUE));
      int read = in.read(target, count, target.length - count);
      if (read < 0) {
        throw new EOFException();
      }
      count += read;
    }
  }
}
