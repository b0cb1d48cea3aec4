package io.milena.wire;

import io.milena.wire.handler.ConnectionContext;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A request from its start to its answer. One object in three roles, so that a request costs one
 * allocation: what its handler sees of the connection, the callback of the handler's stage, and the
 * task that brings an answer from another thread to the loop.
 *
 * @param <R> what the answer is written from
 */
abstract sealed class InFlightRequest<R>
    implements ConnectionContext, BiConsumer<R, Throwable>, Runnable
    permits Request, PrivateRequest {

  final Connection connection;

  // Written by the thread that completes the stage, read by the loop after it has taken the task.
  @Nullable R response;
  @Nullable Throwable failure;

  /** Whether the answer is known; loop thread only. */
  boolean complete;

  volatile @Nullable String closeReason;

  private @Nullable ArrayList<Runnable> closeTasks;

  InFlightRequest(Connection connection) {
    this.connection = connection;
  }

  /** Whether it is a Produce request, of which a connection may have several unanswered. */
  abstract boolean isProduce();

  /** Gives back what is held of the request's bytes, if anything. */
  abstract void releaseBytes();

  /** Takes the answer from the handler's stage, now or when it comes. */
  final void await(CompletableFuture<? extends R> future) {
    if (future.state() == Future.State.SUCCESS) {
      response = future.resultNow();
      complete = true;
    } else {
      future.whenComplete(this);
    }
  }

  /** The handler failed instead of returning a stage. */
  final void fail(RuntimeException thrown) {
    failure = thrown;
    complete = true;
  }

  @Override
  public final void accept(@Nullable R result, @Nullable Throwable error) {
    response = result;
    failure = error;
    if (connection.loop.isCurrent()) {
      run();
    } else {
      connection.loop.execute(this);
    }
  }

  @Override
  public final void run() {
    complete = true;
    if (connection.isClosed()) {
      releaseBytes();
    } else {
      connection.answerReady();
    }
  }

  /** Runs what was to run if the connection ended first. */
  final void connectionClosed() {
    ArrayList<Runnable> tasks = closeTasks;
    closeTasks = null;
    if (tasks != null) {
      for (Runnable task : tasks) {
        connection.loop.runGuarded(task);
      }
    }
  }

  @Override
  public final InetSocketAddress clientAddress() {
    return connection.peer;
  }

  @Override
  public final long connectionId() {
    return connection.id;
  }

  @Override
  public final String listenerName() {
    return connection.listenerName;
  }

  @Override
  public final TimerTask schedule(long delayMs, Runnable task) {
    return connection.loop.schedule(delayMs, task);
  }

  @Override
  public final void execute(Runnable task) {
    connection.loop.execute(task);
  }

  @Override
  public final void onClose(Runnable task) {
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
  public final @Nullable Attachment attachment() {
    return connection.attachment;
  }

  @Override
  public final void attach(Attachment attachment) {
    connection.attachment = attachment;
  }

  @Override
  public final void closeConnection(String reason) {
    closeReason = reason;
  }
}
