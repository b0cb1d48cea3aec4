package io.milena.cli;

import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Offsets of partitions, as far as their leaders tell them: a partition that is offline or gone
 * does not hide the others.
 *
 * @param known the offset of each partition that answered; -1 where it has none such
 * @param missing why the others did not
 */
public record PartitionOffsets(
    Map<TopicPartition, Long> known, SortedMap<TopicPartition, String> missing) {

  /** By topic, then by number. */
  public static final Comparator<TopicPartition> ORDER =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);

  /** Longest wait for a leader; the clients ask an offline partition again until it is over. */
  private static final Duration PATIENCE = Duration.ofSeconds(4);

  /** Asks for one offset of each partition, and waits for the answers. */
  public static PartitionOffsets ask(
      Admin admin, Collection<TopicPartition> partitions, OffsetSpec spec) {
    Map<TopicPartition, OffsetSpec> question = HashMap.newHashMap(partitions.size());
    partitions.forEach(partition -> question.put(partition, spec));
    ListOffsetsResult result =
        admin.listOffsets(
            question, new ListOffsetsOptions().timeoutMs(Math.toIntExact(PATIENCE.toMillis())));
    Map<TopicPartition, Long> known = HashMap.newHashMap(partitions.size());
    SortedMap<TopicPartition, String> missing = new TreeMap<>(ORDER);
    for (TopicPartition partition : question.keySet()) {
      try {
        known.put(
            partition,
            Failures.await(result.partitionResult(partition), "read its offsets").offset());
      } catch (CliException e) {
        missing.put(partition, String.valueOf(e.getMessage()));
      }
    }
    return new PartitionOffsets(known, missing);
  }

  /** Says for which partitions there is no answer, and why. */
  public void tellMissing(Output output) {
    missing.forEach((partition, reason) -> output.remark("milena: " + partition + ": " + reason));
  }
}
