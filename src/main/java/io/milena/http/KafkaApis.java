package io.milena.http;

import akka.actor.Cancellable;
import akka.actor.typed.Scheduler;
import io.milena.http.peer.PeerCalls;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.RequestContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestHeader;
import scala.concurrent.ExecutionContextExecutor;

/**
 * The Kafka APIs, called from within. Those of this node are the same handlers that serve the Kafka
 * listeners, with the same checks and the same errors; nothing is encoded or copied on the way.
 * What only another node can do, which leads a partition or coordinates a group, is asked of that
 * node.
 */
public final class KafkaApis {

  private static final String CLIENT_ID = "milena-http";
  private static final AtomicLong NEXT_ID = new AtomicLong(Long.MAX_VALUE / 2);

  private final Map<ApiKeys, ApiHandler> handlers = new EnumMap<>(ApiKeys.class);
  private final ExecutionContextExecutor executor;
  private final Scheduler timers;
  private final String listenerName;
  private final int nodeId;
  private final MetadataService metadata;
  private final PeerCalls peers;

  /** For answers that are waited for: of a join, as long as a group may take to rebalance. */
  private static final Duration PEER_TIMEOUT = Duration.ofSeconds(60);

  /** How long to wait for leaders and coordinators to be there again. */
  private static final Duration UNAVAILABLE_MAX = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final byte GROUP = 0;

  /**
   * @param nodeId of this node
   * @param peers asks the others
   * @param executor runs handlers and what waits for them
   * @param listenerName clients of which listener to answer as
   */
  KafkaApis(
      int nodeId,
      MetadataService metadata,
      PeerCalls peers,
      Collection<ApiHandler> apis,
      ExecutionContextExecutor executor,
      Scheduler timers,
      String listenerName) {
    this.nodeId = nodeId;
    this.metadata = metadata;
    this.peers = peers;
    apis.forEach(handler -> handlers.put(handler.api(), handler));
    this.executor = executor;
    this.timers = timers;
    this.listenerName = listenerName;
  }

  /** Asks in the newest version that is served. */
  public <T extends ApiMessage> CompletionStage<T> call(
      ApiKeys api, ApiMessage request, Class<T> answer) {
    return call(api, handler(api).maxVersion(), request, answer);
  }

  /**
   * Asks.
   *
   * @param version by which fields of the request are read, and of the answer are filled
   * @return the answer, on one of the executor's threads; fails as the handler does
   */
  public <T extends ApiMessage> CompletionStage<T> call(
      ApiKeys api, short version, ApiMessage request, Class<T> answer) {
    Call context = new Call(new RequestHeader(api, version, CLIENT_ID, 0));
    CompletableFuture<T> result = new CompletableFuture<>();
    context.execute(() -> {
      try {
        handler(api)
            .handle(context, request)
            .whenCompleteAsync(
                (value, failure) -> {
                  if (failure != null) {
                    result.completeExceptionally(unwrapped(failure));
                  } else {
                    result.complete(answer.cast(value));
                  }
                },
                executor);
      } catch (RuntimeException failure) {
        result.completeExceptionally(failure);
      }
    });
    return result;
  }

  /** Asks a node, this one or another, in the newest version that is served here. */
  public <T extends ApiMessage> CompletionStage<T> callAt(
      int node, ApiKeys api, ApiMessage request, Class<T> answer) {
    return callAt(node, api, handler(api).maxVersion(), request, answer);
  }

  /**
   * Asks a node, this one or another.
   *
   * @return the answer, on one of the executor's threads; fails as {@link PeerCalls#call} does
   */
  public <T extends ApiMessage> CompletionStage<T> callAt(
      int node, ApiKeys api, short version, ApiMessage request, Class<T> answer) {
    return node == nodeId
        ? call(api, version, request, answer)
        : peers
            .call(node, api, version, CLIENT_ID, request, answer, PEER_TIMEOUT)
            .thenApplyAsync(value -> value, executor);
  }

  /** Asks the node that coordinates a group. */
  public <T extends ApiMessage> CompletionStage<T> callCoordinator(
      String group, ApiKeys api, ApiMessage request, Class<T> answer) {
    return callCoordinator(group, api, handler(api).maxVersion(), request, answer);
  }

  /** Asks the node that coordinates a group, in a version. */
  public <T extends ApiMessage> CompletionStage<T> callCoordinator(
      String group, ApiKeys api, short version, ApiMessage request, Class<T> answer) {
    return coordinator(group).thenCompose(node -> callAt(node, api, version, request, answer));
  }

  /**
   * The node that coordinates a group.
   *
   * @return fails with 503 while there is none
   */
  public CompletionStage<Integer> coordinator(String group) {
    FindCoordinatorRequestData request =
        new FindCoordinatorRequestData().setKeyType(GROUP).setCoordinatorKeys(List.of(group));
    return call(ApiKeys.FIND_COORDINATOR, request, FindCoordinatorResponseData.class)
        .thenApply(response -> {
          FindCoordinatorResponseData.Coordinator found = response.coordinators().getFirst();
          Errors error = Errors.forCode(found.errorCode());
          if (error != Errors.NONE) {
            throw HttpFailure.of(
                error, "group " + group + " has no coordinator now: " + error.message());
          }
          return found.nodeId();
        });
  }

  /** The node that leads a partition; empty while there is none, or for what there is not. */
  public OptionalInt leader(TopicPartition partition) {
    MetadataImage image = metadata.image();
    TopicImage topic = image.topic(partition.topic());
    if (topic == null || partition.partition() >= topic.partitions().size()) {
      return OptionalInt.empty();
    }
    int leader = image.replicaSetOf(topic.partitions().get(partition.partition())).leader();
    return leader == ReplicaSetImage.NO_LEADER ? OptionalInt.empty() : OptionalInt.of(leader);
  }

  /** Whether there is a topic of this id. */
  public boolean isTopic(Uuid topicId) {
    return metadata.image().topic(topicId) != null;
  }

  /** This node's id. */
  public int nodeId() {
    return nodeId;
  }

  /** Every node that serves. */
  public List<Integer> liveNodes() {
    return metadata.image().nodes().values().stream()
        .filter(node -> !node.fenced())
        .map(NodeImage::id)
        .sorted()
        .toList();
  }

  /**
   * Asks again for as long as a leader or coordinator is not there: while one node takes over from
   * another, for at most {@code UNAVAILABLE_MAX}. For what may be asked twice.
   */
  public <T> CompletionStage<T> retrying(Supplier<CompletionStage<T>> call) {
    CompletableFuture<T> result = new CompletableFuture<>();
    attempt(call, result, System.nanoTime() + UNAVAILABLE_MAX.toNanos());
    return result;
  }

  private <T> void attempt(
      Supplier<CompletionStage<T>> call, CompletableFuture<T> result, long deadlineNanos) {
    CompletionStage<T> tried;
    try {
      tried = call.get();
    } catch (RuntimeException failure) {
      tried = CompletableFuture.failedFuture(failure);
    }
    tried.whenComplete((value, thrown) -> {
      if (thrown == null) {
        result.complete(value);
        return;
      }
      Throwable failure = unwrapped(thrown);
      if (isUnavailable(failure) && System.nanoTime() - deadlineNanos < 0) {
        after(PAUSE, () -> attempt(call, result, deadlineNanos));
      } else {
        result.completeExceptionally(failure);
      }
    });
  }

  private static boolean isUnavailable(Throwable failure) {
    return failure instanceof RetriableException
        || (failure instanceof HttpFailure http && http.status() == 503);
  }

  /** Runs a task on the executor after a while. */
  public void after(Duration delay, Runnable task) {
    var _ = timers.scheduleOnce(delay, task, executor);
  }

  private static Throwable unwrapped(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private ApiHandler handler(ApiKeys api) {
    ApiHandler handler = handlers.get(api);
    if (handler == null) {
      throw new IllegalStateException("this node does not serve " + api.name);
    }
    return handler;
  }

  /** One call in place of a connection: what runs for it runs one at a time. */
  private final class Call implements RequestContext {

    private final RequestHeader header;
    private final long id = NEXT_ID.incrementAndGet();
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private boolean running;

    Call(RequestHeader header) {
      this.header = header;
    }

    @Override
    public RequestHeader header() {
      return header;
    }

    @Override
    public String principal() {
      return "User:ANONYMOUS";
    }

    @Override
    public InetSocketAddress clientAddress() {
      return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Override
    public long connectionId() {
      return id;
    }

    @Override
    public String listenerName() {
      return listenerName;
    }

    @Override
    public TimerTask schedule(long delayMs, Runnable task) {
      Cancellable timer =
          timers.scheduleOnce(Duration.ofMillis(delayMs), () -> execute(task), executor);
      return timer::cancel;
    }

    @Override
    public void execute(Runnable task) {
      synchronized (tasks) {
        tasks.add(task);
        if (running) {
          return;
        }
        running = true;
      }
      executor.execute(this::drain);
    }

    private void drain() {
      while (true) {
        Runnable next;
        synchronized (tasks) {
          next = tasks.poll();
          if (next == null) {
            running = false;
            return;
          }
        }
        next.run();
      }
    }

    @Override
    public void onClose(Runnable task) {
      // Nobody hangs up on a call from within: it is answered, or times out by itself.
    }
  }
}
