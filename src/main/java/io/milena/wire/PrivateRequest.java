package io.milena.wire;

import io.milena.wire.handler.MalformedFrameException;
import io.milena.wire.handler.PrivateAnswer;
import io.milena.wire.handler.PrivateApi;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/** A request of one of Milena's own APIs. Nothing of its bytes is held once it is started. */
final class PrivateRequest extends InFlightRequest<PrivateAnswer> {
  /** Key, version and correlation id. */
  static final int HEADER_BYTES = 2 + 2 + 4;

  final PrivateApi api;
  final short version;
  final int correlationId;

  PrivateRequest(Connection connection, PrivateApi api, short version, int correlationId) {
    super(connection);
    this.api = api;
    this.version = version;
    this.correlationId = correlationId;
  }

  void start(ByteBuffer body) throws MalformedFrameException {
    CompletableFuture<? extends PrivateAnswer> future;
    try {
      future = api.handle(this, version, body).toCompletableFuture();
    } catch (RuntimeException e) {
      fail(e);
      return;
    }
    await(future);
  }

  @Override
  boolean isProduce() {
    return false;
  }

  @Override
  void releaseBytes() {}

  @Override
  public String toString() {
    return api.name() + " v" + version + " (correlation id " + correlationId + ")";
  }
}
