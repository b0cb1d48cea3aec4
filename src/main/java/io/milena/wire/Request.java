package io.milena.wire;

import io.milena.wire.handler.ApiHandler;
import io.milena.wire.handler.RequestContext;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;

/**
 * A request from its start to its answer, and what its handler sees of the connection. One object
 * in three roles, so that a request costs one allocation: the context, the callback of the
 * handler's stage, and the task that brings an answer from another thread to the loop.
 */
final class Request implements RequestContext, BiConsumer<ApiMessage, Throwable>, Runnable {
  static final String ANONYMOUS = "User:ANONYMOUS";

  final Connection connection;
  final RequestHeader header;
  final ApiMessage body;

  // Written by the thread that completes the stage, read by the loop after it has taken the task.
  @Nullable ApiMessage response;
  @Nullable Throwable failure;

  /** Whether the answer is known; loop thread only. */
  boolean complete;

  volatile @Nullable String closeReason;

  private final AtomicReference<@Nullable PooledBuffer> memory = new AtomicReference<>();
  private @Nullable ArrayList<Runnable> closeTasks;

  Request(Connection connection, RequestHeader header, ApiMessage body) {
    this.connection = connection;
    this.header = header;
    this.body = body;
  }

  /**
   * Calls the handler.
   *
   * @param views the memory that the decoded body points into, held while the answer is not known;
   *     null when it points nowhere
   */
  void start(ApiHandler handler, @Nullable PooledBuffer views) {
    if (views != null) {
      // Before the handler runs: its stage may complete, and release, on another thread at once.
      memory.setPlain(views.retain());
    }
    CompletableFuture<? extends ApiMessage> future;
    try {
      future = handler.handle(this, body).toCompletableFuture();
    } catch (RuntimeException e) {
      failure = e;
      complete = true;
      return;
    } catch (Error e) {
      releaseRequestBytes();
      throw e;
    }
    if (future.state() == java.util.concurrent.Future.State.SUCCESS) {
      response = future.resultNow();
      complete = true;
    } else {
      future.whenComplete(this);
    }
  }

  @Override
  public void accept(@Nullable ApiMessage result, @Nullable Throwable error) {
    response = result;
    failure = error;
    if (connection.loop.isCurrent()) {
      run();
    } else {
      connection.loop.execute(this);
    }
  }

  @Override
  public void run() {
    complete = true;
    if (connection.isClosed()) {
      releaseRequestBytes();
    } else {
      connection.answerReady();
    }
  }

  /** Runs what was to run if the connection ended first. */
  void connectionClosed() {
    ArrayList<Runnable> tasks = closeTasks;
    closeTasks = null;
    if (tasks != null) {
      for (Runnable task : tasks) {
        connection.loop.runGuarded(task);
      }
    }
  }

  @Override
  public RequestHeader header() {
    return header;
  }

  @Override
  public InetSocketAddress clientAddress() {
    return connection.peer;
  }

  @Override
  public long connectionId() {
    return connection.id;
  }

  @Override
  public String principal() {
    return ANONYMOUS;
  }

  @Override
  public String listenerName() {
    return connection.listenerName;
  }

  @Override
  public TimerTask schedule(long delayMs, Runnable task) {
    return connection.loop.schedule(delayMs, task);
  }

  @Override
  public void execute(Runnable task) {
    connection.loop.execute(task);
  }

  @Override
  public void onClose(Runnable task) {
    if (!connection.loop.isCurrent()) {
      connection.loop.execute(() -> onClose(task));
    } else if (connection.isClosed()) {
      task.run();
    } else {
      if (closeTasks == null) {
        closeTasks = new ArrayList<>(1);
      }
      closeTasks.add(task);
    }
  }

  @Override
  public void releaseRequestBytes() {
    if (memory.get() != null) {
      PooledBuffer held = memory.getAndSet(null);
      if (held != null) {
        held.release();
      }
    }
  }

  @Override
  public void closeConnection(String reason) {
    closeReason = reason;
  }

  @Override
  public String toString() {
    return header.apiKey().name
        + " v"
        + header.apiVersion()
        + " (correlation id "
        + header.correlationId()
        + ")";
  }
}
