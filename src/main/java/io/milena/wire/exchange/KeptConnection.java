package io.milena.wire.exchange;

import io.milena.common.Clock;
import io.milena.wire.NetworkLoop;
import io.milena.wire.PeerConnection;
import io.milena.wire.ReceivedBytes;
import io.milena.wire.handler.ConnectionContext.TimerTask;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to another node that is there while it is wanted: opened, opened anew when it
 * breaks, and given up when nothing is heard by it. Attempts follow each other after {@link
 * #RECONNECT_MS_MIN}, then after twice as long each time up to {@link #RECONNECT_MS_MAX}, until
 * {@link #works()} has been said. Lives on one network loop.
 */
final class KeptConnection implements PeerConnection.Listener {
  static final long RECONNECT_MS_MIN = 50;
  static final long RECONNECT_MS_MAX = 1_000;

  /** An attempt that takes longer is given up: the next one begins with a fresh SYN. */
  static final long CONNECT_MS_MAX = 2_000;

  private static final Logger LOG = LoggerFactory.getLogger(KeptConnection.class);

  /** Who uses it. Everything is called on the loop's thread. */
  interface User {
    /** Requests can be sent. */
    void connected(PeerConnection open);

    /** See {@link PeerConnection.Listener#answered}. */
    void answered(int correlationId, ByteBuffer body, ReceivedBytes memory);

    /** What waited has been sent: see {@link PeerConnection#hasUnsent}. */
    void drained();

    /** A connection that was there has ended; another one will come if it is still wanted. */
    void disconnected();
  }

  private final int nodeId;
  private final NetworkLoop loop;
  private final Clock clock;
  private final Supplier<@Nullable InetSocketAddress> addresses;
  private final int answerMaxBytes;
  private final long silenceMs;
  private final User user;

  private String address = "";
  private @Nullable PeerConnection connection;
  private @Nullable TimerTask timer;
  private boolean wanted;
  private boolean connected;

  /** An attempt is under way, or waits for its time. */
  private boolean trying;

  /** Tells an attempt that was overtaken that it was. */
  private int attempt;

  private long reconnectMs = RECONNECT_MS_MIN;
  private boolean failureLogged;

  /**
   * @param nodeId of the other node, for logs
   * @param addresses where it is at the moment, unresolved; null when that is not known
   * @param answerMaxBytes largest answer taken
   * @param silenceMs a connection by which nothing was heard for so long is given up
   */
  KeptConnection(
      int nodeId,
      NetworkLoop loop,
      Clock clock,
      Supplier<@Nullable InetSocketAddress> addresses,
      int answerMaxBytes,
      long silenceMs,
      User user) {
    this.nodeId = nodeId;
    this.loop = loop;
    this.clock = clock;
    this.addresses = addresses;
    this.answerMaxBytes = answerMaxBytes;
    this.silenceMs = silenceMs;
    this.user = user;
  }

  /** There shall be a connection. */
  void open() {
    wanted = true;
    if (connection == null && !trying) {
      tryNow();
    }
  }

  /** There shall be none. */
  void close(String reason) {
    wanted = false;
    giveUpAttempt();
    reconnectMs = RECONNECT_MS_MIN;
    if (connection != null) {
      connection.close(reason);
    }
  }

  /** The other node may be elsewhere, or back: the next attempt is made at once. */
  void retryNow() {
    if (wanted && connection == null) {
      giveUpAttempt();
      reconnectMs = RECONNECT_MS_MIN;
      tryNow();
    }
  }

  /** Ends the present connection, whose peer did something wrong. */
  void refuse(String reason) {
    if (connection != null) {
      connection.close(reason);
    }
  }

  /** The other node has answered as it should. */
  void works() {
    reconnectMs = RECONNECT_MS_MIN;
    if (failureLogged) {
      failureLogged = false;
      LOG.info("the connection to node {} at {} works again", nodeId, address);
    }
  }

  private void giveUpAttempt() {
    attempt++;
    trying = false;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void tryNow() {
    trying = true;
    int current = ++attempt;
    InetSocketAddress unresolved = addresses.get();
    if (unresolved == null) {
      tryLater("it is not registered");
      return;
    }
    address = unresolved.getHostString() + ":" + unresolved.getPort();
    // A name may take seconds to resolve.
    Thread.ofVirtual()
        .name("milena-resolve")
        .start(() -> {
          InetAddress host;
          try {
            host = InetAddress.getByName(unresolved.getHostString());
          } catch (UnknownHostException e) {
            loop.execute(() -> {
              if (current == attempt) {
                tryLater("its name " + unresolved.getHostString() + " is not known");
              }
            });
            return;
          }
          loop.execute(() -> {
            if (current == attempt) {
              connect(new InetSocketAddress(host, unresolved.getPort()));
            }
          });
        });
  }

  private void connect(InetSocketAddress resolved) {
    try {
      connection = PeerConnection.connect(loop, resolved, answerMaxBytes, this);
      trying = false;
      timer = loop.schedule(CONNECT_MS_MAX, this::checkConnected);
    } catch (IOException e) {
      tryLater(String.valueOf(e.getMessage()));
    }
  }

  private void tryLater(String reason) {
    if (!failureLogged) {
      failureLogged = true;
      LOG.warn(
          "there is no connection to node {}{}: {}; it is tried again every {} ms",
          nodeId,
          address.isEmpty() ? "" : " at " + address,
          reason,
          RECONNECT_MS_MAX);
    }
    trying = true;
    timer = loop.schedule(reconnectMs, this::tryNow);
    reconnectMs = Math.min(2 * reconnectMs, RECONNECT_MS_MAX);
  }

  private void checkConnected() {
    if (!connected) {
      refuse("it did not accept a connection within " + CONNECT_MS_MAX + " ms");
    } else {
      watch();
    }
  }

  private void watch() {
    timer = loop.schedule(silenceMs / 2, this::checkSilence);
  }

  private void checkSilence() {
    PeerConnection watched = connection;
    if (watched == null) {
      return;
    }
    long silentNanos = clock.monotonicNanos() - watched.lastHeardNanos();
    if (silentNanos > TimeUnit.MILLISECONDS.toNanos(silenceMs)) {
      watched.close("nothing was heard of it for " + silenceMs + " ms");
    } else {
      watch();
    }
  }

  @Override
  public void connected() {
    connected = true;
    PeerConnection open = connection;
    if (open != null) {
      user.connected(open);
    }
  }

  @Override
  public void answered(int correlationId, ByteBuffer body, ReceivedBytes memory) {
    user.answered(correlationId, body, memory);
  }

  @Override
  public void drained() {
    user.drained();
  }

  @Override
  public void closed(String reason) {
    boolean was = connected;
    connection = null;
    connected = false;
    giveUpAttempt();
    if (was) {
      user.disconnected();
    }
    if (wanted && connection == null && !trying) {
      tryLater(reason);
    }
  }
}
