package io.milena;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A node that is killed with SIGKILL under load, again and again, has everything it acknowledged.
 */
@Timeout(300)
class KillUnderLoadIT {

  private static final int KILLS = 4;

  @TempDir Path data;

  /** Checkpoint files go by name: what they say of a deleted topic must not reach its namesake. */
  @Test
  void aTopicThatWasRecreatedKeepsItsRecordsOverAKill() throws Exception {
    TopicPartition partition = new TopicPartition("again", 0);
    try (NodeProcess node = NodeProcess.start(data)) {
      Map<String, Object> bootstrap = Map.of("bootstrap.servers", node.bootstrap());
      try (Admin admin = Admin.create(bootstrap)) {
        admin.createTopics(List.of(new NewTopic("again", 1, (short) 1))).all().get();
        produce(node, "again", 1_000);
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(800))).all().get();
        admin.deleteTopics(List.of("again")).all().get();
        admin.createTopics(List.of(new NewTopic("again", 1, (short) 1))).all().get();
        produce(node, "again", 500);
      }
      node.kill();
      node.start();
      try (Admin admin = Admin.create(bootstrap)) {
        assertThat(offset(admin, partition, OffsetSpec.earliest())).isZero();
        assertThat(offset(admin, partition, OffsetSpec.latest())).isEqualTo(500);
      }
    }
  }

  private static long offset(Admin admin, TopicPartition partition, OffsetSpec spec)
      throws Exception {
    return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
  }

  private static void produce(NodeProcess node, String topic, int count) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", node.bootstrap(), "acks", "all"),
            new StringSerializer(),
            new StringSerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        sent.add(producer.send(new ProducerRecord<>(topic, 0, null, "v" + i)));
      }
      for (Future<RecordMetadata> each : sent) {
        each.get();
      }
    }
  }

  @ParameterizedTest(name = "durability={0} compression={1}")
  @CsvSource({"replicated, none", "fsync, lz4"})
  void nothingAcknowledgedIsLostDoubledOrReordered(String durability, String compression)
      throws Exception {
    try (NodeProcess node = NodeProcess.start(data)) {
      try (Admin admin =
          Admin.create(Map.<String, Object>of("bootstrap.servers", node.bootstrap()))) {
        admin
            .createTopics(
                List.of(
                    new NewTopic("t", 3, (short) 1)
                        .configs(Map.of("segment.bytes", "1048576", "durability", durability))))
            .all()
            .get();
      }
      try (AcknowledgedRecords load =
          new AcknowledgedRecords(
              node.bootstrap(), "t", 3, Map.of("compression.type", compression))) {
        for (int i = 0; i < KILLS; i++) {
          load.awaitAnother(2_000);
          node.kill();
          node.start();
        }
        load.awaitAnother(2_000);
        load.close();
        load.verify(node.bootstrap());
        assertThat(load.acknowledgedCount()).isGreaterThan(KILLS * 2_000L);
      }
      assertThat(node.terminate()).isIn(0, 143);
    }
  }
}
