package io.milena.http.stream;

import io.milena.group.actor.RegionReader;
import io.milena.http.HttpFailure;
import io.milena.http.KafkaApis;
import io.milena.log.FileRegion;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads partitions from the nodes that lead them. One request a leader waits there for all the
 * partitions that somebody waits for; when leadership moves, the next is sent to the new leader.
 */
public final class RemoteFeeds implements MetadataService.MetadataListener {

  private static final Logger LOG = LoggerFactory.getLogger(RemoteFeeds.class);

  /**
   * How long a leader waits for records; a partition that came meanwhile is asked for afterwards.
   */
  private static final int WAIT_MS = 500;

  private static final Duration PAUSE = Duration.ofMillis(100);

  /** Of one partition that is waited for. */
  private static final int NEWS_BYTES = 64 * 1024;

  /** Of all partitions of one leader. */
  private static final int NEWS_BYTES_MAX = 4 * 1024 * 1024;

  private static final int NO_SESSION = -1;

  private final KafkaApis apis;
  private final MetadataService metadata;
  private final Map<Key, RemoteFeed> feeds = new ConcurrentHashMap<>();

  /** Leaders that are being asked for news. */
  private final Set<Integer> asked = ConcurrentHashMap.newKeySet();

  private record Key(Uuid topicId, int partition) {}

  public RemoteFeeds(KafkaApis apis, MetadataService metadata) {
    this.apis = apis;
    this.metadata = metadata;
    metadata.subscribe(this);
  }

  /** The partition; the same one for as long as its topic exists. */
  RemoteFeed of(Uuid topicId, TopicPartition partition) {
    return feeds.computeIfAbsent(
        new Key(topicId, partition.partition()), _ -> new RemoteFeed(topicId, partition, this));
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (feeds.isEmpty() || (delta.topics().isEmpty() && delta.replicaSets().isEmpty())) {
      return;
    }
    feeds.keySet().removeIf(key -> image.topic(key.topicId()) == null);
    feeds.values().stream().filter(RemoteFeed::isWatched).forEach(this::follow);
  }

  /** Sees to it that the partition's leader is asked for news. */
  void follow(RemoteFeed feed) {
    apis.leader(feed.partition())
        .ifPresent(leader -> {
          if (asked.add(leader)) {
            ask(leader, 0);
          }
        });
  }

  void later(Runnable task) {
    apis.after(PAUSE, task);
  }

  private List<RemoteFeed> ledBy(int leader) {
    List<RemoteFeed> led = new ArrayList<>();
    for (RemoteFeed feed : feeds.values()) {
      OptionalInt node = feed.isWatched() ? apis.leader(feed.partition()) : OptionalInt.empty();
      if (node.isPresent() && node.getAsInt() == leader) {
        led.add(feed);
      }
    }
    return led;
  }

  /**
   * Asks a leader for news, again and again while there is a partition to ask for.
   *
   * @param round a full answer serves the first ones only: each round begins with others
   */
  private void ask(int leader, int round) {
    List<RemoteFeed> led = ledBy(leader);
    if (led.isEmpty()) {
      asked.remove(leader);
      // One that came after the look found the leader asked already.
      if (!ledBy(leader).isEmpty() && asked.add(leader)) {
        apis.after(PAUSE, () -> ask(leader, round));
      }
      return;
    }
    Collections.rotate(led, -(round % led.size()));
    FetchRequestData request = request(WAIT_MS, NEWS_BYTES_MAX, false);
    Map<Key, Long> from = new HashMap<>();
    for (RemoteFeed feed : led) {
      long known = feed.end(false);
      if (known != Feed.UNKNOWN) {
        add(request, feed, known, NEWS_BYTES);
        from.put(new Key(feed.topicId(), feed.partition().partition()), known);
      }
    }
    if (from.isEmpty()) {
      // Their readers ask where they end.
      apis.after(PAUSE, () -> ask(leader, round));
      return;
    }
    fetch(leader, request)
        .whenComplete((response, failure) -> {
          boolean fine = failure == null && learn(response, from);
          if (failure != null) {
            LOG.debug("node {} cannot be asked for news: {}", leader, failure.toString());
          }
          if (fine) {
            ask(leader, round + 1);
          } else {
            apis.after(PAUSE, () -> ask(leader, round + 1));
          }
        });
  }

  /** Whether there was an answer for every partition. */
  private boolean learn(FetchResponseData response, Map<Key, Long> from) {
    boolean fine = response.errorCode() == Errors.NONE.code();
    for (var topic : response.responses()) {
      for (PartitionData data : topic.partitions()) {
        Key key = new Key(topic.topicId(), data.partitionIndex());
        RemoteFeed feed = feeds.get(key);
        Long offset = from.get(key);
        if (data.errorCode() != Errors.NONE.code() || feed == null || offset == null) {
          fine = false;
        } else {
          feed.take(offset, records(data.records()));
          feed.learn(data.highWatermark(), data.lastStableOffset());
        }
      }
    }
    return fine;
  }

  /**
   * Reads from the leader what follows an offset.
   *
   * @param bytes about; one batch at least
   * @return empty when there is nothing now; fails while there is no leader
   */
  CompletionStage<Feed.Stretch> fetch(
      RemoteFeed feed, long offset, int bytes, boolean committedOnly) {
    OptionalInt leader = apis.leader(feed.partition());
    if (leader.isEmpty() || metadata.image().topic(feed.topicId()) == null) {
      return CompletableFuture.failedFuture(
          HttpFailure.of(Errors.LEADER_NOT_AVAILABLE, feed.partition() + " has no leader now"));
    }
    FetchRequestData request = request(0, bytes, committedOnly);
    add(request, feed, offset, bytes);
    return fetch(leader.getAsInt(), request)
        .thenApply(response -> stretch(feed, offset, committedOnly, response));
  }

  private static Feed.Stretch stretch(
      RemoteFeed feed, long offset, boolean committedOnly, FetchResponseData response) {
    if (response.responses().isEmpty()) {
      throw HttpFailure.of(Errors.forCode(response.errorCode()));
    }
    PartitionData data = response.responses().getFirst().partitions().getFirst();
    Errors error = Errors.forCode(data.errorCode());
    if (error == Errors.OFFSET_OUT_OF_RANGE && offset < data.logStartOffset()) {
      // Retention was quicker than this reader.
      return new Feed.Stretch(data.logStartOffset(), data.logStartOffset(), List.of(), List.of());
    }
    if (error != Errors.NONE) {
      throw HttpFailure.of(error);
    }
    long bound = committedOnly ? data.lastStableOffset() : data.highWatermark();
    MemoryRecords records = records(data.records());
    List<Feed.Aborted> aborted =
        data.abortedTransactions() == null
            ? List.of()
            : data.abortedTransactions().stream()
                .map(each -> new Feed.Aborted(each.producerId(), each.firstOffset()))
                .toList();
    feed.learn(data.highWatermark(), data.lastStableOffset());
    return new Feed.Stretch(
        offset,
        // Compaction may have left nothing up to the end.
        records.sizeInBytes() == 0 ? Math.max(offset, bound) : offset,
        records.batches(),
        aborted);
  }

  private CompletionStage<FetchResponseData> fetch(int leader, FetchRequestData request) {
    return apis.callAt(leader, ApiKeys.FETCH, request, FetchResponseData.class);
  }

  private static FetchRequestData request(int waitMs, int bytes, boolean committedOnly) {
    return new FetchRequestData()
        .setMaxWaitMs(waitMs)
        .setMinBytes(1)
        .setMaxBytes(bytes)
        .setIsolationLevel((byte) (committedOnly ? 1 : 0))
        .setSessionEpoch(NO_SESSION);
  }

  private static void add(FetchRequestData request, RemoteFeed feed, long offset, int bytes) {
    FetchRequestData.FetchTopic topic =
        new FetchRequestData.FetchTopic().setTopicId(feed.topicId());
    topic
        .partitions()
        .add(
            new FetchRequestData.FetchPartition()
                .setPartition(feed.partition().partition())
                .setFetchOffset(offset)
                .setPartitionMaxBytes(bytes));
    request.topics().add(topic);
  }

  private static MemoryRecords records(BaseRecords records) {
    try {
      return records instanceof FileRegion region
          ? RegionReader.read(region)
          : (MemoryRecords) records;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
