package io.milena.http.transport;

import akka.stream.Attributes;
import akka.stream.FlowShape;
import akka.stream.Inlet;
import akka.stream.Outlet;
import akka.stream.stage.AbstractInHandler;
import akka.stream.stage.AbstractOutHandler;
import akka.stream.stage.AsyncCallback;
import akka.stream.stage.GraphStage;
import akka.stream.stage.GraphStageLogic;
import akka.util.ByteString;
import io.milena.log.FileRegion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection as a flow of bytes: what goes in is sent, what comes out was received. Reads only on
 * demand and takes the next bytes to send only when the socket has taken those before, so a peer
 * that does not read holds one element and nothing else. An element that stands for a file region
 * ({@link FileSends}) is sent with {@code transferTo}.
 */
public final class SocketStage extends GraphStage<FlowShape<ByteString, ByteString>> {

  private static final Logger LOG = LoggerFactory.getLogger(SocketStage.class);
  private static final int READ_BYTES = 64 * 1024;

  /** After so many bytes at a stretch of one file, others get their turn. */
  private static final int TURN_BYTES = 4 << 20;

  /** For what a peer still sends after its answer, so that it sees the answer, not a reset. */
  private static final Duration LINGERING = Duration.ofSeconds(2);

  /** A thread's, not a connection's: an idle connection has none. */
  private static final ThreadLocal<ByteBuffer> READ_BUFFER =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(READ_BYTES));

  private final HttpSocket socket;
  private final Inlet<ByteString> in = Inlet.create("HttpSocket.in");
  private final Outlet<ByteString> out = Outlet.create("HttpSocket.out");

  public SocketStage(HttpSocket socket) {
    this.socket = socket;
  }

  @Override
  public FlowShape<ByteString, ByteString> shape() {
    return FlowShape.of(in, out);
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  private final class Logic extends GraphStageLogic {

    private ByteBuffer[] buffers = {};
    private int nextBuffer;
    private @Nullable FileRegion region;
    private int regionSent;
    private boolean writing;
    private boolean lingering;
    private boolean answered = true;
    private @Nullable ByteString early;

    Logic() {
      super(SocketStage.this.shape());
      setHandler(
          in,
          new AbstractInHandler() {
            @Override
            public void onPush() {
              begin(grab(in));
            }

            @Override
            public void onUpstreamFinish() {
              if (!writing) {
                linger();
              }
            }

            @Override
            public void onUpstreamFailure(Throwable failure) {
              LOG.debug("HTTP connection from {}: {}", socket.peer(), failure.toString());
              completeStage();
            }
          });
      setHandler(
          out,
          new AbstractOutHandler() {
            @Override
            public void onPull() {
              ByteString bytes = early;
              early = null;
              if (bytes == null) {
                read();
              } else {
                push(out, bytes);
              }
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
              // Nothing more is wanted of the peer, yet its answer may still be on the way.
            }
          });
    }

    @Override
    public void preStart() {
      setKeepGoing(true);
      AsyncCallback<HttpSocket.Signal> signals = createAsyncCallback(this::on);
      socket.listen(signals::invoke);
      pull(in);
    }

    @Override
    public void postStop() {
      socket.close();
    }

    private void on(HttpSocket.Signal signal) {
      switch (signal) {
        case READABLE -> {
          if (lingering) {
            drop();
          } else if (!isClosed(out) && isAvailable(out)) {
            read();
          } else if (socket.isEndless()) {
            watch();
          }
        }
        case WRITABLE -> write();
        case EXPIRED -> completeStage();
      }
    }

    private void read() {
      ByteBuffer buffer = READ_BUFFER.get().clear();
      try {
        int count = socket.read(buffer);
        if (count < 0 && socket.isEndless()) {
          completeStage();
        } else if (count < 0) {
          complete(out);
        } else if (count == 0) {
          socket.awaitReadable();
        } else {
          if (answered) {
            answered = false;
            socket.headBegins();
          }
          byte[] bytes = new byte[count];
          buffer.flip().get(bytes);
          push(out, ByteString.fromArrayUnsafe(bytes));
        }
      } catch (IOException gone) {
        completeStage();
      }
    }

    /** Nothing is asked of the peer while an endless answer is sent; yet it may have gone. */
    private void watch() {
      if (early != null) {
        return;
      }
      ByteBuffer buffer = READ_BUFFER.get().clear();
      try {
        int count = socket.read(buffer);
        if (count < 0) {
          completeStage();
        } else if (count == 0) {
          socket.awaitReadable();
        } else {
          byte[] bytes = new byte[count];
          buffer.flip().get(bytes);
          early = ByteString.fromArrayUnsafe(bytes);
        }
      } catch (IOException gone) {
        completeStage();
      }
    }

    private void begin(ByteString bytes) {
      if (socket.isEndless()) {
        socket.awaitReadable();
      }
      answered = true;
      writing = true;
      region = socket.files().claim(bytes);
      regionSent = 0;
      nextBuffer = 0;
      if (region == null) {
        List<ByteBuffer> parts = new ArrayList<>(2);
        for (ByteBuffer part : bytes.getByteBuffers()) {
          parts.add(part);
        }
        buffers = parts.toArray(ByteBuffer[]::new);
      }
      write();
    }

    private void write() {
      if (!writing) {
        return;
      }
      try {
        if (region == null ? writeBuffers() : writeRegion(region)) {
          writing = false;
          region = null;
          buffers = new ByteBuffer[0];
          if (isClosed(in)) {
            linger();
          } else {
            pull(in);
          }
        }
      } catch (IOException failure) {
        LOG.debug("HTTP connection from {} ends: {}", socket.peer(), failure.toString());
        completeStage();
      }
    }

    /** Whether all has been sent. */
    private boolean writeBuffers() throws IOException {
      while (nextBuffer < buffers.length) {
        if (!buffers[nextBuffer].hasRemaining()) {
          nextBuffer++;
        } else if (socket.write(buffers, nextBuffer) == 0) {
          socket.awaitWritable();
          return false;
        }
      }
      return true;
    }

    private boolean writeRegion(FileRegion file) throws IOException {
      int turn = 0;
      while (regionSent < file.sizeInBytes()) {
        long sent = socket.transfer(file, regionSent, file.sizeInBytes() - regionSent);
        regionSent += (int) sent;
        turn += (int) sent;
        if (regionSent < file.sizeInBytes() && (sent == 0 || turn > TURN_BYTES)) {
          socket.awaitWritable();
          return false;
        }
      }
      return true;
    }

    /** All is sent: waits for the peer to close, so that it reads its answer first. */
    private void linger() {
      if (lingering) {
        return;
      }
      lingering = true;
      try {
        socket.finish(LINGERING);
        drop();
      } catch (IOException gone) {
        completeStage();
      }
    }

    private void drop() {
      try {
        ByteBuffer buffer = READ_BUFFER.get();
        int count = socket.read(buffer.clear());
        if (count < 0) {
          completeStage();
        } else {
          socket.awaitReadable();
        }
      } catch (IOException gone) {
        completeStage();
      }
    }
  }
}
