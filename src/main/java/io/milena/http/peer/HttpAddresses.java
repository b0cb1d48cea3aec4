package io.milena.http.peer;

import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.wire.PrivateClient;
import io.milena.wire.handler.PrivateApi;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where clients reach the other nodes by HTTP. Asked each time: it is for what is rare. */
public final class HttpAddresses {

  private static final Logger LOG = LoggerFactory.getLogger(HttpAddresses.class);
  private static final short VERSION = 0;
  private static final int TIMEOUT_MS = 2_000;

  private final MetadataService metadata;

  public HttpAddresses(MetadataService metadata) {
    this.metadata = metadata;
  }

  /**
   * The first of some nodes that serves HTTP.
   *
   * @param nodeIds in the order in which to ask them
   * @return {@code HOST:PORT}; empty when none of them serves
   */
  public CompletionStage<Optional<String>> firstOf(List<Integer> nodeIds) {
    CompletableFuture<Optional<String>> found = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("milena-http-addresses")
        .start(() ->
            found.complete(nodeIds.stream().map(this::ask).flatMap(Optional::stream).findFirst()));
    return found;
  }

  private Optional<String> ask(int nodeId) {
    NodeImage node = metadata.image().nodes().get(nodeId);
    if (node == null || node.fenced()) {
      return Optional.empty();
    }
    NodeImage.Endpoint endpoint = node.endpoints().getFirst();
    try {
      ByteBuffer answer =
          PrivateClient.ask(
              new InetSocketAddress(endpoint.host(), endpoint.port()),
              PrivateApi.HTTP_ADDRESS,
              VERSION,
              ByteBuffer.allocate(0),
              TIMEOUT_MS);
      return Optional.of(StandardCharsets.UTF_8.decode(answer).toString())
          .filter(address -> !address.isEmpty());
    } catch (IOException failure) {
      LOG.debug("node {} does not say where it serves HTTP: {}", nodeId, failure.toString());
      return Optional.empty();
    }
  }
}
