package io.milena.http.stream;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * A partition of which this node has no replica to read. However many readers wait for what comes,
 * its leader is asked for it once: they share the newest stretch, and each asks for itself only
 * when it is further behind.
 */
final class RemoteFeed implements Feed {

  private final Uuid topicId;
  private final TopicPartition partition;
  private final RemoteFeeds feeds;
  private final Set<Runnable> wakers = ConcurrentHashMap.newKeySet();
  private volatile long highWatermark = UNKNOWN;
  private volatile long lastStableOffset = UNKNOWN;
  private volatile @Nullable Stretch newest;

  RemoteFeed(Uuid topicId, TopicPartition partition, RemoteFeeds feeds) {
    this.topicId = topicId;
    this.partition = partition;
    this.feeds = feeds;
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Uuid topicId() {
    return topicId;
  }

  @Override
  public long end(boolean committedOnly) {
    return committedOnly ? lastStableOffset : highWatermark;
  }

  @Override
  public void watch(Runnable waker) {
    wakers.add(waker);
    feeds.follow(this);
  }

  @Override
  public void unwatch(Runnable waker) {
    wakers.remove(waker);
    if (wakers.isEmpty()) {
      newest = null;
    }
  }

  boolean isWatched() {
    return !wakers.isEmpty();
  }

  /** Asks the leader; see {@link RemoteFeeds#fetch}. */
  CompletionStage<Stretch> fetch(long offset, int bytes, boolean committedOnly) {
    return feeds.fetch(this, offset, bytes, committedOnly);
  }

  /** Runs a task after the pause that a failed request needs. */
  void later(Runnable task) {
    feeds.later(task);
  }

  /** The stretch that came last, if the record at this offset is in it. */
  @Nullable Stretch newestWith(long offset) {
    Stretch last = newest;
    return last != null && last.from() <= offset && offset < last.end() ? last : null;
  }

  /** The leader says how far the partition is committed; what an earlier one said may be more. */
  void learn(long newHighWatermark, long newLastStableOffset) {
    boolean isNews;
    synchronized (this) {
      isNews = newHighWatermark > highWatermark || newLastStableOffset > lastStableOffset;
      highWatermark = Math.max(highWatermark, newHighWatermark);
      lastStableOffset = Math.max(lastStableOffset, newLastStableOffset);
    }
    if (isNews) {
      wakers.forEach(Runnable::run);
    }
  }

  /** What has come since the high watermark before. */
  void take(long from, MemoryRecords records) {
    long end = from;
    for (RecordBatch batch : records.batches()) {
      end = batch.nextOffset();
    }
    if (end > from && isWatched()) {
      // A copy: what it came in has other partitions as well.
      ByteBuffer copy =
          ByteBuffer.allocate(records.sizeInBytes()).put(records.buffer().duplicate()).flip();
      newest = new Stretch(from, end, MemoryRecords.readableRecords(copy).batches(), List.of());
    }
  }
}
