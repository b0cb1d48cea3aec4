package io.milena.faults;

import static io.milena.faults.FaultCase.IMPATIENT;
import static io.milena.faults.FaultCase.PACE;
import static io.milena.faults.FaultCase.SEGMENTS;
import static io.milena.faults.FaultExtension.WHOLE_LIST;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.AcknowledgedRecords;
import io.milena.NodeProcess;
import io.milena.SeenRecords;
import io.milena.SmallDisk;
import io.milena.faults.FaultCluster.Disks;
import io.milena.faults.ReplicaFiles.Damage;
import io.milena.node.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults of a node that is alone, while an idempotent producer writes and a reader reads. */
@Timeout(900)
class OneNodeFaultsIT {

  private static final int NODE = 1;
  private static final int RESTARTS = 3;
  private static final int KILLS = 12;
  private static final Duration LIFE_MAX = Duration.ofSeconds(5);

  @RegisterExtension static final FaultExtension CLUSTER = new FaultExtension(1, Disks.SMALL);

  @Test
  void pausedShortly() throws Exception {
    paused(1);
  }

  @Tag(WHOLE_LIST)
  @ParameterizedTest
  @ValueSource(ints = {5, 20})
  void paused(int seconds) throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    String name = "one node: SIGSTOP for %d s".formatted(seconds);
    try (FaultCase faults = FaultCase.begin(name, cluster, NODE, PACE, IMPATIENT)) {
      cluster.pause(NODE, Duration.ofSeconds(seconds));
      faults.finish();
    }
  }

  @Tag(WHOLE_LIST)
  @Test
  void stoppedAndStartedAgain() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    try (FaultCase faults = FaultCase.begin("one node: stopped and started", cluster, NODE)) {
      for (int i = 0; i < RESTARTS; i++) {
        assertThat(cluster.node(NODE).terminate()).isIn(0, 143);
        cluster.start(NODE);
        faults.awaitProgress();
      }
      faults.finish();
    }
  }

  /** Also while it starts, opens its logs and recovers them. */
  @Tag(WHOLE_LIST)
  @Test
  void killedAtAnyMoment() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    FaultCluster cluster = CLUSTER.cluster();
    String name = "one node: kill -9, %d times, also at start".formatted(KILLS);
    try (FaultCase faults = FaultCase.begin(name, cluster, NODE, SEGMENTS, Map.of())) {
      NodeProcess node = cluster.node(NODE);
      for (int i = 0; i < KILLS; i++) {
        if (i % 2 == 0) {
          faults.awaitProgress();
        } else {
          TimeUnit.NANOSECONDS.sleep(random.nextLong(LIFE_MAX.toNanos()));
        }
        node.kill();
        node.launch();
      }
      node.awaitReady();
      faults.finish();
    } catch (Throwable failure) {
      failure.addSuppressed(new AssertionError("seed " + seed));
      throw failure;
    }
  }

  @Tag(WHOLE_LIST)
  @Test
  void cutOffFromItsClients() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    CLUSTER.assumeCuts();
    try (FaultCase faults =
        FaultCase.begin(
            "one node: cut off from its clients for 3 s", cluster, NODE, PACE, IMPATIENT)) {
      cluster.network().cutBothWays(ClusterNetwork.CLIENTS, NODE);
      TimeUnit.SECONDS.sleep(3);
      cluster.network().heal();
      faults.finish();
    }
  }

  @Test
  void killedWhileItsDiskIsFull() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    SmallDisk disk = CLUSTER.assumeSmallDisk(NODE);
    try (FaultCase faults =
        FaultCase.begin("one node: disk full, kill -9, space again, started", cluster, NODE)) {
      AcknowledgedRecords load = faults.load();
      disk.fill();
      // What is left of the pages that files have is used up first.
      Await.until(() -> load.retries() > 0, "the producer is refused");
      cluster.node(NODE).kill();
      disk.free();
      cluster.start(NODE);
      faults.finish();
    }
  }

  @Tag(WHOLE_LIST)
  @Test
  void diskFullForAWhile() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    SmallDisk disk = CLUSTER.assumeSmallDisk(NODE);
    try (FaultCase faults = FaultCase.begin("one node: disk full for 3 s", cluster, NODE)) {
      AcknowledgedRecords load = faults.load();
      disk.fill();
      Await.until(() -> load.retries() > 0, "the producer is refused");
      TimeUnit.SECONDS.sleep(3);
      disk.free();
      faults.finish();
    }
  }

  /**
   * What one bit costs: its batch, of which readers are told, and nothing else. There is no other
   * replica to heal from.
   */
  @Test
  void aBitFlipsInASealedSegment() throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    String name = "one node: a bit flipped in a sealed segment";
    try (FaultCase faults = FaultCase.begin(name, cluster, NODE, SEGMENTS, Map.of())) {
      AcknowledgedRecords load = faults.load();
      TopicPartition damaged = faults.partition(0);
      ReplicaFiles files = cluster.replica(NODE, damaged);
      Await.until(() -> files.sealedSegments().size() > 1, "a segment is sealed");
      assertThat(cluster.node(NODE).terminate()).isIn(0, 143);
      Path segment = files.sealedSegments().getFirst();
      Damage damage = ReplicaFiles.damage(segment);
      cluster.start(NODE);
      faults.awaitProgress();
      load.close();

      Map<Long, Long> expected = load.acknowledgedIn(0);
      expected
          .keySet()
          .removeIf(offset -> offset >= damage.baseOffset() && offset < damage.nextOffset());
      SeenRecords seen = readAround(cluster, damaged, damage);
      assertThat(seen.violations(expected, "acknowledged"))
          .containsExactly(
              "reader: offset %d after %d".formatted(damage.nextOffset(), damage.baseOffset() - 1));
      for (int partition = 1; partition < FaultCase.PARTITIONS; partition++) {
        assertThat(load.violationsIn(partition, cluster.bootstrap())).isEmpty();
      }
      FaultReport.add(name, load.longestGap(), load);
    }
  }

  /** Reads a partition; the damaged batch is refused by the client's own check and stepped over. */
  private static SeenRecords readAround(
      FaultCluster cluster, TopicPartition partition, Damage damage) throws Exception {
    SeenRecords seen = new SeenRecords("reader");
    long end = cluster.highWatermark(partition);
    boolean[] refused = {false};
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.<String, Object>of("bootstrap.servers", cluster.bootstrap()),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      Await.until(
          () -> {
            try {
              for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                seen.see(record.offset(), AcknowledgedRecords.numberOf(record.value()));
              }
            } catch (KafkaException invalid) {
              assertThat(consumer.position(partition)).isEqualTo(damage.baseOffset());
              consumer.seek(partition, damage.nextOffset());
              refused[0] = true;
            }
            return consumer.position(partition) >= end;
          },
          "the rest of the partition is read");
    }
    assertThat(refused[0]).as("the damaged batch is refused").isTrue();
    return seen;
  }
}
