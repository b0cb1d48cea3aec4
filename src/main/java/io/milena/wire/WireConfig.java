package io.milena.wire;

/**
 * Settings of the Kafka listeners, under Kafka's names where Kafka has one.
 *
 * @param networkThreads {@code num.network.threads}: event loops, 1 or more
 * @param sendBufferBytes {@code socket.send.buffer.bytes}; -1 leaves it to the operating system
 * @param receiveBufferBytes {@code socket.receive.buffer.bytes}; -1 leaves it to the operating
 *     system
 * @param backlog {@code socket.listen.backlog.size}: connections the kernel holds before they are
 *     accepted
 * @param requestMaxBytes {@code socket.request.max.bytes}: largest frame, inclusive, without its
 *     size field
 * @param queuedRequestMaxBytes {@code queued.max.request.bytes}: when requests being read or served
 *     hold this much memory in the node, connections wait to be read
 * @param idleMaxMs {@code connections.max.idle.ms}: a connection without traffic and without a
 *     request being served is closed after this time; -1 for never
 * @param connections how many of them, until {@link KafkaServer#limit} says otherwise
 */
public record WireConfig(
    int networkThreads,
    int sendBufferBytes,
    int receiveBufferBytes,
    int backlog,
    int requestMaxBytes,
    long queuedRequestMaxBytes,
    long idleMaxMs,
    ConnectionLimits connections) {

  /** Kafka's default of both socket buffers. */
  public static final int SOCKET_BUFFER_BYTES_DEFAULT = 100 * 1024;

  /** Kafka's default of {@code socket.request.max.bytes}. */
  public static final int REQUEST_MAX_BYTES_DEFAULT = 100 * 1024 * 1024;

  /**
   * Kafka's default is no bound; here it is what 40 producers with five full batches in flight
   * need.
   */
  public static final long QUEUED_REQUEST_MAX_BYTES_DEFAULT = 200L * 1024 * 1024;

  /** Kafka's default of {@code connections.max.idle.ms}. */
  public static final long IDLE_MAX_MS_DEFAULT = 600_000;

  public WireConfig {
    atLeast("num.network.threads", networkThreads, 1);
    atLeast("socket.send.buffer.bytes", sendBufferBytes, -1);
    atLeast("socket.receive.buffer.bytes", receiveBufferBytes, -1);
    atLeast("socket.listen.backlog.size", backlog, 1);
    atLeast("socket.request.max.bytes", requestMaxBytes, 1);
    atLeast("queued.max.request.bytes", queuedRequestMaxBytes, 1);
    atLeast("connections.max.idle.ms", idleMaxMs, -1);
  }

  /**
   * Kafka's defaults, and one event loop for two cores: work that goes from one loop to another
   * costs more than what a second loop brings (performance.md).
   */
  public static WireConfig defaults() {
    return new WireConfig(
        Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
        SOCKET_BUFFER_BYTES_DEFAULT,
        SOCKET_BUFFER_BYTES_DEFAULT,
        50,
        REQUEST_MAX_BYTES_DEFAULT,
        QUEUED_REQUEST_MAX_BYTES_DEFAULT,
        IDLE_MAX_MS_DEFAULT,
        ConnectionLimits.NONE);
  }

  static void atLeast(String name, long value, long min) {
    if (value < min) {
      throw new IllegalArgumentException(name + " is " + value + "; it must be at least " + min);
    }
  }
}
