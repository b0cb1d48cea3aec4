package io.milena.replication;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicIdPartition;

/** What must hold of simulated replicas, checked as it happens. */
final class ReplicationChecker {

  /** What is known of one partition. */
  private static final class Partition {
    /** What some replica has shown below its high watermark. */
    final List<ModelLog.Batch> committed = new ArrayList<>();

    /** High watermarks that leaders have shown as the newest, by leader epoch. */
    final TreeMap<Integer, Shown> shown = new TreeMap<>();
  }

  private record Shown(long first, long newest) {}

  private final Map<TopicIdPartition, Partition> partitions = new HashMap<>();
  private long acknowledgedCount;

  long acknowledgedCount() {
    return acknowledgedCount;
  }

  private Partition partition(TopicIdPartition key) {
    return partitions.computeIfAbsent(key, _ -> new Partition());
  }

  List<ModelLog.Batch> committed(TopicIdPartition key) {
    return partition(key).committed;
  }

  /**
   * A replica shows a view to others.
   *
   * @param from how many batches of its log were below its high watermark before
   * @return how many are now
   */
  int onView(TopicIdPartition key, String who, ModelLog log, ReplicaView view, int from) {
    List<ModelLog.Batch> committed = partition(key).committed;
    List<ModelLog.Batch> batches = log.batches();
    if (from > batches.size()
        || (from > 0 && batches.get(from - 1).lastOffset() >= view.highWatermark())) {
      throw new AssertionError(
          "%s has taken back what it showed of %s: high watermark %d, log end %d"
              .formatted(who, key, view.highWatermark(), log.logEndOffset()));
    }
    int count = from;
    while (count < batches.size() && batches.get(count).lastOffset() < view.highWatermark()) {
      ModelLog.Batch batch = batches.get(count);
      if (count == committed.size()) {
        if (view.role() != ReplicaRole.LEADER) {
          throw new AssertionError(
              "%s shows %s of %s, which no leader has shown".formatted(who, name(batch), key));
        }
        committed.add(batch);
      } else if (!isSame(committed.get(count), batch)) {
        throw new AssertionError(
            "two records at one offset of %s: %s shows %s, %s was shown before"
                .formatted(key, who, name(batch), name(committed.get(count))));
      }
      count++;
    }
    if (view.role() == ReplicaRole.LEADER && view.isHighWatermarkCurrent()) {
      onShown(key, who, view.leaderEpoch(), view.highWatermark());
    }
    return count;
  }

  /** A client that follows leader epochs never sees the high watermark go backwards. */
  private void onShown(TopicIdPartition key, String who, int epoch, long highWatermark) {
    TreeMap<Integer, Shown> shown = partition(key).shown;
    Shown known = shown.get(epoch);
    shown.put(epoch, new Shown(known == null ? highWatermark : known.first(), highWatermark));
    long before = known == null ? 0 : known.newest();
    for (Shown earlier : shown.headMap(epoch).values()) {
      before = Math.max(before, earlier.newest());
    }
    if (highWatermark < before) {
      throw new AssertionError(
          "%s shows %d of %s in epoch %d, %d was shown before"
              .formatted(who, highWatermark, key, epoch, before));
    }
    for (Map.Entry<Integer, Shown> later : shown.tailMap(epoch, false).entrySet()) {
      if (later.getValue().first() < highWatermark) {
        throw new AssertionError(
            "%s shows %d of %s in epoch %d, though epoch %d began with %d"
                .formatted(
                    who, highWatermark, key, epoch, later.getKey(), later.getValue().first()));
      }
    }
  }

  /** A client was told that a batch is kept. */
  void onAcknowledged(TopicIdPartition key, String who, ModelLog.Batch batch) {
    acknowledgedCount++;
    for (ModelLog.Batch committed : partition(key).committed) {
      if (isSame(committed, batch)) {
        return;
      }
    }
    throw new AssertionError(
        "%s has acknowledged %s of %s before it was committed".formatted(who, name(batch), key));
  }

  /** A log that may be elected has everything that was committed, from a batch on. */
  void checkHasCommitted(TopicIdPartition key, String who, List<ModelLog.Batch> log, int from) {
    List<ModelLog.Batch> committed = partition(key).committed;
    for (int i = from; i < committed.size(); i++) {
      if (i >= log.size() || !isSame(log.get(i), committed.get(i))) {
        throw new AssertionError(
            "%s could be elected for %s and lacks %s, which was committed; it has %s"
                .formatted(
                    who,
                    key,
                    name(committed.get(i)),
                    i < log.size() ? name(log.get(i)) : "nothing there"));
      }
    }
  }

  static boolean isSame(ModelLog.Batch one, ModelLog.Batch other) {
    return one.baseOffset() == other.baseOffset() && Arrays.equals(one.bytes(), other.bytes());
  }

  static String name(ModelLog.Batch batch) {
    return batch.baseOffset()
        + "-"
        + batch.lastOffset()
        + "@"
        + batch.epoch()
        + "#"
        + Arrays.hashCode(batch.bytes());
  }
}
