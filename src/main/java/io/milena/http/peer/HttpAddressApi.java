package io.milena.http.peer;

import io.milena.wire.handler.ConnectionContext;
import io.milena.wire.handler.PrivateAnswer;
import io.milena.wire.handler.PrivateApi;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * HTTP_ADDRESS: tells another node where clients reach this one by HTTP. The answer is {@code
 * HOST:PORT} in UTF-8, empty for a node without an HTTP port.
 */
public final class HttpAddressApi implements PrivateApi {

  private final Supplier<String> address;

  /**
   * @param address as clients reach it, such as {@code node-1.example:8080}, or empty
   */
  public HttpAddressApi(Supplier<String> address) {
    this.address = address;
  }

  @Override
  public short key() {
    return HTTP_ADDRESS;
  }

  @Override
  public String name() {
    return "HTTP_ADDRESS";
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 0;
  }

  @Override
  public CompletionStage<? extends PrivateAnswer> handle(
      ConnectionContext context, short version, ByteBuffer body) {
    return CompletableFuture.completedStage(
        PrivateAnswer.of(address.get().getBytes(StandardCharsets.UTF_8)));
  }
}
