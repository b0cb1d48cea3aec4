package io.milena.wire;

import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.RequestContext;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;

/** A request of a Kafka API. */
final class Request extends InFlightRequest<ApiMessage> implements RequestContext {
  static final String ANONYMOUS = "User:ANONYMOUS";

  final RequestHeader header;
  final ApiMessage body;

  /** When the round of the loop began that read it. */
  final long readNanos;

  private final AtomicReference<@Nullable PooledBuffer> memory = new AtomicReference<>();

  Request(Connection connection, RequestHeader header, ApiMessage body) {
    super(connection);
    this.header = header;
    this.body = body;
    this.readNanos = connection.loop.nowNanos();
  }

  /**
   * Calls the handler.
   *
   * @param views the memory that the decoded body points into, held while the answer is not known;
   *     null when it points nowhere
   */
  void start(ApiHandler handler, @Nullable PooledBuffer views) {
    if (views != null) {
      // Before the handler runs: its stage may complete, and release, on another thread at once.
      memory.setPlain(views.retain());
    }
    CompletableFuture<? extends ApiMessage> future;
    try {
      future = handler.handle(this, body).toCompletableFuture();
    } catch (RuntimeException e) {
      fail(e);
      return;
    } catch (Error e) {
      releaseRequestBytes();
      throw e;
    }
    await(future);
  }

  @Override
  boolean isProduce() {
    return header.apiKey() == ApiKeys.PRODUCE;
  }

  @Override
  void releaseBytes() {
    releaseRequestBytes();
  }

  @Override
  public RequestHeader header() {
    return header;
  }

  @Override
  public String principal() {
    return ANONYMOUS;
  }

  @Override
  public void releaseRequestBytes() {
    if (memory.get() != null) {
      PooledBuffer held = memory.getAndSet(null);
      if (held != null) {
        held.release();
      }
    }
  }

  @Override
  public String toString() {
    return header.apiKey().name
        + " v"
        + header.apiVersion()
        + " (correlation id "
        + header.correlationId()
        + ")";
  }
}
