package io.milena.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.AcknowledgedRecords;
import io.milena.AcknowledgedRecords.Pace;
import io.milena.node.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;

/**
 * A fault under load: a topic of its own, an idempotent producer, a reader and a probe of the high
 * watermark that run while it happens; and what must hold when it is over.
 */
final class FaultCase implements AutoCloseable {

  static final int PARTITIONS = 4;

  /** What Kafka's own figures were measured with. */
  static final Pace PACE = new Pace(1_000, 100);

  /** Fills segments of 1 MiB within seconds. */
  static final Pace SEGMENTS = new Pace(1_000, 1_000);

  /**
   * After a silent cut the Java producer waits for its open request, and for a connection that it
   * begins to a node that does not answer, as long as these say, whatever the cluster does; its
   * defaults of 30 s and 10 s would hide everything else.
   */
  static final Map<String, String> IMPATIENT =
      Map.of(
          "request.timeout.ms", "1000",
          "socket.connection.setup.timeout.ms", "500",
          "socket.connection.setup.timeout.max.ms", "500");

  private static final int WARM_UP_RECORDS = 500;
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String name;
  private final FaultCluster cluster;
  private final String topic = "fault-" + COUNT.incrementAndGet();
  private final AcknowledgedRecords load;
  private final ContinuousReader reader;
  private final HighWatermarkProbe probe;

  private FaultCase(
      String name, FaultCluster cluster, int leader, Pace pace, Map<String, String> producer)
      throws Exception {
    this.name = name;
    this.cluster = cluster;
    cluster.createTopic(topic, PARTITIONS, leader, Map.of("segment.bytes", "1048576"));
    Map<String, String> settings = new TreeMap<>(producer);
    settings.putIfAbsent("client.id", topic);
    load = new AcknowledgedRecords(cluster.bootstrap(), topic, PARTITIONS, pace, settings);
    reader = new ContinuousReader(cluster.bootstrap(), topic, PARTITIONS);
    probe = new HighWatermarkProbe(cluster.admin(), topic, PARTITIONS);
  }

  /**
   * Creates the topic, starts the load and waits until everything is warm. From then on gaps count.
   *
   * @param name the fault, in the words of the report
   * @param leader node that leads all partitions
   */
  static FaultCase begin(
      String name, FaultCluster cluster, int leader, Pace pace, Map<String, String> producer)
      throws Exception {
    FaultCase begun = new FaultCase(name, cluster, leader, pace, producer);
    try {
      begun.load.awaitAnotherInEach(WARM_UP_RECORDS);
      begun.load.measureGaps();
      return begun;
    } catch (AssertionError failure) {
      begun.close();
      throw failure;
    }
  }

  static FaultCase begin(String name, FaultCluster cluster, int leader) throws Exception {
    return begin(name, cluster, leader, PACE, Map.of());
  }

  AcknowledgedRecords load() {
    return load;
  }

  String topic() {
    return topic;
  }

  TopicPartition partition(int partition) {
    return new TopicPartition(topic, partition);
  }

  /** Waits until every partition goes on. */
  void awaitProgress() {
    load.awaitAnotherInEach(100);
  }

  /**
   * Ends the load, waits until the cluster is whole again and compares what was acknowledged, what
   * was read meanwhile, what is read now, and the files of the replicas.
   */
  void finish() throws Exception {
    awaitProgress();
    load.close();
    Duration gap = load.longestGap();
    cluster.awaitHealed(topic);
    Await.until(
        () -> reader.count() >= load.acknowledgedCount() || !reader.violations().isEmpty(),
        "the reader has seen everything acknowledged");
    reader.close();
    probe.close();
    List<String> violations = load.violations(cluster.bootstrap(), reader.seen());
    violations.addAll(probe.violations());
    violations.addAll(replicaDifferences());
    assertThat(violations).as(name).isEmpty();
    FaultReport.add(name, gap, load);
  }

  private List<String> replicaDifferences() throws Exception {
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      TopicPartition partition = partition(i);
      differences.addAll(cluster.replicaDifferences(partition, cluster.highWatermark(partition)));
    }
    return differences;
  }

  @Override
  public void close() throws InterruptedException {
    probe.close();
    reader.close();
    load.abandon();
  }
}
