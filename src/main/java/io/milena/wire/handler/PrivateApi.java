package io.milena.wire.handler;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;

/**
 * Answers one of the APIs by which Milena's nodes talk to each other, on the Kafka listeners. Their
 * keys lie far above Kafka's, whose codec never sees these frames:
 *
 * <pre>
 * request   int32 size | int16 key | int16 version | int32 correlation id | body
 * answer    int32 size | int32 correlation id | body
 * </pre>
 *
 * <p>Sizes do not count themselves; integers are big-endian. A connection answers these requests in
 * order with its others, one at a time; requests without an answer do not wait. A handler is shared
 * by all connections and called on the network thread of the connection, so it never blocks.
 */
public interface PrivateApi {

  /** Lowest key of a private API. */
  short KEY_MIN = 0x4D00;

  /** Highest key of a private API, inclusive. */
  short KEY_MAX = 0x4DFF;

  /** {@link io.milena.wire.PrivateClient}: what a node tells one that wants to join its cluster. */
  short CLUSTER_INFO = 0x4D00;

  /** One round of replication, asked for by a follower's node: see the package wire.exchange. */
  short EXCHANGE = 0x4D01;

  /** What a follower's node has to say between rounds. */
  short EXCHANGE_UPDATE = 0x4D02;

  /** Where clients reach the node by HTTP, if they do. */
  short HTTP_ADDRESS = 0x4D03;

  /** Whether a frame of this API key is Milena's own. */
  static boolean isPrivate(short key) {
    return key >= KEY_MIN && key <= KEY_MAX;
  }

  /** The API that this handler serves, from {@link #KEY_MIN} to {@link #KEY_MAX}. */
  short key();

  /** Its name, for logs. */
  String name();

  /** Lowest version served. */
  short minVersion();

  /** Highest version served, inclusive. */
  short maxVersion();

  /**
   * Whether requests have no answer: such a request is served at once, also while another one waits
   * for its answer, and what {@link #handle} returns is not looked at.
   */
  default boolean isOneWay() {
    return false;
  }

  /**
   * Serves one request.
   *
   * @param version from {@link #minVersion()} to {@link #maxVersion()}
   * @param body the request from its position to its limit, which are the handler's to move; it is
   *     a view of a network buffer and valid during this call only
   * @return the answer, now or later. A stage that fails closes the connection.
   * @throws MalformedFrameException when the body is not one of this API: the connection is closed
   *     with one log line
   */
  CompletionStage<? extends PrivateAnswer> handle(
      ConnectionContext context, short version, ByteBuffer body) throws MalformedFrameException;
}
