package io.milena.wire.handler;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.log.LogView;
import io.milena.replication.Replica;
import io.milena.replication.ReplicaDirectory;
import io.milena.replication.ReplicaRole;
import io.milena.replication.ReplicaView;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DescribeLogDirsHandlerTest {

  private static final String GOOD = "/data/good";
  private static final String BROKEN = "/data/broken";

  private final Map<String, Replica> replicas = new TreeMap<>();
  private final TestConnection connection = TestConnection.onInsideListener();
  private final DescribeLogDirsHandler handler =
      new DescribeLogDirsHandler(
          new ReplicaDirectory() {
            @Override
            public @Nullable Replica find(TopicPartition partition) {
              return replicas.get(partition.toString());
            }

            @Override
            public Collection<Replica> all() {
              return replicas.values();
            }
          },
          new LogDirectories() {
            @Override
            public List<LogDirectory> list() {
              return List.of(
                  new LogDirectory(GOOD, Errors.NONE, 1_000, 400),
                  new LogDirectory(
                      BROKEN, Errors.KAFKA_STORAGE_ERROR, UNKNOWN_BYTES, UNKNOWN_BYTES));
            }

            @Override
            public List<FutureLog> futureLogs() {
              return List.of(new FutureLog(new TopicPartition("b", 0), GOOD, 20, 3));
            }

            @Override
            public Errors move(TopicPartition partition, String path) {
              throw new UnsupportedOperationException();
            }

            @Override
            public String pathOf(TopicPartition partition) {
              return partition.topic().equals("lost") ? BROKEN : GOOD;
            }
          });

  DescribeLogDirsHandlerTest() {
    replica("a", 0, 100, 7, 5);
    replica("a", 1, 200, 5, 9);
    replica("b", 0, 300, 0, 0);
    replica("lost", 0, 400, 0, 0);
  }

  /** A replica of which only what the handler reads is there; all else fails the test. */
  private void replica(
      String topic, int partition, long sizeBytes, long logEndOffset, long highWatermark) {
    LogView log = only(LogView.class, Map.of("sizeBytes", sizeBytes, "logEndOffset", logEndOffset));
    TopicPartition name = new TopicPartition(topic, partition);
    ReplicaView view =
        new ReplicaView(ReplicaRole.LEADER, 0, 1, log, highWatermark, highWatermark, highWatermark);
    replicas.put(name.toString(), only(Replica.class, Map.of("partition", name, "view", view)));
  }

  private static <T> T only(Class<T> type, Map<String, Object> values) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              if (method.getName().equals("hashCode")) {
                return System.identityHashCode(self);
              }
              if (method.getName().equals("equals")) {
                return self == arguments[0];
              }
              Object value = values.get(method.getName());
              assertThat(value).as(method.getName()).isNotNull();
              return value;
            }));
  }

  private static DescribeLogDirsRequestData asking(String topic, Integer... partitions) {
    DescribeLogDirsRequestData request = new DescribeLogDirsRequestData();
    request
        .topics()
        .add(new DescribableLogDirTopic().setTopic(topic).setPartitions(List.of(partitions)));
    return request;
  }

  /** Such as {@code a-0 100 lag 0}. */
  private static List<String> text(DescribeLogDirsResult result) {
    List<String> lines = new ArrayList<>();
    for (DescribeLogDirsTopic topic : result.topics()) {
      for (DescribeLogDirsPartition partition : topic.partitions()) {
        lines.add(
            topic.name()
                + "-"
                + partition.partitionIndex()
                + " "
                + partition.partitionSize()
                + " lag "
                + partition.offsetLag()
                + (partition.isFutureKey() ? " future" : ""));
      }
    }
    return lines;
  }

  @Test
  void everyVersionDescribesDirectoriesAndReplicas() {
    for (int version = handler.minVersion(); version <= handler.maxVersion(); version++) {
      DescribeLogDirsResponseData response =
          connection.ask(handler, version, new DescribeLogDirsRequestData().setTopics(null));

      assertThat(response.errorCode()).isZero();
      assertThat(response.results()).hasSize(2);
      DescribeLogDirsResult good = response.results().getFirst();
      assertThat(good.errorCode()).isZero();
      assertThat(good.logDir()).isEqualTo(GOOD);
      assertThat(text(good))
          .containsExactly(
              "a-0 100 lag 0", "a-1 200 lag 4", "b-0 300 lag 0", "b-0 20 lag 3 future");
      assertThat(good.totalBytes()).isEqualTo(version >= 4 ? 1_000 : -1);
      assertThat(good.usableBytes()).isEqualTo(version >= 4 ? 400 : -1);
      DescribeLogDirsResult broken = response.results().getLast();
      assertThat(broken.errorCode()).isEqualTo(Errors.KAFKA_STORAGE_ERROR.code());
      assertThat(broken.topics()).isEmpty();
    }
  }

  @Test
  void onlyReplicasAskedForAndHereAreDescribed() {
    DescribeLogDirsResponseData some = connection.ask(handler, 5, asking("a", 1, 77));
    assertThat(text(some.results().getFirst())).containsExactly("a-1 200 lag 4");

    DescribeLogDirsResponseData none = connection.ask(handler, 5, new DescribeLogDirsRequestData());
    assertThat(text(none.results().getFirst())).isEmpty();
    DescribeLogDirsResponseData unknown = connection.ask(handler, 5, asking("nix", 0));
    assertThat(text(unknown.results().getFirst())).isEmpty();
  }
}
