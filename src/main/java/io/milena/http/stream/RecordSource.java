package io.milena.http.stream;

import akka.stream.Attributes;
import akka.stream.Outlet;
import akka.stream.SourceShape;
import akka.stream.stage.AbstractOutHandler;
import akka.stream.stage.AsyncCallback;
import akka.stream.stage.GraphStage;
import akka.stream.stage.GraphStageLogic;
import akka.stream.stage.TimerGraphStageLogic;
import io.milena.http.HttpFailure;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.TopicImage;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records of a stream. Reads the log only when its reader wants more, a stretch of one
 * partition at a time, the partitions in turn; a reader that stops holds that stretch and nothing
 * else. While there is nothing to read it holds a listener a partition and no thread.
 *
 * @param <T> what is sent at a time
 */
final class RecordSource<T> extends GraphStage<SourceShape<T>> {

  private static final Logger LOG = LoggerFactory.getLogger(RecordSource.class);
  private static final int CHUNK_BYTES = 64 * 1024;

  /** After so many records that nobody wants, others get their turn. */
  private static final int REJECTED_MAX = 10_000;

  private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);
  private static final Object KEEP_ALIVE_TIMER = "keep-alive";
  private static final Duration COMMIT = Duration.ofSeconds(5);
  private static final Object COMMIT_TIMER = "commit";

  private final StreamContext context;
  private final StreamPlan plan;
  private final Supplier<Encoder<T>> encoders;
  private final Outlet<T> out = Outlet.create("RecordSource.out");

  RecordSource(StreamContext context, StreamPlan plan, Supplier<Encoder<T>> encoders) {
    this.context = context;
    this.plan = plan;
    this.encoders = encoders;
  }

  @Override
  public SourceShape<T> shape() {
    return SourceShape.of(out);
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  /** One partition that the stream reads. */
  private static final class Reading implements Runnable {
    final Cursor cursor;
    final long end;
    private final Queue<Reading> ready;
    private final Runnable wake;
    private final AtomicBoolean queued = new AtomicBoolean();

    Reading(
        Feed feed,
        long first,
        boolean committedOnly,
        long end,
        Queue<Reading> ready,
        Runnable wake) {
      this.cursor = new Cursor(feed, first, committedOnly, this);
      this.end = end;
      this.ready = ready;
      this.wake = wake;
    }

    /** There may be something to read; called from any thread. */
    @Override
    public void run() {
      if (queued.compareAndSet(false, true)) {
        ready.add(this);
        wake.run();
      }
    }

    void taken() {
      queued.set(false);
    }
  }

  private final class Logic extends TimerGraphStageLogic {

    private static final long NO_END = Long.MAX_VALUE;

    private final Encoder<T> encoder = encoders.get();

    /** In the order in which positions name them. */
    private final Map<TopicPartition, Reading> readings = new TreeMap<>(Positions.ORDER);

    private final Queue<Reading> ready = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean signalled = new AtomicBoolean();
    private final Runnable wake = this::signal;
    private final Runnable topicsChanged = this::topicsChanged;
    private final AtomicBoolean topicsStale = new AtomicBoolean();
    private @Nullable AsyncCallback<Runnable> callback;
    private @Nullable SharedReading shared;
    private @Nullable Reading current;

    /** What another node is being asked for, and those that wait until that has come. */
    private @Nullable Reading asking;

    private final Set<Reading> deferred = new LinkedHashSet<>();
    private long left = plan.limit().orElse(Long.MAX_VALUE);
    private boolean sentSinceTick;
    private boolean begun;

    Logic() {
      super(RecordSource.this.shape());
      setHandler(
          out,
          new AbstractOutHandler() {
            @Override
            public void onPull() {
              if (shared != null) {
                shared.taken();
              }
              produce();
            }
          });
    }

    @Override
    public void preStart() {
      context.open().incrementAndGet();
      callback = createAsyncCallback(Runnable::run);
      context.topics().add(topicsChanged);
      if (!plan.group().isEmpty()) {
        share();
      }
      follow();
      begun = true;
      scheduleWithFixedDelay(KEEP_ALIVE_TIMER, KEEP_ALIVE, KEEP_ALIVE);
    }

    /** Joins the group: the stream reads what the group gives it. */
    private void share() {
      scheduleWithFixedDelay(COMMIT_TIMER, COMMIT, COMMIT);
      SharedReading sharing =
          new SharedReading(
              context.members().groups(),
              plan.group(),
              partition -> plan.begin().getOrDefault(partition, 0L),
              new SharedReading.Stage() {
                @Override
                public void run(Runnable task) {
                  within(task);
                }

                @Override
                public void changed() {
                  follow();
                  if (isAvailable(out)) {
                    produce();
                  }
                }

                @Override
                public void refused(HttpFailure failure) {
                  LOG.debug("a stream of group {} ends: {}", plan.group(), failure.getMessage());
                  failStage(failure);
                }
              });
      shared = sharing;
      sharing.start(
          context
              .members()
              .member(
                  plan.group(),
                  () ->
                      plan.topics().in(context.node().metadata().image()).stream()
                          .map(TopicImage::name)
                          .toList(),
                  sharing));
    }

    private void within(Runnable task) {
      AsyncCallback<Runnable> target = callback;
      if (target != null) {
        target.invoke(task);
      }
    }

    @Override
    public void postStop() {
      if (shared != null) {
        shared.leave(left == 0);
      }
      context.open().decrementAndGet();
      context.topics().remove(topicsChanged);
      for (Reading reading : readings.values()) {
        reading.cursor.feed().unwatch(reading);
        reading.cursor.close();
      }
    }

    @Override
    public void onTimer(Object key) {
      if (shared != null && key.equals(COMMIT_TIMER)) {
        shared.tick();
        return;
      }
      T keepAlive = sentSinceTick ? null : encoder.keepAlive();
      if (keepAlive != null && isAvailable(out)) {
        push(out, keepAlive);
      }
      sentSinceTick = false;
    }

    private void topicsChanged() {
      topicsStale.set(true);
      signal();
    }

    private void signal() {
      if (callback != null && signalled.compareAndSet(false, true)) {
        within(this::woken);
      }
    }

    private void woken() {
      signalled.set(false);
      if (topicsStale.getAndSet(false)) {
        follow();
      }
      if (isAvailable(out)) {
        produce();
      }
    }

    /** Takes up partitions that have come, and lets go of those that are gone. */
    private void follow() {
      MetadataImage image = context.node().metadata().image();
      Map<TopicPartition, Feed> wanted = new HashMap<>();
      for (TopicImage topic : plan.topics().in(image)) {
        for (PartitionImage partition : topic.partitions()) {
          TopicPartition key = new TopicPartition(topic.name(), partition.partition());
          if (shared == null || shared.assignment().containsKey(key)) {
            wanted.put(key, context.feeds().find(topic, partition.partition()));
          }
        }
      }
      Map<TopicPartition, Reading> former = new HashMap<>();
      readings
          .values()
          .removeIf(reading -> {
            Feed present = reading.cursor.feed();
            Feed other = wanted.get(reading.cursor.partition());
            boolean gone = !present.equals(other);
            if (gone) {
              former.put(reading.cursor.partition(), reading);
              present.unwatch(reading);
              reading.cursor.close();
              current = current == reading ? null : current;
              asking = asking == reading ? null : asking;
            }
            return gone;
          });
      wanted.forEach((partition, feed) ->
          readings.computeIfAbsent(
              partition,
              _ -> {
                Reading before = former.get(partition);
                if (before == null) {
                  return read(feed, first(partition), end(feed));
                }
                // Another topic may have come in the place of one of its name.
                return before.cursor.feed().topicId().equals(feed.topicId())
                    ? read(feed, before.cursor.next(), before.end)
                    : read(feed, 0, end(feed));
              }));
      if (begun && shared == null && readings.isEmpty() && !plan.topics().isOpen()) {
        completeStage();
      }
    }

    private long first(TopicPartition partition) {
      return (shared == null ? plan.begin() : shared.assignment()).getOrDefault(partition, 0L);
    }

    /**
     * @param first offset to begin with; 0 for the first record there is
     * @param end offset to end at
     */
    private Reading read(Feed feed, long first, long end) {
      Reading reading = new Reading(feed, first, plan.committedOnly(), end, ready, wake);
      feed.watch(reading);
      reading.run();
      return reading;
    }

    private long end(Feed feed) {
      if (plan.follow()) {
        return NO_END;
      }
      Long known = plan.ends().get(feed.partition());
      return known == null ? feed.end(plan.committedOnly()) : known;
    }

    private void produce() {
      try {
        int rejected = 0;
        while (left > 0 && encoder.sizeBytes() < CHUNK_BYTES) {
          if (current == null && !takeNext()) {
            break;
          }
          Reading reading = current;
          Record record = reading == null ? null : reading.cursor.poll();
          if (reading == null || record == null || record.offset() >= reading.end) {
            putBack();
          } else if (plan.filter().accepts(record)) {
            left--;
            context.records().increment();
            encoder.add(reading.cursor.partition(), record, this::position);
          } else if (++rejected == REJECTED_MAX) {
            signal();
            break;
          }
        }
      } catch (IOException | KafkaException failure) {
        LOG.warn("a stream of {} ends: {}", plan.topics().names(), failure.toString());
        failStage(failure);
        return;
      }
      if (encoder.sizeBytes() > 0) {
        sentSinceTick = true;
        if (shared != null) {
          shared.sending(positions());
        }
        push(out, encoder.take());
      }
      if (left == 0 || (!plan.follow() && shared == null && isAtEnd())) {
        complete(out);
      }
    }

    /** The next partition that has something; false when none has. */
    private boolean takeNext() throws IOException {
      if (asking == null || !asking.cursor.isAsking()) {
        asking = null;
        deferred.forEach(Reading::run);
        deferred.clear();
      }
      for (Reading next = ready.poll(); next != null; next = ready.poll()) {
        // Before it is read: what is published from now on has to be told again.
        next.taken();
        if (readings.get(next.cursor.partition()) != next || next.cursor.next() >= next.end) {
          continue;
        }
        if (asking != null && asking != next && next.cursor.feed() instanceof RemoteFeed) {
          // One at a time: what comes is held until it is sent.
          deferred.add(next);
        } else if (next.cursor.fill()) {
          current = next;
          return true;
        } else if (next.cursor.isAsking()) {
          asking = next;
        }
      }
      return false;
    }

    /** Others first; it may have more. */
    private void putBack() {
      Reading reading = current;
      current = null;
      if (reading != null) {
        reading.run();
      }
    }

    private boolean isAtEnd() {
      return current == null
          && readings.values().stream().allMatch(each -> each.cursor.next() >= each.end);
    }

    private Map<TopicPartition, Long> positions() {
      Map<TopicPartition, Long> next = HashMap.newHashMap(readings.size());
      readings.forEach((partition, reading) -> next.put(partition, reading.cursor.next()));
      return next;
    }

    private String position() {
      Positions.Text text = new Positions.Text();
      readings.forEach((partition, reading) -> text.add(partition, reading.cursor.next()));
      return text.toString();
    }
  }
}
