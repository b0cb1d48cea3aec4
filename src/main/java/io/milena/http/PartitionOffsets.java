package io.milena.http;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** Where partitions begin, end, or were at a time, as the nodes that lead them say. */
public final class PartitionOffsets {

  /** In place of a time: the end that readers may see. */
  public static final long LATEST = -1;

  /** In place of a time: the first offset that there is. */
  public static final long EARLIEST = -2;

  private static final int CONSUMER = -1;

  private final KafkaApis apis;

  public PartitionOffsets(KafkaApis apis) {
    this.apis = apis;
  }

  /**
   * Offsets.
   *
   * @param time of the first record that is not older, in milliseconds, or one of the constants; a
   *     partition that has no such record is at its end
   * @param committedOnly whether what is undecided lies behind the end
   * @return of every partition; fails with 503 where nobody leads one, after a while
   */
  public CompletionStage<Map<TopicPartition, Long>> at(
      Collection<TopicPartition> partitions, long time, boolean committedOnly) {
    return apis.retrying(() -> once(partitions, time, committedOnly))
        .thenCompose(found -> {
          List<TopicPartition> without =
              partitions.stream().filter(each -> !found.containsKey(each)).toList();
          return without.isEmpty() || time == LATEST
              ? CompletableFuture.completedFuture(found)
              : at(without, LATEST, committedOnly)
                  .thenApply(ends -> {
                    found.putAll(ends);
                    return found;
                  });
        });
  }

  private CompletionStage<Map<TopicPartition, Long>> once(
      Collection<TopicPartition> partitions, long time, boolean committedOnly) {
    Map<Integer, List<TopicPartition>> byLeader = new HashMap<>();
    for (TopicPartition partition : partitions) {
      OptionalInt leader = apis.leader(partition);
      if (leader.isEmpty()) {
        throw HttpFailure.of(Errors.LEADER_NOT_AVAILABLE, partition + " has no leader now");
      }
      byLeader.computeIfAbsent(leader.getAsInt(), _ -> new ArrayList<>()).add(partition);
    }
    CompletionStage<Map<TopicPartition, Long>> all =
        CompletableFuture.completedFuture(new HashMap<>());
    for (Map.Entry<Integer, List<TopicPartition>> each : byLeader.entrySet()) {
      all =
          all.thenCombine(
              ask(each.getKey(), each.getValue(), time, committedOnly),
              (some, more) -> {
                some.putAll(more);
                return some;
              });
    }
    return all;
  }

  private CompletionStage<Map<TopicPartition, Long>> ask(
      int leader, List<TopicPartition> partitions, long time, boolean committedOnly) {
    ListOffsetsRequestData request =
        new ListOffsetsRequestData()
            .setReplicaId(CONSUMER)
            .setIsolationLevel((byte) (committedOnly ? 1 : 0));
    partitions.stream()
        .collect(Collectors.groupingBy(TopicPartition::topic))
        .forEach((topic, ofTopic) ->
            request
                .topics()
                .add(
                    new ListOffsetsRequestData.ListOffsetsTopic()
                        .setName(topic)
                        .setPartitions(
                            ofTopic.stream()
                                .map(each ->
                                    new ListOffsetsRequestData.ListOffsetsPartition()
                                        .setPartitionIndex(each.partition())
                                        .setCurrentLeaderEpoch(-1)
                                        .setTimestamp(time))
                                .toList())));
    return apis.callAt(leader, ApiKeys.LIST_OFFSETS, request, ListOffsetsResponseData.class)
        .thenApply(PartitionOffsets::offsets);
  }

  private static Map<TopicPartition, Long> offsets(ListOffsetsResponseData response) {
    Map<TopicPartition, Long> found = new HashMap<>();
    response
        .topics()
        .forEach(topic ->
            topic
                .partitions()
                .forEach(each -> {
                  Errors error = Errors.forCode(each.errorCode());
                  if (error != Errors.NONE) {
                    throw HttpFailure.of(
                        error,
                        "offsets of %s-%d: %s"
                            .formatted(topic.name(), each.partitionIndex(), error.message()));
                  }
                  if (each.offset() >= 0) {
                    found.put(
                        new TopicPartition(topic.name(), each.partitionIndex()), each.offset());
                  }
                }));
    return found;
  }
}
