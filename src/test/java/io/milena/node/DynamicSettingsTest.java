package io.milena.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Settings of a node that are changed while it runs (KIP-226), with a stock admin client. */
@Timeout(120)
class DynamicSettingsTest {

  private static final ConfigResource EVERY_NODE =
      new ConfigResource(ConfigResource.Type.BROKER, "");
  private static final int SEGMENT_BYTES = 1 << 20;

  @TempDir Path data;

  private static void change(Admin admin, ConfigResource resource, OpType how, String... pairs)
      throws Exception {
    Collection<AlterConfigOp> operations =
        Stream.of(pairs)
            .map(pair -> pair.split("=", 2))
            .map(pair -> new AlterConfigOp(new ConfigEntry(pair[0], pair[1]), how))
            .toList();
    admin.incrementalAlterConfigs(Map.of(resource, operations)).all().get();
  }

  private static ConfigEntry setting(Admin admin, ConfigResource resource, String name)
      throws Exception {
    return admin
        .describeConfigs(List.of(resource), new DescribeConfigsOptions().includeSynonyms(true))
        .all()
        .get()
        .get(resource)
        .get(name);
  }

  private static List<String> synonyms(ConfigEntry entry) {
    return entry.synonyms().stream()
        .map(synonym -> synonym.source() + " " + synonym.name() + "=" + synonym.value())
        .toList();
  }

  private static ConfigResource only(TestNode node) {
    return new ConfigResource(ConfigResource.Type.BROKER, "" + node.node().nodeId());
  }

  private long logBytes() {
    try (Stream<Path> files = Files.list(data.resolve("partitions/table-0"))) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".log"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static void fill(TestNode node) {
    try (KafkaProducer<String, String> producer = node.producer(Map.of("linger.ms", "5"))) {
      for (int i = 0; i < 5_000; i++) {
        producer.send(new ProducerRecord<>("table", "key-" + i % 10, "x".repeat(1_000)));
      }
    }
  }

  @Test
  void theNodesOwnValueWinsOverThatOfAllOverTheFilesOverTheDefault() throws Exception {
    Map<String, String> file = Map.of("log.retention.ms", "3000000");
    try (TestNode node = TestNode.start(data, file);
        Admin admin = node.admin()) {
      change(admin, EVERY_NODE, OpType.SET, "log.retention.ms=2000000", "log.cleaner.threads=2");
      change(admin, only(node), OpType.SET, "log.retention.ms=1000000");
      assertThat(setting(admin, only(node), "log.retention.ms").value()).isEqualTo("1000000");
      assertThat(synonyms(setting(admin, only(node), "log.retention.ms")))
          .startsWith(
              "DYNAMIC_BROKER_CONFIG log.retention.ms=1000000",
              "DYNAMIC_DEFAULT_BROKER_CONFIG log.retention.ms=2000000",
              "STATIC_BROKER_CONFIG log.retention.ms=3000000",
              "DEFAULT_CONFIG log.retention.hours=168");
      assertThat(synonyms(setting(admin, only(node), "log.cleaner.threads")))
          .containsExactly(
              "DYNAMIC_DEFAULT_BROKER_CONFIG log.cleaner.threads=2",
              "DEFAULT_CONFIG log.cleaner.threads=1");
      change(admin, only(node), OpType.DELETE, "log.retention.ms=");
      assertThat(setting(admin, only(node), "log.retention.ms").value()).isEqualTo("2000000");
    }
    try (TestNode node = TestNode.start(data, file);
        Admin admin = node.admin()) {
      change(admin, EVERY_NODE, OpType.DELETE, "log.retention.ms=");
      assertThat(setting(admin, only(node), "log.retention.ms").value()).isEqualTo("3000000");
    }
  }

  @Test
  void theCleanerWakesUpWhenItsPauseBecomesShorterAlsoAfterARestart() throws Exception {
    Map<String, String> sleeping = Map.of("log.cleaner.backoff.ms", "3600000");
    try (TestNode node = TestNode.start(data, sleeping);
        Admin admin = node.admin()) {
      admin
          .createTopics(
              List.of(
                  new NewTopic("table", 1, (short) 1)
                      .configs(
                          Map.of(
                              "cleanup.policy", "compact", "segment.bytes", "" + SEGMENT_BYTES))))
          .all()
          .get();
      // The cleaner looks once at its start: what is written below it finds in an hour.
      fill(node);
      change(admin, EVERY_NODE, OpType.SET, "log.cleaner.threads=2", "log.cleaner.backoff.ms=100");
      Await.until(() -> logBytes() < 2L * SEGMENT_BYTES, "the log shrinks");
    }
    try (TestNode node = TestNode.start(data, sleeping)) {
      fill(node);
      Await.until(() -> logBytes() < 2L * SEGMENT_BYTES, "the log shrinks after a restart");
    }
  }

  @Test
  void whatWouldLockEveryoneOutOrIsNoValueIsRefused() throws Exception {
    try (TestNode node = TestNode.start(data);
        Admin admin = node.admin()) {
      for (String wrong :
          List.of(
              "max.connections=0",
              "max.connection.creation.rate=0",
              "max.connections.per.ip.overrides=localhost",
              "log.cleaner.threads=0",
              "log.cleaner.threads=1000000",
              "log.cleaner.io.max.bytes.per.second=0",
              "log.cleaner.dedupe.buffer.size=-1",
              "num.network.threads=4")) {
        assertThatThrownBy(() -> change(admin, EVERY_NODE, OpType.SET, wrong))
            .as(wrong)
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOf(InvalidConfigurationException.class)
            .hasMessageContaining(wrong.substring(0, wrong.indexOf('=')));
      }
      change(
          admin,
          EVERY_NODE,
          OpType.SET,
          "max.connections.per.ip.overrides=localhost:500, 127.0.0.1:600",
          "max.connection.creation.rate=1000",
          "num.recovery.threads.per.data.dir=5");
      assertThat(setting(admin, EVERY_NODE, "max.connection.creation.rate").value())
          .isEqualTo("1000");
    }
  }
}
