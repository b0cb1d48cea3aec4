package io.milena.wire.handler;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.RequestHeader;

/**
 * A connection without a network. Requests and responses pass through their codec in the version
 * asked for, so that a message which cannot be written fails the test. Time passes when told to.
 */
final class TestConnection {

  private final String listener;
  private final List<Timer> timers = new ArrayList<>();
  private long nowMs;
  private int releases;

  TestConnection(String listener) {
    this.listener = listener;
  }

  static TestConnection onInsideListener() {
    return new TestConnection(DirectMetadata.LISTENER);
  }

  private static final class Timer implements ConnectionContext.TimerTask {
    private final long dueMs;
    private final Runnable task;
    private boolean over;

    Timer(long dueMs, Runnable task) {
      this.dueMs = dueMs;
      this.task = task;
    }

    @Override
    public void cancel() {
      over = true;
    }

    void runIfDue(long nowMs) {
      if (!over && dueMs <= nowMs) {
        over = true;
        task.run();
      }
    }
  }

  /** Lets time pass: timers that come due run. */
  void advance(long ms) {
    nowMs += ms;
    List.copyOf(timers).forEach(timer -> timer.runIfDue(nowMs));
  }

  /** How often a handler has said that it needs a request's bytes no more. */
  int releases() {
    return releases;
  }

  /** Timers neither cancelled nor run. */
  long pendingTimers() {
    return timers.stream().filter(timer -> !timer.over).count();
  }

  /** The response to a request that is answered at once. */
  <R extends ApiMessage> R ask(ApiHandler handler, int version, ApiMessage request) {
    CompletionStage<R> stage = askLater(handler, version, request);
    if (!stage.toCompletableFuture().isDone()) {
      throw new AssertionError("no answer yet to " + request);
    }
    return stage.toCompletableFuture().join();
  }

  /** The response to a request, whenever it comes. */
  @SuppressWarnings("unchecked")
  <R extends ApiMessage> CompletionStage<R> askLater(
      ApiHandler handler, int version, ApiMessage request) {
    short v = (short) version;
    ApiKeys api = handler.api();
    ApiMessage decoded = api.messageType.newRequest();
    decoded.read(MessageUtil.toByteBufferAccessor(request, v), v);
    return handler
        .handle(context(api, v), decoded)
        .thenApply(response -> {
          ApiMessage written = api.messageType.newResponse();
          written.read(MessageUtil.toByteBufferAccessor(response, v), v);
          return (R) written;
        });
  }

  private RequestContext context(ApiKeys api, short version) {
    return new RequestContext() {
      private final RequestHeader header = new RequestHeader(api, version, "client-7", 1);

      @Override
      public RequestHeader header() {
        return header;
      }

      @Override
      public InetSocketAddress clientAddress() {
        return InetSocketAddress.createUnresolved("client", 40_000);
      }

      @Override
      public long connectionId() {
        return 1;
      }

      @Override
      public String principal() {
        return "User:ANONYMOUS";
      }

      @Override
      public String listenerName() {
        return listener;
      }

      @Override
      public TimerTask schedule(long delayMs, Runnable task) {
        Timer timer = new Timer(nowMs + delayMs, task);
        timers.add(timer);
        return timer;
      }

      @Override
      public void execute(Runnable task) {
        task.run();
      }

      @Override
      public void onClose(Runnable task) {}

      @Override
      public void releaseRequestBytes() {
        releases++;
      }

      @Override
      public void closeConnection(String reason) {
        throw new AssertionError("connection closed: " + reason);
      }
    };
  }
}
