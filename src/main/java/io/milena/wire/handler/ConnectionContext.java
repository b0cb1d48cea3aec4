package io.milena.wire.handler;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** What a handler may use of the connection that a request came by. */
public interface ConnectionContext {

  /** Address the connection comes from. */
  InetSocketAddress clientAddress();

  /** Identifies the connection within this node for as long as the process lives. */
  long connectionId();

  /** Name of the listener the connection came in by, as in {@code advertised.listeners}. */
  String listenerName();

  /**
   * Runs a task on this connection's network thread after a delay. Cheap: meant for one timer a
   * waiting request.
   *
   * @param delayMs 0 or more
   */
  TimerTask schedule(long delayMs, Runnable task);

  /**
   * Runs a task on this connection's network thread as soon as possible; may be called from any
   * thread.
   */
  void execute(Runnable task);

  /**
   * Runs a task (on the network thread) once if the connection ends before this request has been
   * answered, at once if it has ended. A request that never waits needs none.
   */
  void onClose(Runnable task);

  /**
   * Closes the connection instead of answering this request, once the requests before it have been
   * answered: the only way to tell of a failed request that has no response (Produce with acks 0).
   * Called before the handler's stage completes.
   *
   * @param reason for the log, one clause without the peer
   */
  default void closeConnection(String reason) {}

  /** What {@link #attach} left, or null. On the network thread only. */
  default @Nullable Attachment attachment() {
    return null;
  }

  /**
   * Leaves something at the connection for its next requests, instead of what was there. On the
   * network thread only.
   */
  default void attach(Attachment attachment) {
    throw new UnsupportedOperationException("this connection takes no attachment");
  }

  /** State that lives as long as its connection. */
  interface Attachment {
    /** The connection has ended; called once, on its network thread. */
    void connectionClosed();
  }

  /** A scheduled task. */
  interface TimerTask {
    /** Keeps the task from running if it has not; called on the network thread only. */
    void cancel();
  }
}
