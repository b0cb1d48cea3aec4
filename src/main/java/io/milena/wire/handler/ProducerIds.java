package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.apache.kafka.common.errors.CoordinatorLoadInProgressException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Hands out producer ids that no other node gets, from blocks that the metadata group allots. The
 * next block is asked for while the current one still has ids, so that callers rarely wait. Any
 * thread may call it.
 */
public final class ProducerIds {

  /** Callers that may wait for a block at a time; further ones are told to come again. */
  static final int WAITING_COUNT_MAX = 10_000;

  /** The next block is asked for when this part of the current one is left: a tenth, as Kafka. */
  private static final int PREFETCH_DIVISOR = 10;

  private final MetadataService metadata;
  private final int nodeId;
  private final LongSupplier nodeEpoch;

  private final Object lock = new Object();
  // All below: guarded by lock.
  private final Queue<CompletableFuture<Long>> waiting = new ArrayDeque<>();
  private Block current = Block.EMPTY;
  private Block following = Block.EMPTY;
  private boolean asking;

  /** Ids from {@code next} to {@code end}, exclusive, of a block that had {@code size}. */
  private record Block(long next, long end, long size) {
    static final Block EMPTY = new Block(0, 0, 0);

    boolean isEmpty() {
      return next == end;
    }

    boolean runsLow() {
      return end - next <= size / PREFETCH_DIVISOR;
    }
  }

  /**
   * @param nodeEpoch the epoch of this process's own registration, asked for at every allocation
   */
  public ProducerIds(MetadataService metadata, int nodeId, LongSupplier nodeEpoch) {
    this.metadata = metadata;
    this.nodeId = nodeId;
    this.nodeEpoch = nodeEpoch;
  }

  /** Asks for the first block, so that the first producer does not wait. */
  public void prefetch() {
    askIfLow();
  }

  /**
   * @return an id never returned before, in this cluster; fails with {@link
   *     CoordinatorLoadInProgressException}, which clients retry, when no block could be had
   */
  public CompletionStage<Long> next() {
    CompletableFuture<Long> result = new CompletableFuture<>();
    long id = -1;
    boolean refused = false;
    synchronized (lock) {
      if (waiting.isEmpty()) {
        id = take();
      }
      if (id < 0) {
        refused = waiting.size() >= WAITING_COUNT_MAX || !waiting.add(result);
      }
    }
    if (id >= 0) {
      result.complete(id);
    } else if (refused) {
      result.completeExceptionally(noBlock());
    }
    askIfLow();
    return result;
  }

  /** The next id, or -1 when there is none; with the lock held. */
  private long take() {
    if (current.isEmpty()) {
      current = following;
      following = Block.EMPTY;
    }
    if (current.isEmpty()) {
      return -1;
    }
    long id = current.next();
    current = new Block(id + 1, current.end(), current.size());
    return id;
  }

  private void askIfLow() {
    synchronized (lock) {
      if (asking || !following.isEmpty() || !current.runsLow()) {
        return;
      }
      asking = true;
    }
    metadata
        .submit(new MetadataCommand.AllocateProducerIds(nodeId, nodeEpoch.getAsLong()))
        .whenComplete((reply, _) -> onReply(reply));
  }

  /**
   * @param reply null when none came in time; the ids, if they were allotted, are then never used
   */
  private void onReply(MetadataReply.@Nullable ProducerIdBlock reply) {
    Queue<Runnable> completions = new ArrayDeque<>();
    boolean granted = reply != null && reply.error() == Errors.NONE;
    synchronized (lock) {
      asking = false;
      if (reply != null && granted) {
        following =
            new Block(
                reply.firstProducerId(), reply.firstProducerId() + reply.count(), reply.count());
      }
      while (!waiting.isEmpty()) {
        long id = take();
        if (id < 0 && granted) {
          break;
        }
        CompletableFuture<Long> waiter = waiting.remove();
        completions.add(
            id >= 0 ? () -> waiter.complete(id) : () -> waiter.completeExceptionally(noBlock()));
      }
    }
    completions.forEach(Runnable::run);
    if (granted) {
      askIfLow();
    }
  }

  private static CoordinatorLoadInProgressException noBlock() {
    return new CoordinatorLoadInProgressException(
        "No producer ids are at hand: the metadata group has not allotted any yet");
  }
}
