package io.milena.metadata;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Which sets return by themselves from a leader that works to the one that is preferred. Without
 * settings all of them do as soon as the preferred one is in sync. One thread at a time.
 */
public final class LeaderBalance {

  /**
   * The settings of Kafka.
   *
   * @param enabled {@code auto.leader.rebalance.enable}; false leaves it to ElectLeaders
   * @param checkInterval {@code leader.imbalance.check.interval.seconds}: how long what has gone
   *     out of balance waits at most; zero for no time at all
   * @param imbalanceMaxPercent {@code leader.imbalance.per.broker.percentage}: of the partitions
   *     that prefer a node, how many may be led by others before they return
   */
  public record Settings(boolean enabled, Duration checkInterval, int imbalanceMaxPercent) {
    /** Return at once. */
    public static final Settings AT_ONCE = new Settings(true, Duration.ZERO, 0);
  }

  private final Settings settings;
  private long checkedNanos;
  private Set<Integer> returning = Set.of();

  /**
   * @param nowNanos monotonic time from which the first interval counts
   */
  public LeaderBalance(Settings settings, long nowNanos) {
    this.settings = settings;
    this.checkedNanos = nowNanos;
  }

  /**
   * Which sets may move from a leader that works, now and until the next check.
   *
   * @param nowNanos monotonic time
   */
  public IntPredicate check(MetadataImage image, long nowNanos) {
    if (settings.enabled() && nowNanos - checkedNanos >= settings.checkInterval().toNanos()) {
      checkedNanos = nowNanos;
      returning = outOfBalance(image);
    }
    return returning::contains;
  }

  private Set<Integer> outOfBalance(MetadataImage image) {
    Map<Integer, Integer> partitions = new HashMap<>();
    for (TopicImage topic : image.topicsById().values()) {
      for (PartitionImage partition : topic.partitions()) {
        partitions.merge(partition.replicaSetId(), 1, Integer::sum);
      }
    }
    Map<Integer, Integer> preferring = new HashMap<>();
    Map<Integer, Integer> ledByOthers = new HashMap<>();
    for (ReplicaSetImage set : image.replicaSets().values()) {
      int count = partitions.getOrDefault(set.id(), 0);
      int preferred = set.replicas().getFirst();
      preferring.merge(preferred, count, Integer::sum);
      if (set.leader() != preferred) {
        ledByOthers.merge(preferred, count, Integer::sum);
      }
    }
    Set<Integer> sets = new HashSet<>();
    for (ReplicaSetImage set : image.replicaSets().values()) {
      int preferred = set.replicas().getFirst();
      long others = ledByOthers.getOrDefault(preferred, 0);
      boolean isEmpty = !partitions.containsKey(set.id());
      if (isEmpty
          || others * 100
              > (long) preferring.getOrDefault(preferred, 0) * settings.imbalanceMaxPercent()) {
        sets.add(set.id());
      }
    }
    return sets;
  }
}
