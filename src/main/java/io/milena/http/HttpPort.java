package io.milena.http;

import akka.NotUsed;
import akka.actor.typed.ActorSystem;
import akka.http.javadsl.Http;
import akka.http.javadsl.model.HttpRequest;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.settings.ServerSettings;
import akka.stream.ActorAttributes;
import akka.stream.Materializer;
import akka.stream.SystemMaterializer;
import akka.stream.TLSProtocol.SslTlsInbound;
import akka.stream.TLSProtocol.SslTlsOutbound;
import akka.stream.javadsl.BidiFlow;
import akka.stream.javadsl.Flow;
import akka.stream.javadsl.TLSPlacebo;
import akka.util.ByteString;
import io.milena.http.metrics.NodeMetrics;
import io.milena.http.segments.SegmentEndpoints;
import io.milena.http.stream.StreamEndpoints;
import io.milena.http.transport.HttpLoop;
import io.milena.http.transport.HttpSocket;
import io.milena.http.transport.SocketStage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import scala.concurrent.ExecutionContextExecutor;

/**
 * The HTTP port of a node: Akka HTTP over our own sockets, so that segment files go out by {@code
 * transferTo}. docs/http.md says what it serves.
 */
public final class HttpPort {

  /** Threads of its own, so that what HTTP does delays nothing else. */
  private static final String DISPATCHER = "milena.http-dispatcher";

  /** No TLS. What it yields, SessionBytes, is one of the SslTlsInbound that the layer takes. */
  @SuppressWarnings("unchecked")
  private static final BidiFlow<SslTlsOutbound, ByteString, ByteString, SslTlsInbound, NotUsed>
      PLAIN =
          (BidiFlow<SslTlsOutbound, ByteString, ByteString, SslTlsInbound, NotUsed>)
              (BidiFlow<SslTlsOutbound, ByteString, ByteString, ?, NotUsed>)
                  TLSPlacebo.getInstance();

  private final HttpLoop loop;
  private final Router router;

  private HttpPort(HttpLoop loop, Router router) {
    this.loop = loop;
    this.router = router;
  }

  /**
   * Listens and serves.
   *
   * @throws IOException when the address cannot be listened on
   */
  public static HttpPort bind(ActorSystem<?> system, HttpSettings settings, HttpNode node)
      throws IOException {
    Materializer materializer = SystemMaterializer.get(system).materializer();
    ExecutionContextExecutor executor =
        system.dispatchers().lookup(akka.actor.typed.DispatcherSelector.fromConfig(DISPATCHER));
    NodeMetrics metrics = new NodeMetrics(node);
    List<Endpoint> endpoints = new ArrayList<>(HealthEndpoints.of(node));
    endpoints.addAll(metrics.endpoints());
    endpoints.addAll(new SegmentEndpoints(node).endpoints());
    StreamEndpoints streams = new StreamEndpoints(node, executor);
    endpoints.addAll(streams.endpoints());
    metrics.streams(streams::open, streams::records);
    Router router = new Router(endpoints, metrics, new Cors(settings.corsOrigins()), materializer);
    BidiFlow<HttpResponse, ByteString, ByteString, HttpRequest, NotUsed> layer = layer(system);
    HttpLoop loop =
        HttpLoop.bind(
            address(settings),
            settings.limits(),
            node.clock(),
            socket -> executor.execute(() -> serve(socket, router, layer, materializer)));
    metrics.connections(loop::connections);
    loop.start();
    return new HttpPort(loop, router);
  }

  private static InetSocketAddress address(HttpSettings settings) throws IOException {
    return settings.host().isEmpty()
        ? new InetSocketAddress(settings.port())
        : new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port());
  }

  private static BidiFlow<HttpResponse, ByteString, ByteString, HttpRequest, NotUsed> layer(
      ActorSystem<?> system) {
    BidiFlow<HttpResponse, SslTlsOutbound, SslTlsInbound, HttpRequest, NotUsed> http =
        Http.get(system).serverLayer(ServerSettings.create(system.settings().config()));
    return http.atop(PLAIN);
  }

  private static void serve(
      HttpSocket socket,
      Router router,
      BidiFlow<HttpResponse, ByteString, ByteString, HttpRequest, NotUsed> layer,
      Materializer materializer) {
    Flow<HttpRequest, HttpResponse, NotUsed> handler =
        Flow.of(HttpRequest.class).mapAsync(1, request -> router.handle(request, socket));
    handler
        .join(layer)
        .join(Flow.fromGraph(new SocketStage(socket)))
        .withAttributes(ActorAttributes.dispatcher(DISPATCHER))
        .run(materializer);
  }

  /** Where it listens, with the port it got. */
  public InetSocketAddress address() {
    return loop.address();
  }

  /** What it serves. */
  List<Endpoint> endpoints() {
    return router.endpoints();
  }

  /** Stops listening and ends the connections. */
  public void stop() {
    loop.stop();
  }
}
