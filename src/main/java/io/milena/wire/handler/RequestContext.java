package io.milena.wire.handler;

import java.net.InetSocketAddress;
import org.apache.kafka.common.requests.RequestHeader;

/** Who asks, in which version, and what a handler may use of the connection. */
public interface RequestContext {

  /** The request's header as the client sent it. */
  RequestHeader header();

  /** Version of the request body. */
  default short apiVersion() {
    return header().apiVersion();
  }

  /** The client's own name for itself; empty when it gave none. */
  default String clientId() {
    return header().clientId() == null ? "" : header().clientId();
  }

  /** Address the connection comes from. */
  InetSocketAddress clientAddress();

  /** Identifies the connection within this node for as long as the process lives. */
  long connectionId();

  /**
   * The authenticated principal, in Kafka's {@code Type:name} form; {@code User:ANONYMOUS} without
   * authentication.
   */
  String principal();

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
   * Says that the handler needs the request's bytes no more, though its answer is not known yet (a
   * produce request that waits for other replicas): their memory is given back now instead of with
   * the answer. May be called from any thread, and more than once.
   */
  default void releaseRequestBytes() {}

  /**
   * Closes the connection instead of answering this request, once the requests before it have been
   * answered: the only way to tell of a failed request that has no response (Produce with acks 0).
   * Called before the handler's stage completes.
   *
   * @param reason for the log, one clause without the peer
   */
  default void closeConnection(String reason) {}

  /** A scheduled task. */
  interface TimerTask {
    /** Keeps the task from running if it has not; called on the network thread only. */
    void cancel();
  }
}
