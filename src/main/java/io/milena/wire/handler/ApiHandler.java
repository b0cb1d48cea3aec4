package io.milena.wire.handler;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * Answers one Kafka API. A handler is shared by all connections and called on the network thread of
 * the connection, so it never blocks: what must wait is a stage completed later by whoever knows
 * the answer.
 */
public interface ApiHandler {

  /** The API that this handler serves. */
  ApiKeys api();

  /** Lowest version served, and advertised unless a client expects otherwise (KAFKA-18659). */
  short minVersion();

  /** Highest version served and advertised, inclusive. */
  short maxVersion();

  /**
   * Serves one request.
   *
   * <p>The request's byte buffers are views of a network buffer that is given back when the
   * returned stage completes: a handler that needs bytes for longer copies them, and a response
   * never contains them.
   *
   * @param context who asks, in which version, and the timer of the connection
   * @param request the decoded request body, in a version from {@link #minVersion()} to {@link
   *     #maxVersion()}
   * @return the response body, written in the version of the request; {@code null} inside the stage
   *     means that the request has no response (Produce with acks 0). A stage that fails closes the
   *     connection unless the failure is an {@link org.apache.kafka.common.errors.ApiException},
   *     which becomes the API's own error response.
   */
  CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage request);

  /**
   * The answer, in version 0, to a request in a version that is not served; null closes the
   * connection. Only ApiVersions has one (KIP-511): it is how a client finds out.
   */
  default @Nullable ApiMessage answerToUnsupportedVersion() {
    return null;
  }
}
