package io.milena.http.group;

import io.milena.http.HttpFailure;
import io.milena.http.KafkaApis;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** What is known of consumer groups, asked of the nodes that coordinate them. */
public final class Groups {

  /** The last versions that name topics instead of their ids. */
  private static final short VERSION_WITH_NAMES = 9;

  /** A generation and member that stand for nobody: commits from outside of the group. */
  private static final int NO_GENERATION = -1;

  /** In which partitions are listed. */
  public static final Comparator<TopicPartition> ORDER =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);

  private final KafkaApis apis;

  public Groups(KafkaApis apis) {
    this.apis = apis;
  }

  /**
   * A committed offset.
   *
   * @param offset to be read next
   */
  public record Committed(long offset, String metadata) {}

  /** Every group that there is. */
  public CompletionStage<List<ListedGroup>> list() {
    CompletionStage<List<ListedGroup>> all = CompletableFuture.completedFuture(List.of());
    for (int node : apis.liveNodes()) {
      all =
          all.thenCombine(
              apis.retrying(() -> listAt(node)),
              (some, more) -> Stream.concat(some.stream(), more.stream()).toList());
    }
    return all;
  }

  /** Those that this node coordinates. */
  public CompletionStage<List<ListedGroup>> listHere() {
    return listAt(apis.nodeId());
  }

  private CompletionStage<List<ListedGroup>> listAt(int node) {
    return apis.callAt(
            node, ApiKeys.LIST_GROUPS, new ListGroupsRequestData(), ListGroupsResponseData.class)
        .thenApply(response -> {
          check(Errors.forCode(response.errorCode()), "");
          return response.groups();
        });
  }

  /** The node that coordinates a group. */
  public CompletionStage<Integer> coordinator(String group) {
    return apis.retrying(() -> apis.coordinator(group));
  }

  /** A group with its members. */
  public CompletionStage<DescribedGroup> describe(String group) {
    return apis.retrying(() -> describeOnce(group));
  }

  private CompletionStage<DescribedGroup> describeOnce(String group) {
    return apis.callCoordinator(
            group,
            ApiKeys.DESCRIBE_GROUPS,
            new DescribeGroupsRequestData().setGroups(List.of(group)),
            DescribeGroupsResponseData.class)
        .thenApply(response -> {
          DescribedGroup described = response.groups().getFirst();
          Errors error = Errors.forCode(described.errorCode());
          if (error == Errors.GROUP_ID_NOT_FOUND || described.groupState().equals("Dead")) {
            throw new HttpFailure(404, 404, "there is no consumer group " + group);
          }
          check(error, described.errorMessage() == null ? "" : described.errorMessage());
          return described;
        });
  }

  /**
   * Committed offsets.
   *
   * @param partitions null for all that the group has committed; those it has not are left out
   */
  public CompletionStage<Map<TopicPartition, Committed>> committed(
      String group, @Nullable List<TopicPartition> partitions) {
    OffsetFetchRequestData.OffsetFetchRequestGroup asked =
        new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group).setTopics(null);
    if (partitions != null) {
      Map<String, OffsetFetchRequestData.OffsetFetchRequestTopics> topics = new HashMap<>();
      for (TopicPartition partition : partitions) {
        topics
            .computeIfAbsent(
                partition.topic(),
                name -> new OffsetFetchRequestData.OffsetFetchRequestTopics().setName(name))
            .partitionIndexes()
            .add(partition.partition());
      }
      asked.setTopics(List.copyOf(topics.values()));
    }
    return apis.retrying(() -> fetch(group, asked));
  }

  private CompletionStage<Map<TopicPartition, Committed>> fetch(
      String group, OffsetFetchRequestData.OffsetFetchRequestGroup asked) {
    return apis.callCoordinator(
            group,
            ApiKeys.OFFSET_FETCH,
            VERSION_WITH_NAMES,
            new OffsetFetchRequestData().setGroups(List.of(asked)).setRequireStable(true),
            OffsetFetchResponseData.class)
        .thenApply(response -> {
          var answer = response.groups().getFirst();
          check(Errors.forCode(answer.errorCode()), "");
          Map<TopicPartition, Committed> committed = new TreeMap<>(ORDER);
          answer
              .topics()
              .forEach(topic ->
                  topic
                      .partitions()
                      .forEach(each -> {
                        if (each.committedOffset() >= 0) {
                          committed.put(
                              new TopicPartition(topic.name(), each.partitionIndex()),
                              new Committed(
                                  each.committedOffset(),
                                  each.metadata() == null ? "" : each.metadata()));
                        }
                      }));
          return committed;
        });
  }

  /** Deletes a group, which must have no members, with its committed offsets. */
  public CompletionStage<Void> delete(String group) {
    return apis.retrying(() ->
        apis.callCoordinator(
                group,
                ApiKeys.DELETE_GROUPS,
                new DeleteGroupsRequestData().setGroupsNames(List.of(group)),
                DeleteGroupsResponseData.class)
            .thenAccept(response -> {
              Errors error = Errors.forCode(response.results().find(group).errorCode());
              check(error, error == Errors.NONE ? "" : "deleting group " + group);
            }));
  }

  /** Commits from outside of the group, which must have no members. */
  public CompletionStage<Void> commit(String group, Map<TopicPartition, Committed> offsets) {
    return apis.retrying(() -> commit(group, "", NO_GENERATION, offsets));
  }

  /** Commits as a member. */
  CompletionStage<Void> commit(
      String group, String memberId, int generation, Map<TopicPartition, Committed> offsets) {
    Map<String, OffsetCommitRequestData.OffsetCommitRequestTopic> topics = new HashMap<>();
    offsets.forEach((partition, committed) ->
        topics
            .computeIfAbsent(
                partition.topic(),
                name -> new OffsetCommitRequestData.OffsetCommitRequestTopic().setName(name))
            .partitions()
            .add(
                new OffsetCommitRequestData.OffsetCommitRequestPartition()
                    .setPartitionIndex(partition.partition())
                    .setCommittedOffset(committed.offset())
                    .setCommittedMetadata(committed.metadata())));
    OffsetCommitRequestData request =
        new OffsetCommitRequestData()
            .setGroupId(group)
            .setMemberId(memberId)
            .setGenerationIdOrMemberEpoch(generation)
            .setTopics(List.copyOf(topics.values()));
    return apis.callCoordinator(
            group,
            ApiKeys.OFFSET_COMMIT,
            VERSION_WITH_NAMES,
            request,
            OffsetCommitResponseData.class)
        .thenAccept(response ->
            response
                .topics()
                .forEach(topic ->
                    topic
                        .partitions()
                        .forEach(each ->
                            check(
                                Errors.forCode(each.errorCode()),
                                "committing %s-%d for group %s"
                                    .formatted(topic.name(), each.partitionIndex(), group)))));
  }

  static void check(Errors error, String doing) {
    if (error != Errors.NONE) {
      throw HttpFailure.of(
          error, doing.isEmpty() ? error.message() : doing + ": " + error.message());
    }
  }
}
