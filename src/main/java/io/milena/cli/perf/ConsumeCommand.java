package io.milena.cli.perf;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.ReadPlan;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures consuming. */
@Command(
    name = "consume",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Read a topic from its beginning, without a group, and measure throughput.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena perf consume bench",
      "  bin/milena perf consume bench --records 1000000 -X fetch.min.bytes=65536 --output json"
    })
final class ConsumeCommand implements Callable<Integer> {

  private static final Duration POLL_TIMEOUT = Duration.ofMillis(250);

  @Parameters(paramLabel = "TOPIC", description = "The topic.")
  private String topic = "";

  @Option(
      names = {"-n", "--records"},
      paramLabel = "N",
      description = "End after so many. Default: all that is there.")
  private long recordsMax = Long.MAX_VALUE;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    try (KafkaConsumer<byte[], byte[]> consumer =
        connection.consumer(Map.of(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "5000"))) {
      List<TopicPartition> partitions =
          ReadPlan.partitions(consumer, topic, List.of(), connection.timeout());
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, connection.timeout());
      Measurement measurement = read(consumer, ends);
      if (output.isJson()) {
        output.json(measurement.json().put("measured", "consume").put("topic", topic));
      } else {
        output.line("consumed " + measurement.text());
      }
      return ExitCode.OK;
    } catch (KafkaException e) {
      throw Failures.failed("consume from '" + topic + "'", e);
    }
  }

  private Measurement read(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
    long count = 0;
    long bytes = 0;
    long start = System.nanoTime();
    long lastProgress = start;
    while (count < recordsMax && !ReadPlan.isAtEnd(consumer, ends, connection.timeout())) {
      ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL_TIMEOUT);
      for (ConsumerRecord<byte[], byte[]> record : records) {
        bytes +=
            Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
      }
      count += records.count();
      long now = System.nanoTime();
      if (!records.isEmpty()) {
        lastProgress = now;
      } else if (now - lastProgress > connection.timeout().toNanos()) {
        throw new CliException(
            ExitCode.UNREACHABLE,
            "no record of '%s' for %d s, with %d read: is every partition led?"
                .formatted(topic, connection.timeout().toSeconds(), count));
      }
    }
    return new Measurement(count, bytes, System.nanoTime() - start);
  }
}
