package io.milena.http;

import static akka.http.javadsl.server.Directives.complete;
import static akka.http.javadsl.server.Directives.concat;
import static akka.http.javadsl.server.Directives.get;
import static akka.http.javadsl.server.Directives.path;
import static akka.http.javadsl.server.Directives.pathPrefix;

import akka.actor.typed.ActorSystem;
import akka.http.javadsl.Http;
import akka.http.javadsl.ServerBinding;
import akka.http.javadsl.model.StatusCodes;
import akka.http.javadsl.server.Route;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;

/**
 * The HTTP port of a node. Today it answers the two questions of an orchestrator: {@code GET
 * /health/live} (the process serves HTTP) and {@code GET /health/ready} (the Kafka listeners serve;
 * 503 until then).
 */
public final class HttpPort {

  private final ServerBinding binding;

  private HttpPort(ServerBinding binding) {
    this.binding = binding;
  }

  /**
   * Binds the port.
   *
   * @param port 0 for any that is free
   * @param ready whether the node serves
   * @return fails with an {@link java.io.IOException} in its cause when the address cannot be
   *     listened on
   */
  public static CompletionStage<HttpPort> bind(
      ActorSystem<?> system, String host, int port, BooleanSupplier ready) {
    return Http.get(system).newServerAt(host, port).bind(routes(ready)).thenApply(HttpPort::new);
  }

  private static Route routes(BooleanSupplier ready) {
    return pathPrefix(
        "health",
        () ->
            get(() ->
                concat(
                    path("live", () -> complete(StatusCodes.OK, "live\n")),
                    path(
                        "ready",
                        () ->
                            ready.getAsBoolean()
                                ? complete(StatusCodes.OK, "ready\n")
                                : complete(
                                    StatusCodes.SERVICE_UNAVAILABLE,
                                    "starting: partition logs are being opened\n")))));
  }

  /** Where it listens, with the port it got. */
  public InetSocketAddress address() {
    return binding.localAddress();
  }

  /** Stops listening. */
  public CompletionStage<?> unbind() {
    return binding.unbind();
  }
}
