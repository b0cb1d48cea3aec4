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
import io.milena.http.group.GroupMembers;
import io.milena.http.metrics.NodeMetrics;
import io.milena.http.peer.HttpAddresses;
import io.milena.http.peer.PeerCalls;
import io.milena.http.produce.ProduceSocket;
import io.milena.http.produce.RecordProducer;
import io.milena.http.rest.ClusterV3;
import io.milena.http.rest.ConfigsV3;
import io.milena.http.rest.ConsumersV2;
import io.milena.http.rest.GroupAdminV3;
import io.milena.http.rest.GroupsV3;
import io.milena.http.rest.ReassignmentsV3;
import io.milena.http.rest.RecordsV3;
import io.milena.http.rest.TopicsV2;
import io.milena.http.segments.SegmentEndpoints;
import io.milena.http.stream.Feeds;
import io.milena.http.stream.RemoteFeeds;
import io.milena.http.stream.StreamEndpoints;
import io.milena.http.stream.ViewHub;
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

  /** As clients of which listener the port asks. */
  private static final String KAFKA_LISTENER = "PLAINTEXT";

  /** No TLS. What it yields, SessionBytes, is one of the SslTlsInbound that the layer takes. */
  @SuppressWarnings("unchecked")
  private static final BidiFlow<SslTlsOutbound, ByteString, ByteString, SslTlsInbound, NotUsed>
      PLAIN =
          (BidiFlow<SslTlsOutbound, ByteString, ByteString, SslTlsInbound, NotUsed>)
              (BidiFlow<SslTlsOutbound, ByteString, ByteString, ?, NotUsed>)
                  TLSPlacebo.getInstance();

  private final HttpLoop loop;
  private final PeerCalls peers;
  private final Router router;

  private HttpPort(HttpLoop loop, PeerCalls peers, Router router) {
    this.loop = loop;
    this.peers = peers;
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
    PeerCalls peers = new PeerCalls(node.metadata());
    KafkaApis apis =
        new KafkaApis(
            node.identity().nodeId(),
            node.metadata(),
            peers,
            node.apis(),
            executor,
            system.scheduler(),
            KAFKA_LISTENER);
    Bodies bodies = new Bodies(materializer);
    RecordProducer producer = new RecordProducer(node, apis);
    GroupMembers members = new GroupMembers(apis, node.metadata(), system.scheduler(), executor);
    NodeMetrics metrics = new NodeMetrics(node, apis, members.groups());
    PartitionOffsets offsets = new PartitionOffsets(apis);
    Feeds feeds = new Feeds(node, new ViewHub(executor), new RemoteFeeds(apis, node.metadata()));
    StreamEndpoints streams = new StreamEndpoints(node, feeds, offsets, members, executor);
    Partitions partitions = new Partitions(node, new HttpAddresses(node.metadata()));
    metrics.streams(streams::open, streams::records);
    List<Endpoint> endpoints = new ArrayList<>(HealthEndpoints.of(node));
    endpoints.addAll(OpenApi.endpoints());
    endpoints.addAll(metrics.endpoints());
    List<Endpoint> whenReady = new ArrayList<>(new SegmentEndpoints(partitions).endpoints());
    whenReady.addAll(streams.endpoints());
    whenReady.addAll(new ProduceSocket(producer, materializer).endpoints());
    whenReady.addAll(new ClusterV3(node, apis, bodies).endpoints());
    whenReady.addAll(new ReassignmentsV3(node, apis, bodies).endpoints());
    whenReady.addAll(new GroupAdminV3(node, members.groups(), offsets, bodies).endpoints());
    whenReady.addAll(new ConfigsV3(node, apis, bodies).endpoints());
    whenReady.addAll(new GroupsV3(node, members.groups(), offsets).endpoints());
    whenReady.addAll(new RecordsV3(node, producer).endpoints());
    whenReady.addAll(new TopicsV2(node, bodies, producer, offsets).endpoints());
    whenReady.addAll(
        new ConsumersV2(node, members, bodies, feeds, offsets, system.scheduler(), executor)
            .endpoints());
    whenReady.forEach(endpoint -> endpoints.add(onceReady(endpoint, node)));
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
    return new HttpPort(loop, peers, router);
  }

  /** While logs are being recovered, what needs them is told to come again. */
  private static Endpoint onceReady(Endpoint endpoint, HttpNode node) {
    return new Endpoint(
        endpoint.method(),
        endpoint.pattern(),
        exchange -> {
          if (!node.readiness().get().ready()) {
            throw new HttpFailure(503, 503, "the node is starting: see GET /health/ready");
          }
          return endpoint.handler().handle(exchange);
        });
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

  /** What it serves, each as {@code METHOD /path}. */
  public List<String> served() {
    return router.endpoints().stream()
        .map(endpoint -> endpoint.method() + " " + endpoint.pattern())
        .toList();
  }

  /** Stops listening and ends the connections. */
  public void stop() {
    loop.stop();
    peers.close();
  }
}
