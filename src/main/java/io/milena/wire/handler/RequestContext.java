package io.milena.wire.handler;

import org.apache.kafka.common.requests.RequestHeader;

/** Who asks, in which version, and what a handler may use of the connection. */
public interface RequestContext extends ConnectionContext {

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

  /**
   * The authenticated principal, in Kafka's {@code Type:name} form; {@code User:ANONYMOUS} without
   * authentication.
   */
  String principal();

  /**
   * Says that the handler needs the request's bytes no more, though its answer is not known yet (a
   * produce request that waits for other replicas): their memory is given back now instead of with
   * the answer. May be called from any thread, and more than once.
   */
  default void releaseRequestBytes() {}
}
