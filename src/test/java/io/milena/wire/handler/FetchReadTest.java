package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.milena.common.Clock;
import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.requests.FetchResponse;
import org.junit.jupiter.api.Test;

/** A Fetch request that waits. */
class FetchReadTest {

  private final List<Runnable> listeners = new ArrayList<>();
  private ReplicaView view =
      new ReplicaView(ReplicaRole.LEADER, 0, 1, proxy(LogView.class, (_, _, _) -> 0L), 0, 0, 0);
  private boolean viewIsBroken;
  private int listenersMax = Integer.MAX_VALUE;

  @Test
  void aFailureOnTheWakeUpPathIsAnswered() {
    TestConnection connection = TestConnection.onInsideListener();
    CompletableFuture<FetchResponseData> answer = fetchThatWaits(connection);
    viewIsBroken = true;
    List.copyOf(listeners).forEach(Runnable::run);
    assertThat(answer).isCompletedExceptionally();
    assertThat(listeners).isEmpty();
    assertThat(connection.pendingTimers()).isZero();
  }

  @Test
  void aFailureWhenTheTimeIsUpIsAnswered() {
    TestConnection connection = TestConnection.onInsideListener();
    CompletableFuture<FetchResponseData> answer = fetchThatWaits(connection);
    viewIsBroken = true;
    connection.advance(500);
    assertThat(answer).isCompletedExceptionally();
    assertThat(listeners).isEmpty();
  }

  @Test
  void aFailureWhileItBeginsToWaitLeavesNoListener() {
    TestConnection connection = TestConnection.onInsideListener();
    listenersMax = 1;
    assertThatThrownBy(
            () -> fetch(connection, new FetchPartition(), new FetchPartition().setPartition(1)))
        .hasMessage("no more listeners");
    assertThat(listeners).isEmpty();
    assertThat(connection.pendingTimers()).isZero();
  }

  @Test
  void aLeaderThatDoesNotKnowHowFarItsPredecessorHadCommittedTellsNoHighWatermark() {
    long epochStart = 501;
    view = new ReplicaView(ReplicaRole.LEADER, 2, 1, logOfEpochOne(epochStart), 300, 300, 0);
    assertThat(toldHighWatermark()).isEqualTo(FetchResponse.INVALID_HIGH_WATERMARK);
    view =
        new ReplicaView(
            ReplicaRole.LEADER, 2, 1, logOfEpochOne(epochStart), epochStart, epochStart, 0);
    assertThat(toldHighWatermark()).isEqualTo(epochStart);
  }

  /** Told with the refusal of an offset, which needs no records to read. */
  private long toldHighWatermark() {
    CompletableFuture<FetchResponseData> answer =
        fetch(TestConnection.onInsideListener(), new FetchPartition().setFetchOffset(1_000));
    return answer.join().responses().getFirst().partitions().getFirst().highWatermark();
  }

  /** Nothing was appended yet in the epoch of the leader. */
  private static LogView logOfEpochOne(long endOffset) {
    return proxy(
        LogView.class,
        (_, method, _) ->
            switch (method.getName()) {
              case "latestLeaderEpoch" -> 1;
              case "logEndOffset" -> endOffset;
              default -> 0L;
            });
  }

  private CompletableFuture<FetchResponseData> fetchThatWaits(TestConnection connection) {
    CompletableFuture<FetchResponseData> answer = fetch(connection, new FetchPartition());
    assertThat(answer).isNotDone();
    assertThat(listeners).hasSize(1);
    return answer;
  }

  private CompletableFuture<FetchResponseData> fetch(
      TestConnection connection, FetchPartition... partitions) {
    for (FetchPartition partition : partitions) {
      partition.setPartitionMaxBytes(1_000);
    }
    Replica replica = emptyReplica();
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
            new LeaderLookup(DirectMetadata.withNodes(1), directory),
            new FetchSessions(10, Clock.system(), new Random(1)),
            1_000_000,
            new ClosestReplica(null));
    FetchRequestData request =
        new FetchRequestData()
            .setMaxWaitMs(500)
            .setMinBytes(1)
            .setTopics(
                List.of(new FetchTopic().setTopic("topic").setPartitions(List.of(partitions))));
    return connection.<FetchResponseData>askLater(handler, 12, request).toCompletableFuture();
  }

  /**
   * Leads an empty log unless a test says otherwise; its view cannot be read once {@link
   * #viewIsBroken}.
   */
  private Replica emptyReplica() {
    return proxy(
        Replica.class,
        (_, method, arguments) -> {
          switch (method.getName()) {
            case "view" -> {
              if (viewIsBroken) {
                throw new IllegalStateException("as the test wants it");
              }
              return view;
            }
            case "addListener" -> {
              if (listeners.size() == listenersMax) {
                throw new IllegalStateException("no more listeners");
              }
              listeners.add((Runnable) arguments[0]);
            }
            case "removeListener" -> listeners.remove((Runnable) arguments[0]);
            default -> throw new UnsupportedOperationException(method.getName());
          }
          return null;
        });
  }

  private static <T> T proxy(Class<T> type, java.lang.reflect.InvocationHandler behaviour) {
    return type.cast(
        Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, behaviour));
  }
}
