package io.milena.http;

import akka.actor.Cancellable;
import akka.actor.typed.Scheduler;
import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.RequestContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;
import scala.concurrent.ExecutionContextExecutor;

/**
 * The Kafka APIs of this node, called from within: the same handlers that serve the Kafka
 * listeners, with the same checks and the same errors. Nothing is encoded or copied on the way.
 */
public final class KafkaApis {

  private static final String CLIENT_ID = "milena-http";
  private static final AtomicLong NEXT_ID = new AtomicLong(Long.MAX_VALUE / 2);

  private final Map<ApiKeys, ApiHandler> handlers = new EnumMap<>(ApiKeys.class);
  private final ExecutionContextExecutor executor;
  private final Scheduler timers;
  private final String listenerName;

  /**
   * @param executor runs handlers and what waits for them
   * @param listenerName clients of which listener to answer as
   */
  KafkaApis(
      Collection<ApiHandler> apis,
      ExecutionContextExecutor executor,
      Scheduler timers,
      String listenerName) {
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
