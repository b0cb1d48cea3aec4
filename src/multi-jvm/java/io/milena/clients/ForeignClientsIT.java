package io.milena.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.NodeProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * kcat, KafkaJS and the two Python clients: topics and their settings, every compression the client
 * has, groups with a second member that comes and goes, commits, seeks, offsets by time. What they
 * wrote is read again by the Java client.
 */
@Timeout(240)
class ForeignClientsIT {

  private static final Path KAFKAJS = Path.of("target/kafkajs/node_modules").toAbsolutePath();

  /** Debian's Python and not another first on the path: it has Debian's packages. */
  private static final String PYTHON = "/usr/bin/python3";

  @TempDir static Path data;
  private static NodeProcess node;

  @BeforeAll
  static void start() throws Exception {
    node =
        NodeProcess.start(
            data, "group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=4");
  }

  @AfterAll
  static void stop() throws Exception {
    node.close();
  }

  @Test
  void kafkaJs() throws Exception {
    ForeignClient.assumeInstalled("Node.js (package nodejs)", "node", "--version");
    ForeignClient.assumeInstalled(
        "KafkaJS: copy src/multi-jvm/clients/package.json to target/kafkajs,"
            + " then npm install --prefix target/kafkajs",
        "test",
        "-d",
        KAFKAJS.resolve("kafkajs-snappy").toString());
    ForeignClient.run(
        Map.of("NODE_PATH", KAFKAJS.toString()),
        "",
        "node",
        ForeignClient.SCRIPTS.resolve("kafkajs.js").toString(),
        node.bootstrap());
    // One record was deleted by the script: whichever was first in partition 3.
    assertThat(numbersIn("kafkajs")).hasSizeBetween(299, 300);
  }

  @Test
  void confluentKafkaForPython() throws Exception {
    ForeignClient.assumeInstalled(
        "package python3-confluent-kafka", PYTHON, "-c", "import confluent_kafka");
    ForeignClient.run(
        PYTHON, ForeignClient.SCRIPTS.resolve("confluent.py").toString(), node.bootstrap());
    assertThat(numbersIn("confluent")).hasSize(5 * 3 * 200);
  }

  @Test
  void kafkaPython() throws Exception {
    ForeignClient.assumeInstalled("package python3-kafka", PYTHON, "-c", "import kafka.admin");
    ForeignClient.run(
        PYTHON, ForeignClient.SCRIPTS.resolve("kafka_python.py").toString(), node.bootstrap());
    assertThat(numbersIn("kafka-python").size()).isGreaterThanOrEqualTo(2 * 3 * 50);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void kcatWritesAndReads(String compression) throws Exception {
    ForeignClient.assumeInstalled("package kcat", "kcat", "-V");
    String topic = "kcat-" + compression;
    Path file = data.resolve(topic + ".txt");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 500; i++) {
      lines.append("k").append(i).append(":v").append(i).append('\n');
    }
    Files.writeString(file, lines);
    ForeignClient.run(
        "kcat",
        "-b",
        node.bootstrap(),
        "-P",
        "-t",
        topic,
        "-K:",
        "-z",
        compression,
        "-l",
        file.toString());
    assertThat(
            ForeignClient.run("kcat", "-b", node.bootstrap(), "-C", "-t", topic, "-e", "-q", "-K:"))
        .isEqualTo(lines.toString());
    assertThat(
            ForeignClient.run(
                "kcat", "-b", node.bootstrap(), "-C", "-t", topic, "-o", "-2", "-e", "-q"))
        .isEqualTo("v498\nv499\n");
    assertThat(ForeignClient.run("kcat", "-b", node.bootstrap(), "-Q", "-t", topic + ":0:1"))
        .contains(topic + " [0] offset 0");
    assertThat(ForeignClient.run("kcat", "-b", node.bootstrap(), "-L", "-J", "-t", topic))
        .contains("\"topic\":\"" + topic + "\"");
  }

  @Test
  void kcatConsumesInAGroupWhatJavaWrote() throws Exception {
    ForeignClient.assumeInstalled("package kcat", "kcat", "-V");
    for (String compression : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      Properties properties = new Properties();
      properties.put("bootstrap.servers", node.bootstrap());
      properties.put("compression.type", compression);
      try (KafkaProducer<String, String> producer =
          new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
        producer
            .send(
                new ProducerRecord<>(
                    "java",
                    0,
                    "key",
                    compression,
                    List.of(new RecordHeader("h", compression.getBytes(StandardCharsets.UTF_8)))))
            .get();
      }
    }
    String read =
        ForeignClient.run(
            "kcat",
            "-b",
            node.bootstrap(),
            "-G",
            "kcat-group",
            "-e",
            "-q",
            "-f",
            "%k %s %h\\n",
            "-X",
            "auto.offset.reset=earliest",
            "java");
    assertThat(read.lines())
        .containsExactly(
            "key none h=none",
            "key gzip h=gzip",
            "key snappy h=snappy",
            "key lz4 h=lz4",
            "key zstd h=zstd");
  }

  /** The numbers i of the records k(i)=v(i) with the header h=i; anything else is a tombstone. */
  private static Set<Integer> numbersIn(String topic) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", node.bootstrap());
    Set<Integer> numbers = new HashSet<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      consumer
          .partitionsFor(topic)
          .forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        assertThat(System.nanoTime()).as("reading %s in time", topic).isLessThan(deadline);
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          if (record.value() == null) {
            assertThat(record.key()).isEqualTo("tombstone");
            continue;
          }
          int number = Integer.parseInt(record.value().substring(1));
          assertThat(record.key()).isEqualTo("k" + number);
          Header header = record.headers().lastHeader("h");
          assertThat(new String(header.value(), StandardCharsets.UTF_8))
              .isEqualTo(Integer.toString(number));
          assertThat(numbers.add(number)).as("%d once", number).isTrue();
        }
      }
    }
    return numbers;
  }
}
