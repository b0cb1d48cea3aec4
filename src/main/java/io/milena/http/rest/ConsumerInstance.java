package io.milena.http.rest;

import io.milena.http.HttpFailure;
import io.milena.http.group.GroupMember;
import io.milena.http.group.Groups;
import io.milena.http.group.Groups.Committed;
import io.milena.http.stream.Cursor;
import io.milena.http.stream.Feed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;

/**
 * A consumer of version 2: lives in the node between the requests of its client. It has the
 * partitions that its group gives it, or those it was assigned by hand, and a position in each.
 *
 * <p>Between two requests it holds positions and, in a group, a membership; no thread and no
 * records.
 */
final class ConsumerInstance implements GroupMember.Listener {

  /** What of it may be used. */
  interface Surroundings {
    /** The partition to read, or null when there is none. */
    @Nullable Feed feed(TopicPartition partition);

    /** Where partitions begin, or end. */
    CompletionStage<Map<TopicPartition, Long>> edges(
        Collection<TopicPartition> partitions, boolean first);

    /** A member of the instance's group. */
    GroupMember member(ConsumerInstance instance, List<String> topics);

    Groups groups();
  }

  private static final long AUTO_COMMIT_NANOS = TimeUnit.SECONDS.toNanos(5);

  final String group;
  final String name;
  final EmbeddedFormat format;
  private final boolean fromEarliest;
  private final boolean autoCommit;
  private final Surroundings surroundings;

  private final Map<TopicPartition, Long> positions = new LinkedHashMap<>();
  private List<String> subscription = List.of();
  private @Nullable GroupMember member;
  private @Nullable HttpFailure failed;
  private boolean assignedByHand;
  private CompletableFuture<Void> changed = new CompletableFuture<>();
  private boolean polling;
  private long committedNanos;
  private volatile long usedNanos;

  ConsumerInstance(
      String group,
      String name,
      EmbeddedFormat format,
      boolean fromEarliest,
      boolean autoCommit,
      long nowNanos,
      Surroundings surroundings) {
    this.group = group;
    this.name = name;
    this.format = format;
    this.fromEarliest = fromEarliest;
    this.autoCommit = autoCommit;
    this.committedNanos = nowNanos;
    this.usedNanos = nowNanos;
    this.surroundings = surroundings;
  }

  void used(long nowNanos) {
    usedNanos = nowNanos;
  }

  boolean isUnusedFor(long nanos, long nowNanos) {
    return nowNanos - usedNanos > nanos;
  }

  // ---- what it reads

  synchronized List<String> subscription() {
    return subscription;
  }

  void subscribe(List<String> topics) {
    GroupMember before;
    GroupMember joining = surroundings.member(this, topics);
    synchronized (this) {
      if (assignedByHand) {
        throw new HttpFailure(
            409,
            40903,
            "Subscription to topics, partitions and pattern are mutually exclusive: the consumer"
                + " was assigned partitions; unsubscribe first");
      }
      before = member;
      member = joining;
      subscription = topics;
      positions.clear();
      failed = null;
    }
    // Not while this is locked: members call back.
    if (before != null) {
      var _ = before.leave();
    }
    joining.start();
  }

  void unsubscribe() {
    GroupMember before;
    synchronized (this) {
      before = member;
      member = null;
      subscription = List.of();
      positions.clear();
      assignedByHand = false;
      failed = null;
    }
    if (before != null) {
      var _ = before.leave();
    }
  }

  /** Takes partitions by hand; each begins where the group's offset is. */
  CompletionStage<Void> assign(List<TopicPartition> partitions) {
    synchronized (this) {
      if (member != null) {
        throw new HttpFailure(
            409,
            40903,
            "Subscription to topics, partitions and pattern are mutually exclusive: the consumer is"
                + " subscribed; unsubscribe first");
      }
      assignedByHand = true;
      positions.keySet().retainAll(partitions);
    }
    return begin(partitions);
  }

  synchronized List<TopicPartition> assignment() {
    return List.copyOf(positions.keySet());
  }

  private CompletionStage<Void> begin(List<TopicPartition> partitions) {
    if (partitions.isEmpty()) {
      wake();
      return CompletableFuture.completedFuture(null);
    }
    return surroundings
        .groups()
        .committed(group, partitions)
        .thenCompose(committed -> {
          Map<TopicPartition, Long> begin = new HashMap<>();
          committed.forEach((partition, offset) -> begin.put(partition, offset.offset()));
          List<TopicPartition> without =
              partitions.stream().filter(each -> !begin.containsKey(each)).toList();
          return without.isEmpty()
              ? CompletableFuture.completedFuture(begin)
              : surroundings
                  .edges(without, fromEarliest)
                  .thenApply(edges -> {
                    begin.putAll(edges);
                    return begin;
                  });
        })
        .thenAccept(begin -> {
          synchronized (this) {
            for (TopicPartition partition : partitions) {
              positions.putIfAbsent(partition, begin.getOrDefault(partition, 0L));
            }
          }
          wake();
        });
  }

  @Override
  public void assigned(List<TopicPartition> partitions) {
    synchronized (this) {
      positions.keySet().retainAll(partitions);
    }
    var _ = begin(partitions);
  }

  @Override
  public CompletionStage<?> revoked() {
    return autoCommit ? commitPositions() : CompletableFuture.completedFuture(null);
  }

  @Override
  public void failed(HttpFailure failure) {
    synchronized (this) {
      failed = failure;
    }
    wake();
  }

  private void wake() {
    CompletableFuture<Void> waiting;
    synchronized (this) {
      waiting = changed;
      changed = new CompletableFuture<>();
    }
    waiting.complete(null);
  }

  // ---- positions and offsets

  synchronized void seek(Map<TopicPartition, Long> offsets) {
    checkAssigned(offsets.keySet());
    positions.putAll(offsets);
  }

  CompletionStage<Void> seekToEdge(Collection<TopicPartition> partitions, boolean first) {
    checkAssigned(partitions);
    return surroundings.edges(partitions, first).thenAccept(this::seek);
  }

  private synchronized void checkAssigned(Collection<TopicPartition> partitions) {
    for (TopicPartition partition : partitions) {
      if (!positions.containsKey(partition)) {
        throw new HttpFailure(
            409, 40903, "the consumer is not assigned " + partition + ": assign it first");
      }
    }
  }

  /** Commits where it is in every partition. */
  CompletionStage<Void> commitPositions() {
    Map<TopicPartition, Committed> offsets = new HashMap<>();
    synchronized (this) {
      positions.forEach((partition, offset) -> offsets.put(partition, new Committed(offset, "")));
    }
    return commit(offsets);
  }

  CompletionStage<Void> commit(Map<TopicPartition, Committed> offsets) {
    if (offsets.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    GroupMember joined;
    synchronized (this) {
      joined = member;
    }
    return joined == null ? surroundings.groups().commit(group, offsets) : joined.commit(offsets);
  }

  /** Leaves the group; with auto commit its positions are committed first. */
  CompletionStage<?> close() {
    CompletionStage<?> last =
        autoCommit ? commitPositions() : CompletableFuture.completedFuture(null);
    return last.handle((_, _) -> null)
        .thenCompose(_ -> {
          GroupMember joined;
          synchronized (this) {
            joined = member;
            member = null;
          }
          return joined == null ? CompletableFuture.<Void>completedFuture(null) : joined.leave();
        });
  }

  // ---- reading

  /**
   * Reads on.
   *
   * @param maxBytes of keys and values; one record is returned even when it is larger
   * @param take makes an element of a record, given its partition
   * @return at once when there is something; otherwise when something comes, or empty after the
   *     time
   */
  <T> CompletionStage<List<T>> poll(
      long timeoutMs, int maxBytes, long nowNanos, BiFunction<TopicPartition, Record, T> take) {
    synchronized (this) {
      if (polling) {
        throw new HttpFailure(
            409, 40904, "a request for records of this consumer is being served already");
      }
      polling = true;
    }
    CompletionStage<?> before = CompletableFuture.completedFuture(null);
    if (autoCommit && nowNanos - committedNanos > AUTO_COMMIT_NANOS) {
      committedNanos = nowNanos;
      before = commitPositions();
    }
    CompletableFuture<Void> timeUp =
        new CompletableFuture<Void>().completeOnTimeout(null, timeoutMs, TimeUnit.MILLISECONDS);
    return before
        .handle((_, _) -> null)
        .thenCompose(_ -> read(timeUp, maxBytes, take))
        .whenComplete((_, _) -> {
          synchronized (this) {
            polling = false;
          }
        });
  }

  private <T> CompletionStage<List<T>> read(
      CompletableFuture<Void> timeUp, int maxBytes, BiFunction<TopicPartition, Record, T> take) {
    return read(timeUp, maxBytes, take, Map.of());
  }

  /**
   * @param known places of partitions of other nodes, which may have asked for what follows
   */
  private <T> CompletionStage<List<T>> read(
      CompletableFuture<Void> timeUp,
      int maxBytes,
      BiFunction<TopicPartition, Record, T> take,
      Map<TopicPartition, Cursor> known) {
    CompletableFuture<Void> woken;
    Map<TopicPartition, Long> from;
    synchronized (this) {
      if (failed != null) {
        return CompletableFuture.failedFuture(failed);
      }
      woken = changed;
      from = new LinkedHashMap<>(positions);
    }
    Runnable waker = this::wake;
    Map<TopicPartition, Cursor> cursors = new LinkedHashMap<>();
    from.forEach((partition, next) -> {
      Feed feed = surroundings.feed(partition);
      if (feed != null) {
        Cursor before = known.get(partition);
        cursors.put(
            partition,
            before != null && before.next() == next && before.feed().equals(feed)
                ? before
                : new Cursor(feed, next, true, waker));
        // Before it reads: what comes while it reads wakes it.
        feed.watch(waker);
      }
    });
    try {
      List<T> records = readNow(cursors.values(), maxBytes, take);
      if (!records.isEmpty() || timeUp.isDone()) {
        release(cursors.values(), waker);
        return CompletableFuture.completedFuture(records);
      }
    } catch (IOException | RuntimeException failure) {
      release(cursors.values(), waker);
      return CompletableFuture.failedFuture(failure);
    }
    return CompletableFuture.anyOf(woken, timeUp)
        .whenComplete((_, _) -> release(cursors.values(), waker))
        .thenCompose(_ -> read(timeUp, maxBytes, take, cursors));
  }

  private static void release(Collection<Cursor> cursors, Runnable waker) {
    cursors.forEach(cursor -> cursor.feed().unwatch(waker));
  }

  private <T> List<T> readNow(
      Collection<Cursor> cursors, int maxBytes, BiFunction<TopicPartition, Record, T> take)
      throws IOException {
    List<T> records = new ArrayList<>();
    int left = maxBytes;
    for (Cursor cursor : cursors) {
      TopicPartition partition = cursor.partition();
      long first = cursor.next();
      while (left > 0 && cursor.fill()) {
        for (Record record = cursor.poll(); record != null; record = cursor.poll()) {
          records.add(take.apply(partition, record));
          left -= record.sizeInBytes();
          if (left <= 0) {
            break;
          }
        }
      }
      if (left <= 0) {
        cursor.close();
      }
      synchronized (this) {
        // Unless it was moved, or taken away, meanwhile.
        positions.computeIfPresent(
            partition, (_, present) -> present == first ? cursor.next() : present);
      }
      if (cursor.isAsking()) {
        // One at a time: what comes is held until it is taken.
        break;
      }
    }
    return records;
  }
}
