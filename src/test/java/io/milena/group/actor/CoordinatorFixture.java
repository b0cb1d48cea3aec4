package io.milena.group.actor;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import io.milena.common.Clock;
import io.milena.group.GroupConfig;
import io.milena.group.GroupRequest;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;

/** A coordinator in a real actor system over replicas in memory. */
public final class CoordinatorFixture implements AutoCloseable {

  private static final long POLL_NANOS = 2_000_000;

  static final Duration DEADLINE = Duration.ofSeconds(60);

  public final FakeMetadata metadata = new FakeMetadata();
  public final GroupCoordinator coordinator;
  final Map<TopicPartition, FakeReplica> replicas = new ConcurrentHashMap<>();
  final AtomicLong wallClockAheadMs = new AtomicLong();
  private final ActorTestKit kit = ActorTestKit.create();

  public CoordinatorFixture(GroupConfig config) {
    ReplicaDirectory directory =
        new ReplicaDirectory() {
          @Override
          public Replica find(TopicPartition partition) {
            return replicas.get(partition);
          }

          @Override
          public Collection<? extends Replica> all() {
            return replicas.values();
          }
        };
    Clock clock =
        new Clock() {
          @Override
          public long wallClockMs() {
            return Clock.system().wallClockMs() + wallClockAheadMs.get();
          }

          @Override
          public long monotonicNanos() {
            return Clock.system().monotonicNanos();
          }
        };
    coordinator = new GroupCoordinator(FakeMetadata.NODE_ID, config, directory, metadata, clock);
    kit.spawn(coordinator.behavior());
  }

  /** Small and quick: 4 partitions, no initial delay, expiry every 50 ms. */
  public static GroupConfig quickConfig() {
    GroupConfig it = GroupConfig.DEFAULT;
    return new GroupConfig(
        0,
        100,
        it.maxSessionTimeoutMs(),
        it.maxSize(),
        it.newMemberJoinTimeoutMs(),
        it.offsetMetadataMaxBytes(),
        it.offsetsRetentionMs(),
        50,
        it.offsetsCommitTimeoutMs(),
        4,
        it.offsetsTopicReplicationFactor(),
        it.offsetsTopicSegmentBytes());
  }

  /** Creates the offsets topic, and this node's replicas of it a moment later. */
  public void start() {
    assertThat(get(coordinator.offsetsTopic().create())).isTrue();
    for (int i = 0; i < coordinator.config().offsetsTopicPartitions(); i++) {
      TopicPartition partition = new TopicPartition(GroupCoordinator.topicName(), i);
      replicas.put(partition, new FakeReplica(partition));
    }
    for (int i = 0; i < coordinator.config().offsetsTopicPartitions(); i++) {
      String groupId = groupOfPartition(i);
      until(() -> get(fetch(groupId, "topic")).errorCode() == Errors.NONE.code());
    }
  }

  /** Some group whose state is in this partition. */
  private String groupOfPartition(int partition) {
    return IntStream.iterate(0, i -> i + 1)
        .mapToObj(i -> "probe-" + i)
        .filter(groupId -> coordinator.offsetsTopic().partitionOf(groupId) == partition)
        .findFirst()
        .orElseThrow();
  }

  FakeReplica replicaOf(String groupId) {
    return replicas.get(
        new TopicPartition(
            GroupCoordinator.topicName(), coordinator.offsetsTopic().partitionOf(groupId)));
  }

  public static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within " + DEADLINE);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  public static <T> T get(java.util.concurrent.CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }

  <R extends Message> R ask(GroupRequest<R> request) {
    return get(coordinator.ask(request));
  }

  java.util.concurrent.CompletionStage<OffsetFetchResponseGroup> fetch(
      String groupId, String topic) {
    return coordinator.ask(
        new GroupRequest.FetchOffsets(
            new OffsetFetchRequestGroup()
                .setGroupId(groupId)
                .setTopics(
                    List.of(
                        new OffsetFetchRequestTopics()
                            .setName(topic)
                            .setPartitionIndexes(List.of(0)))),
            false));
  }

  /** The committed offset of partition 0, or -1; the group's error as an exception. */
  long committed(String groupId, String topic) {
    OffsetFetchResponseGroup group = get(fetch(groupId, topic));
    assertThat(Errors.forCode(group.errorCode())).isEqualTo(Errors.NONE);
    return group.topics().getFirst().partitions().getFirst().committedOffset();
  }

  Errors commit(String groupId, String topic, long offset) {
    OffsetCommitRequestData data =
        new OffsetCommitRequestData()
            .setGroupId(groupId)
            .setTopics(
                List.of(
                    new OffsetCommitRequestTopic()
                        .setName(topic)
                        .setPartitions(
                            List.of(
                                new OffsetCommitRequestPartition()
                                    .setPartitionIndex(0)
                                    .setCommittedOffset(offset)))));
    return Errors.forCode(
        ask(new GroupRequest.CommitOffsets(data, (short) 9))
            .topics()
            .getFirst()
            .partitions()
            .getFirst()
            .errorCode());
  }

  JoinGroupResponseData join(String groupId, String memberId, int sessionTimeoutMs) {
    JoinGroupRequestData data =
        new JoinGroupRequestData()
            .setGroupId(groupId)
            .setMemberId(memberId)
            .setProtocolType("consumer")
            .setSessionTimeoutMs(sessionTimeoutMs)
            .setRebalanceTimeoutMs(sessionTimeoutMs);
    data.protocols().add(new JoinGroupRequestProtocol().setName("range").setMetadata(new byte[0]));
    return ask(
        new GroupRequest.Join(
            data, (short) 9, "client", "/127.0.0.1", GroupCoordinator.newMemberId("client")));
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
  }
}
