package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.AppendOutcome;
import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;

/** When a Produce request gives its bytes back. */
class ProduceHandlerTest {

  private record Pending(Runnable onWritten, CompletableFuture<AppendOutcome> outcome) {}

  private final List<Pending> appends = new ArrayList<>();
  private final TestConnection connection = TestConnection.onInsideListener();

  @Test
  void bytesAreGivenBackOnceAllPartitionsAreWrittenThoughNoneIsAcknowledged() {
    CompletableFuture<ProduceResponseData> answer = produce(2);
    appends.get(0).onWritten().run();
    assertThat(connection.releases()).as("the other partition's bytes are in use").isZero();
    appends.get(1).onWritten().run();
    assertThat(connection.releases()).isOne();
    assertThat(answer).isNotDone();
    appends.get(0).outcome().complete(new AppendOutcome.Appended(5, 5, -1));
    appends.get(1).outcome().complete(new AppendOutcome.Appended(6, 6, -1));
    assertThat(answer.join().responses().iterator().next().partitionResponses())
        .extracting(ProduceResponseData.PartitionProduceResponse::baseOffset)
        .containsExactly(5L, 6L);
    assertThat(connection.releases()).isOne();
  }

  @Test
  void aPartitionThatIsDecidedAtOnceNeedsItsBytesNoMore() {
    CompletableFuture<ProduceResponseData> answer = produce(2);
    appends.get(0).outcome().complete(new AppendOutcome.Duplicate(1, 1, -1));
    assertThat(connection.releases()).isZero();
    appends.get(1).onWritten().run();
    assertThat(connection.releases()).isOne();
    appends.get(1).outcome().complete(new AppendOutcome.Appended(6, 6, -1));
    assertThat(answer).isCompleted();
    assertThat(connection.releases()).isOne();
  }

  private CompletableFuture<ProduceResponseData> produce(int partitions) {
    Replica replica = replica();
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
    List<PartitionProduceData> data = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      MemoryRecords records =
          MemoryRecords.withRecords(Compression.NONE, new SimpleRecord("value".getBytes()));
      data.add(new PartitionProduceData().setIndex(i).setRecords(records));
    }
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(new TopicProduceData().setName("topic").setPartitionData(data));
    CompletableFuture<ProduceResponseData> answer =
        connection
            .<ProduceResponseData>askLater(
                new ProduceHandler(new LeaderLookup(DirectMetadata.withNodes(1), directory)),
                9,
                new ProduceRequestData()
                    .setAcks((short) -1)
                    .setTimeoutMs(1_000)
                    .setTopicData(topics))
            .toCompletableFuture();
    assertThat(answer).isNotDone();
    assertThat(appends).hasSize(partitions);
    return answer;
  }

  /** Leads an empty log, and decides an append when the test does. */
  private Replica replica() {
    LogView log = proxy(LogView.class, (_, _, _) -> 0L);
    ReplicaView view = new ReplicaView(ReplicaRole.LEADER, 0, 1, log, 0, 0, 0);
    return proxy(
        Replica.class,
        (_, method, arguments) ->
            switch (method.getName()) {
              case "view" -> view;
              case "append" -> {
                CompletableFuture<AppendOutcome> outcome = new CompletableFuture<>();
                appends.add(new Pending((Runnable) arguments[5], outcome));
                yield outcome;
              }
              default -> throw new UnsupportedOperationException(method.getName());
            });
  }

  private static <T> T proxy(Class<T> type, InvocationHandler behaviour) {
    return type.cast(
        Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, behaviour));
  }
}
