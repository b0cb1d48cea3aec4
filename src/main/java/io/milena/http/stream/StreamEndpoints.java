package io.milena.http.stream;

import akka.NotUsed;
import akka.http.javadsl.model.AttributeKeys;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.RawHeader;
import akka.http.javadsl.model.ws.Message;
import akka.http.javadsl.model.ws.WebSocketUpgrade;
import akka.stream.javadsl.Flow;
import akka.stream.javadsl.Sink;
import akka.stream.javadsl.Source;
import io.milena.http.Endpoint;
import io.milena.http.Exchange;
import io.milena.http.HttpFailure;
import io.milena.http.HttpNode;
import io.milena.http.PartitionOffsets;
import io.milena.http.group.GroupMembers;
import io.milena.http.group.Groups;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.TopicImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.TopicPartition;

/**
 * {@code GET /stream}: topics as Server-Sent Events, NDJSON or WebSocket, whichever the client asks
 * for.
 */
public final class StreamEndpoints {

  private static final String COMMITTED = "committed";

  /** One stream reads no more partitions than this. */
  private static final int PARTITIONS_MAX = 10_000;

  private final StreamContext context;
  private final PartitionOffsets offsets;

  /**
   * @param feeds partitions to read
   * @param executor runs what wakes streams whose topics change
   */
  public StreamEndpoints(
      HttpNode node,
      Feeds feeds,
      PartitionOffsets offsets,
      GroupMembers members,
      Executor executor) {
    this.context =
        new StreamContext(
            node,
            feeds,
            new TopicWatch(node.metadata(), executor),
            members,
            new AtomicInteger(),
            new LongAdder());
    this.offsets = offsets;
  }

  /** What it serves. */
  public List<Endpoint> endpoints() {
    return List.of(new Endpoint("GET", "/stream", this::stream));
  }

  /** Streams that are open now. */
  public int open() {
    return context.open().get();
  }

  /** Records that were sent. */
  public long records() {
    return context.records().sum();
  }

  private CompletionStage<HttpResponse> stream(Exchange exchange) {
    return committed(exchange)
        .thenCompose(committed -> plan(exchange, committed))
        .thenApply(plan -> stream(exchange, plan));
  }

  private CompletionStage<Map<TopicPartition, Groups.Committed>> committed(Exchange exchange) {
    if (!exchange.query("from").equals(Optional.of(COMMITTED))) {
      return CompletableFuture.completedFuture(Map.of());
    }
    String group =
        exchange
            .query("group")
            .orElseThrow(() -> HttpFailure.badRequest("from=committed: say by which group"));
    return context.members().groups().committed(group, null);
  }

  private HttpResponse stream(Exchange exchange, StreamPlan plan) {
    RecordJson.Values values =
        switch (exchange.query("value").orElse("text")) {
          case "text" -> RecordJson.Values.TEXT;
          case "json" -> RecordJson.Values.JSON;
          default -> throw HttpFailure.badRequest("value is text or json");
        };
    Optional<WebSocketUpgrade> upgrade =
        exchange.request().getAttribute(AttributeKeys.webSocketUpgrade);
    if (upgrade.isPresent()) {
      Source<Message, NotUsed> messages =
          Source.fromGraph(new RecordSource<>(context, plan, () -> new MessageEncoder(values)))
              .mapConcat(each -> each);
      return upgrade
          .get()
          .handleMessagesWith(Flow.fromSinkAndSourceCoupled(Sink.ignore(), messages));
    }
    Framing framing = framing(exchange);
    if (plan.follow()) {
      exchange.socket().endless();
    }
    HttpResponse response =
        HttpResponse.create()
            .addHeader(RawHeader.create("Cache-Control", "no-store"))
            .addHeader(RawHeader.create("X-Accel-Buffering", "no"));
    return response.withEntity(
        HttpEntities.createChunked(
            ContentTypes.parse(framing.mediaType()),
            Source.fromGraph(
                new RecordSource<>(context, plan, () -> new TextEncoder(framing, values)))));
  }

  private static Framing framing(Exchange exchange) {
    String wanted = exchange.query("as").orElse("");
    return switch (wanted) {
      case "sse" -> Framing.SSE;
      case "ndjson" -> Framing.NDJSON;
      case "" ->
          exchange.header("Accept").filter(a -> a.contains(Framing.SSE.mediaType())).isPresent()
              ? Framing.SSE
              : Framing.NDJSON;
      default -> throw HttpFailure.badRequest("as is sse or ndjson");
    };
  }

  /**
   * @param committed where partitions begin that {@code from} says nothing of
   */
  private CompletionStage<StreamPlan> plan(
      Exchange exchange, Map<TopicPartition, Groups.Committed> committed) {
    TopicSelection topics = TopicSelection.parse(exchange.queryAll("topics"));
    MetadataImage image = context.node().metadata().image();
    topics.check(image);
    boolean committedOnly =
        switch (exchange.query("isolation").orElse("read_uncommitted")) {
          case "read_committed" -> true;
          case "read_uncommitted" -> false;
          default ->
              throw HttpFailure.badRequest("isolation is read_committed or read_uncommitted");
        };
    // A browser that comes again sends where it was; so that wins over where it once began.
    Map<TopicPartition, Long> resumed =
        Positions.parse(
            exchange.header("Last-Event-ID").or(() -> exchange.query("position")).orElse(""));
    StartAt from =
        exchange
            .query("from")
            .map(text -> text.equals(COMMITTED) ? new StartAt.Earliest() : StartAt.parse(text))
            .orElse(resumed.isEmpty() ? new StartAt.Latest() : new StartAt.Earliest());
    // A partition that has come while a reader was away begins with its first record.
    StartAt otherwise = resumed.isEmpty() ? from : new StartAt.Earliest();
    Map<TopicPartition, Long> begin = new HashMap<>();
    List<TopicPartition> elsewhere = new ArrayList<>();
    List<TopicPartition> toAsk = new ArrayList<>();
    for (TopicImage topic : topics.in(image)) {
      for (int i = 0; i < topic.partitions().size(); i++) {
        if (begin.size() + toAsk.size() == PARTITIONS_MAX) {
          throw HttpFailure.badRequest(
              "the topics have more than " + PARTITIONS_MAX + " partitions: use several streams");
        }
        TopicPartition partition = new TopicPartition(topic.name(), i);
        Feed feed = context.feeds().find(topic, i);
        if (feed instanceof RemoteFeed) {
          elsewhere.add(partition);
        }
        Long known = resumed.get(partition);
        Groups.Committed done = committed.get(partition);
        if (known != null) {
          begin.put(partition, known);
        } else if (done != null && resumed.isEmpty()) {
          begin.put(partition, done.offset());
        } else if (feed instanceof LocalFeed local) {
          begin.put(partition, first(otherwise, local, committedOnly));
        } else {
          toAsk.add(partition);
        }
      }
    }
    boolean follow = exchange.queryFlag("follow", true);
    return otherwise
        .in(offsets, toAsk, committedOnly)
        .thenCombine(
            follow
                ? CompletableFuture.completedFuture(Map.<TopicPartition, Long>of())
                : offsets.at(elsewhere, PartitionOffsets.LATEST, committedOnly),
            (first, ends) -> {
              begin.putAll(first);
              return new StreamPlan(
                  topics,
                  Map.copyOf(begin),
                  ends,
                  RecordFilter.of(exchange.queryAll("key"), exchange.queryAll("header")),
                  committedOnly,
                  exchange.query("limit").isPresent()
                      ? OptionalLong.of(exchange.queryLong("limit", 0, 1, Long.MAX_VALUE))
                      : OptionalLong.empty(),
                  exchange.queryFlag("share", true) ? exchange.query("group").orElse("") : "",
                  follow);
            });
  }

  private static long first(StartAt from, LocalFeed feed, boolean committedOnly) {
    try {
      return from.in(feed.replica().view(), LocalFeed.bound(committedOnly));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
