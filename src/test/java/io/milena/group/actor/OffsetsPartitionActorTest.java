package io.milena.group.actor;

import static io.milena.group.actor.CoordinatorFixture.get;
import static io.milena.group.actor.CoordinatorFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorRef;
import io.milena.common.Clock;
import io.milena.group.GroupRequest;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The actors of one partition, without the coordinator that starts and stops them. */
class OffsetsPartitionActorTest {

  private static final long LOADING = -2;

  private final ActorTestKit kit = ActorTestKit.create();
  private final Routes routes = new Routes();
  private final FakeReplica replica =
      new FakeReplica(new TopicPartition(GroupCoordinator.topicName(), 0));

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void aRequestThatReachesAStoppedPartitionIsRefused() {
    ActorRef<OffsetsPartitionActor.Command> partition = startPartition();
    GroupActor.Serve<DescribedGroup> late = describe();
    partition.tell(OffsetsPartitionActor.Stop.INSTANCE);
    partition.tell(new OffsetsPartitionActor.Route(late));
    assertThat(Errors.forCode(get(late.answer()).errorCode())).isEqualTo(Errors.NOT_COORDINATOR);
    kit.createTestProbe().expectTerminated(partition, CoordinatorFixture.DEADLINE);
  }

  @Test
  void aRequestThatReachesAStoppedGroupIsRefused() {
    ActorRef<OffsetsPartitionActor.Command> partition = startPartition();
    GroupActor.Serve<DescribedGroup> first = describe();
    until(() -> !routes.listings().isEmpty());
    partition.tell(new OffsetsPartitionActor.Route(first));
    get(first.answer());
    ActorRef<GroupActor.Command> group = Objects.requireNonNull(routes.group("g"));
    GroupActor.Serve<DescribedGroup> late = describe();
    group.tell(GroupActor.Stop.INSTANCE);
    group.tell(late);
    assertThat(Errors.forCode(get(late.answer()).errorCode())).isEqualTo(Errors.NOT_COORDINATOR);
  }

  @Test
  void offsetsOfATopicDeletedDuringLoadingAreForgotten() {
    ActorRef<OffsetsPartitionActor.Command> earlier = startPartition();
    until(() -> !routes.listings().isEmpty());
    commit(earlier);
    earlier.tell(OffsetsPartitionActor.Stop.INSTANCE);
    until(() -> routes.listings().isEmpty());
    replica.setLagging(true);
    ActorRef<OffsetsPartitionActor.Command> partition = startPartition();
    partition.tell(new OffsetsPartitionActor.ForgetTopics(Set.of("topic")));
    until(() -> replica.listenerCount() == 1);
    // Handled: whatever was told before this has been as well.
    GroupActor.Serve<DescribedGroup> refused = describe();
    partition.tell(new OffsetsPartitionActor.Route(refused));
    assertThat(Errors.forCode(get(refused.answer()).errorCode()))
        .isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
    replica.setLagging(false);
    until(() -> !routes.listings().isEmpty());
    until(() -> committed(partition) == -1);
  }

  @Test
  void offsetsOfATopicDeletedWhileTheirGroupRetiresAreForgotten() {
    ActorRef<OffsetsPartitionActor.Command> partition = startPartition();
    until(() -> !routes.listings().isEmpty());
    commit(partition);
    ActorRef<GroupActor.Command> group = Objects.requireNonNull(routes.group("g"));
    // Both at once: the group is retired, or told to, when it hears of the topic.
    partition.tell(new OffsetsPartitionActor.GroupIdle("g", group));
    partition.tell(new OffsetsPartitionActor.ForgetTopics(Set.of("topic")));
    until(() -> committed(partition) == -1);
  }

  @Test
  void offsetsOfATopicDeletedWhileTheirGroupBreaksAreForgotten() {
    ActorRef<OffsetsPartitionActor.Command> partition = startPartition();
    until(() -> !routes.listings().isEmpty());
    commit(partition);
    CompletableFuture<Void> told = new CompletableFuture<>();
    replica.beforeAppends(() -> {
      get(told);
      throw new IllegalStateException("as the test wants it");
    });
    GroupActor.Serve<OffsetCommitResponseData> breaking = commitRequest();
    partition.tell(new OffsetsPartitionActor.Route(breaking));
    partition.tell(new OffsetsPartitionActor.ForgetTopics(Set.of("topic")));
    // Answered by another group: the partition has handled what was told before.
    GroupActor.Serve<DescribedGroup> other =
        new GroupActor.Serve<>(
            new GroupRequest.Describe("other", (short) 6), new CompletableFuture<>());
    partition.tell(new OffsetsPartitionActor.Route(other));
    get(other.answer());
    told.complete(null);
    get(breaking.answer());
    replica.beforeAppends(() -> {});
    until(() -> committed(partition) == -1);
  }

  @Test
  void aPartitionStoppedDuringLoadingListensToItsReplicaNoMore() {
    ActorRef<OffsetsPartitionActor.Command> earlier = startPartition();
    until(() -> !routes.listings().isEmpty());
    commit(earlier);
    replica.setLagging(true);
    ActorRef<OffsetsPartitionActor.Command> partition = startPartition();
    until(() -> replica.listenerCount() == 1);
    partition.tell(OffsetsPartitionActor.Stop.INSTANCE);
    until(() -> replica.listenerCount() == 0);
  }

  private static void commit(ActorRef<OffsetsPartitionActor.Command> partition) {
    GroupActor.Serve<OffsetCommitResponseData> serve = commitRequest();
    partition.tell(new OffsetsPartitionActor.Route(serve));
    assertThat(get(serve.answer()).topics().getFirst().partitions().getFirst().errorCode())
        .isEqualTo(Errors.NONE.code());
  }

  private static GroupActor.Serve<OffsetCommitResponseData> commitRequest() {
    OffsetCommitRequestData data =
        new OffsetCommitRequestData()
            .setGroupId("g")
            .setTopics(
                List.of(
                    new OffsetCommitRequestTopic()
                        .setName("topic")
                        .setPartitions(
                            List.of(
                                new OffsetCommitRequestPartition()
                                    .setPartitionIndex(0)
                                    .setCommittedOffset(42)))));
    return new GroupActor.Serve<>(
        new GroupRequest.CommitOffsets(data, (short) 9), new CompletableFuture<>());
  }

  /** The committed offset, -1 for none, or {@link #LOADING}. */
  private static long committed(ActorRef<OffsetsPartitionActor.Command> partition) {
    OffsetFetchRequestGroup asked =
        new OffsetFetchRequestGroup()
            .setGroupId("g")
            .setTopics(
                List.of(
                    new OffsetFetchRequestTopics()
                        .setName("topic")
                        .setPartitionIndexes(List.of(0))));
    GroupActor.Serve<OffsetFetchResponseGroup> serve =
        new GroupActor.Serve<>(
            new GroupRequest.FetchOffsets(asked, false), new CompletableFuture<>());
    partition.tell(new OffsetsPartitionActor.Route(serve));
    OffsetFetchResponseGroup answer = get(serve.answer());
    return answer.errorCode() == Errors.COORDINATOR_LOAD_IN_PROGRESS.code()
        ? LOADING
        : answer.topics().getFirst().partitions().getFirst().committedOffset();
  }

  private ActorRef<OffsetsPartitionActor.Command> startPartition() {
    return kit.spawn(
        OffsetsPartitionActor.create(
            new OffsetsLog(replica, 0, CoordinatorFixture.quickConfig(), Clock.system()), routes));
  }

  private static GroupActor.Serve<DescribedGroup> describe() {
    return new GroupActor.Serve<>(
        new GroupRequest.Describe("g", (short) 6), new CompletableFuture<>());
  }
}
