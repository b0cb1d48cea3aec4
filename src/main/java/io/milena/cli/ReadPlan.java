package io.milena.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Which partitions a command reads, and whether it has read them to where they ended. */
public final class ReadPlan {

  private ReadPlan() {}

  /**
   * The partitions of a topic, in order.
   *
   * @param only those to read; empty for all
   * @throws UnknownTopicOrPartitionException when there is no such topic
   * @throws CliException when it has no such partition
   */
  public static List<TopicPartition> partitions(
      Consumer<?, ?> consumer, String topic, Collection<Integer> only, Duration timeout) {
    List<PartitionInfo> known = consumer.partitionsFor(topic, timeout);
    if (known == null || known.isEmpty()) {
      throw new UnknownTopicOrPartitionException(topic);
    }
    Set<Integer> ids = known.stream().map(PartitionInfo::partition).collect(Collectors.toSet());
    for (int partition : only) {
      if (!ids.contains(partition)) {
        throw new CliException(
            ExitCode.NOT_FOUND,
            "topic '%s' has no partition %d: it has 0 to %d"
                .formatted(topic, partition, ids.size() - 1));
      }
    }
    return new ArrayList<>(only.isEmpty() ? ids : only)
        .stream().distinct().sorted().map(id -> new TopicPartition(topic, id)).toList();
  }

  /** Whether the consumer's next record of each partition is at its end, or beyond. */
  public static boolean isAtEnd(
      Consumer<?, ?> consumer, Map<TopicPartition, Long> ends, Duration timeout) {
    for (var end : ends.entrySet()) {
      if (consumer.position(end.getKey(), timeout) < end.getValue()) {
        return false;
      }
    }
    return true;
  }

  /**
   * Checks that an offset asked for by number is one that can be read from.
   *
   * @param starts the first offset of each partition, inclusive
   * @param ends the end of each partition, exclusive; reading from there waits for the next record
   * @return a sentence for each partition that does not hold the offset, if others do
   * @throws CliException when no partition holds it
   */
  static List<String> checkHeld(
      StartOffset.At start, Map<TopicPartition, Long> starts, Map<TopicPartition, Long> ends) {
    List<String> outside = new ArrayList<>();
    ends.forEach((partition, end) -> {
      long first = starts.getOrDefault(partition, 0L);
      if (start.offset() < first || start.offset() > end) {
        outside.add(
            "%s has no offset %d: %s"
                .formatted(
                    partition,
                    start.offset(),
                    first == end
                        ? "it is empty, the next record gets " + end
                        : "it holds %d to %d".formatted(first, end - 1)));
      }
    });
    outside.sort(null);
    if (outside.size() == ends.size()) {
      throw new CliException(ExitCode.NOT_FOUND, String.join("; ", outside));
    }
    return outside;
  }
}
