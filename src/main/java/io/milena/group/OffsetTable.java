package io.milena.group;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The committed offsets of a group. Changed by replayed records only. */
final class OffsetTable {

  private final Map<String, TreeMap<Integer, CommittedOffset>> offsets = new HashMap<>(4);

  @Nullable CommittedOffset find(String topic, int partition) {
    TreeMap<Integer, CommittedOffset> ofTopic = offsets.get(topic);
    return ofTopic == null ? null : ofTopic.get(partition);
  }

  boolean isEmpty() {
    return offsets.isEmpty();
  }

  /** By topic, then partition; not to be changed. */
  Map<String, ? extends Map<Integer, CommittedOffset>> all() {
    return Collections.unmodifiableMap(offsets);
  }

  void forEach(BiConsumer<TopicPartition, CommittedOffset> action) {
    offsets.forEach((topic, ofTopic) ->
        ofTopic.forEach(
            (partition, offset) -> action.accept(new TopicPartition(topic, partition), offset)));
  }

  void put(TopicPartition partition, CommittedOffset offset) {
    offsets
        .computeIfAbsent(partition.topic(), _ -> new TreeMap<>())
        .put(partition.partition(), offset);
  }

  void remove(TopicPartition partition) {
    TreeMap<Integer, CommittedOffset> ofTopic = offsets.get(partition.topic());
    if (ofTopic != null) {
      ofTopic.remove(partition.partition());
      if (ofTopic.isEmpty()) {
        offsets.remove(partition.topic());
      }
    }
  }
}
