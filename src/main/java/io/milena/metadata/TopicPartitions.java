package io.milena.metadata;

import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * Some partitions of one topic.
 *
 * @param partitions indexes, from 0
 */
public record TopicPartitions(Uuid topicId, List<Integer> partitions) {
  public TopicPartitions {
    partitions = List.copyOf(partitions);
  }
}
