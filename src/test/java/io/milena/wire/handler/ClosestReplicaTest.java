package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.common.Clock;
import io.milena.log.LogView;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.Reassignment;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/**
 * Fetch from the closest replica (KIP-392). Node 1 is in rack r1, node 2 in none; topic {@code t}
 * is on both, and node 2 leads it.
 */
class ClosestReplicaTest {

  private static final int CLOSE = 1;
  private static final int LEADER = 2;
  private static final long LOG_END = 5;

  private final DirectMetadata metadata = DirectMetadata.withNodes(2);
  private final TestConnection connection = TestConnection.onInsideListener();
  private ReplicaRole role = ReplicaRole.LEADER;

  ClosestReplicaTest() {
    metadata.topic("t", 1, 2);
    var set = metadata.image().replicaSets().get(0);
    assertThat(set.leader()).isEqualTo(LEADER);
    assertThat(set.isr()).contains(CLOSE);
  }

  private CompletableFuture<FetchResponseData> fetch(
      String selector, int version, String rack, long offset) {
    LogView log =
        proxy(
            LogView.class,
            (_, method, _) -> method.getName().equals("logEndOffset") ? LOG_END : 0L);
    Replica replica =
        proxy(
            Replica.class,
            (_, method, _) ->
                method.getName().equals("view")
                    ? new ReplicaView(role, 0, LEADER, log, LOG_END, LOG_END, LOG_END)
                    : null);
    ReplicaDirectory directory =
        new ReplicaDirectory() {
          @Override
          public Replica find(TopicPartition partition) {
            return replica;
          }

          @Override
          public Collection<? extends Replica> all() {
            return List.of(replica);
          }
        };
    FetchHandler handler =
        new FetchHandler(
            new LeaderLookup(metadata, directory),
            new FetchSessions(10, Clock.system(), new Random(1)),
            1_000_000,
            new ClosestReplica(selector));
    FetchRequestData request =
        new FetchRequestData()
            .setMaxWaitMs(500)
            .setMinBytes(1)
            .setRackId(rack)
            .setTopics(
                List.of(
                    new FetchTopic()
                        .setTopic("t")
                        .setPartitions(
                            List.of(
                                new FetchPartition()
                                    .setFetchOffset(offset)
                                    .setPartitionMaxBytes(1_000)))));
    return connection.<FetchResponseData>askLater(handler, version, request).toCompletableFuture();
  }

  private static <T> T proxy(Class<T> type, InvocationHandler behaviour) {
    return type.cast(
        Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, behaviour));
  }

  private static PartitionData only(CompletableFuture<FetchResponseData> answer) {
    assertThat(answer).isDone();
    return answer.join().responses().getFirst().partitions().getFirst();
  }

  @Test
  void leaderSendsAConsumerToTheInSyncReplicaInItsRack() {
    PartitionData data = only(fetch(ClosestReplica.RACK_AWARE, 11, "r1", LOG_END));
    assertThat(data.errorCode()).isZero();
    assertThat(data.preferredReadReplica()).isEqualTo(CLOSE);
    assertThat(data.highWatermark()).isEqualTo(LOG_END);
    assertThat(data.records().sizeInBytes()).isZero();
  }

  @Test
  void leaderKeepsConsumersThatNobodyIsCloserTo() {
    assertThat(fetch(null, 12, "r1", LOG_END)).as("no selector").isNotDone();
    assertThat(fetch(ClosestReplica.RACK_AWARE, 12, "", LOG_END)).as("no rack").isNotDone();
    assertThat(fetch(ClosestReplica.RACK_AWARE, 12, "r9", LOG_END)).as("no replica").isNotDone();
    assertThat(fetch(ClosestReplica.RACK_AWARE, 10, "", LOG_END)).as("old client").isNotDone();
    metadata.fenceNode(CLOSE);
    assertThat(fetch(ClosestReplica.RACK_AWARE, 12, "r1", LOG_END)).as("gone").isNotDone();
  }

  @Test
  void replicaOutOfSyncIsNotRecommended() {
    metadata.submit(
        new MetadataCommand.AlterReassignments(
            List.of(new Reassignment(new TopicPartition("t", 0), Optional.of(List.of(LEADER)))),
            true));
    metadata.submit(
        new MetadataCommand.AlterReassignments(
            List.of(
                new Reassignment(new TopicPartition("t", 0), Optional.of(List.of(LEADER, CLOSE)))),
            true));
    assertThat(fetch(ClosestReplica.RACK_AWARE, 12, "r1", LOG_END)).isNotDone();
  }

  @Test
  void followerServesConsumersThatKnowOfIt() {
    role = ReplicaRole.FOLLOWER;
    assertThat(fetch(null, 11, "", LOG_END)).as("waits for records").isNotDone();
    assertThat(only(fetch(null, 11, "", LOG_END + 1)).errorCode())
        .isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
    assertThat(only(fetch(null, 10, "", LOG_END)).errorCode())
        .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
    role = ReplicaRole.IDLE;
    assertThat(only(fetch(null, 11, "", LOG_END)).errorCode())
        .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
  }
}
