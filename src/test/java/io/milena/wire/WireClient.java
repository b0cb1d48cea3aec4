package io.milena.wire;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

/** A client that controls every byte it sends. */
public final class WireClient implements Closeable {
  private static final int READ_TIMEOUT_MS = 20_000;

  private final Socket socket;
  private final DataInputStream in;

  public WireClient(int port) throws IOException {
    this(port, 0);
  }

  /**
   * @param receiveBufferBytes small for a peer that takes little; 0 for the default
   */
  WireClient(int port, int receiveBufferBytes) throws IOException {
    socket = new Socket();
    if (receiveBufferBytes > 0) {
      socket.setReceiveBufferSize(receiveBufferBytes);
    }
    socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(READ_TIMEOUT_MS);
    in = new DataInputStream(socket.getInputStream());
  }

  /** A whole frame, with its size field. */
  public static byte[] frame(ApiKeys api, int version, int correlationId, ApiMessage body) {
    short headerVersion = api.requestHeaderVersion((short) version);
    RequestHeaderData fields =
        new RequestHeaderData()
            .setRequestApiKey(api.id)
            .setRequestApiVersion((short) version)
            .setCorrelationId(correlationId)
            .setClientId("wire-client");
    ByteBuffer header = MessageUtil.toByteBufferAccessor(fields, headerVersion).buffer();
    ByteBuffer bytes = MessageUtil.toByteBufferAccessor(body, (short) version).buffer();
    ByteBuffer frame = ByteBuffer.allocate(4 + header.remaining() + bytes.remaining());
    frame.putInt(header.remaining() + bytes.remaining()).put(header).put(bytes);
    return frame.array();
  }

  public void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  void send(byte[] bytes, int from, int to) throws IOException {
    socket.getOutputStream().write(bytes, from, to - from);
  }

  /** The next answer, without its size field: from the correlation id on. */
  public ByteBuffer receive() throws IOException {
    byte[] answer = new byte[in.readInt()];
    in.readFully(answer);
    return ByteBuffer.wrap(answer);
  }

  /** The next answer's body; its header must carry the correlation id. */
  public <T extends ApiMessage> T receive(ApiKeys api, int version, int correlationId, T body)
      throws IOException {
    ByteBuffer answer = receive();
    int received = answer.getInt();
    if (received != correlationId) {
      throw new AssertionError("answer to " + received + " instead of " + correlationId);
    }
    if (api.responseHeaderVersion((short) version) >= 1) {
      answer.get();
    }
    body.read(new ByteBufferAccessor(answer), (short) version);
    if (answer.hasRemaining()) {
      throw new AssertionError(answer.remaining() + " bytes follow the answer");
    }
    return body;
  }

  public void closeOutput() throws IOException {
    socket.shutdownOutput();
  }

  /** Waits for the server to close; false when it sends something instead. */
  public boolean isClosedByServer() throws IOException {
    try {
      return in.read() < 0;
    } catch (EOFException | SocketException e) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
