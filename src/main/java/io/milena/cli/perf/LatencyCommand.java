package io.milena.cli.perf;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.ProducerOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures one record at a time: sent, acknowledged, read back. */
@Command(
    name = "latency",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Send one record at a time, read it back, and measure both.",
      "One record is under way at a time, so this is the latency of a quiet cluster. The topic's"
          + " partition 0 is used; the first tenth of the records warms up and is not counted."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena perf latency bench --records 10000",
      "  bin/milena perf latency bench --size 100 --acks 1 --rate 500 --output json"
    })
final class LatencyCommand implements Callable<Integer> {

  private static final Duration POLL_TIMEOUT = Duration.ofMillis(100);
  private static final int WARM_UP_FRACTION = 10;

  @Parameters(paramLabel = "TOPIC", description = "The topic; made if it does not exist.")
  private String topic = "";

  @Option(
      names = {"-n", "--records"},
      paramLabel = "N",
      defaultValue = "5000",
      description = "How many. Default: ${DEFAULT-VALUE}.")
  private int records = 5_000;

  @Option(
      names = {"-s", "--size"},
      paramLabel = "BYTES",
      defaultValue = "100",
      description = "The size of each value, at least 8. Default: ${DEFAULT-VALUE}.")
  private int sizeBytes = 100;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description = "Records a second at most. Default: no limit.")
  private double rate;

  @Mixin private ProducerOptions producing = new ProducerOptions();
  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  private final Histogram acknowledgedNs = new Histogram(ProduceCommand.LATENCY_DIGITS);
  private final Histogram readBackNs = new Histogram(ProduceCommand.LATENCY_DIGITS);

  @Override
  public Integer call() throws InterruptedException {
    if (sizeBytes < Long.BYTES) {
      throw CliException.usage("--size must be at least " + Long.BYTES);
    }
    PerfTopic.ensure(connection, topic, 1);
    Map<String, String> settings = producing.settings();
    settings.put(ProducerConfig.LINGER_MS_CONFIG, "0");
    try (KafkaProducer<byte[], byte[]> producer = connection.producer(settings);
        KafkaConsumer<byte[], byte[]> consumer =
            connection.consumer(Map.of(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, "1"))) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToEnd(List.of(partition));
      consumer.position(partition, connection.timeout());
      Pacer pacer = new Pacer(rate, System.nanoTime());
      for (int index = 0; index < records; index++) {
        pacer.awaitTurn(index);
        roundTrip(producer, consumer, index);
      }
    } catch (KafkaException e) {
      throw Failures.failed("measure the latency of '" + topic + "'", e);
    }
    if (output.isJson()) {
      var report = Output.object().put("measured", "latency").put("topic", topic);
      report.put("records", acknowledgedNs.getTotalCount());
      report.set("acknowledged", Measurement.json(acknowledgedNs));
      report.set("endToEnd", Measurement.json(readBackNs));
      output.json(report);
    } else {
      output.line("acknowledged after " + Measurement.text(acknowledgedNs));
      output.line("read back after    " + Measurement.text(readBackNs));
    }
    return ExitCode.OK;
  }

  private void roundTrip(
      KafkaProducer<byte[], byte[]> producer, KafkaConsumer<byte[], byte[]> consumer, int index)
      throws InterruptedException {
    byte[] payload = PerfTopic.payload(sizeBytes);
    ByteBuffer.wrap(payload).putLong(index);
    long sent = System.nanoTime();
    try {
      var _ =
          producer
              .send(new ProducerRecord<>(topic, 0, null, payload))
              .get(connection.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw Failures.failed("produce to '" + topic + "'", e);
    } catch (TimeoutException e) {
      throw new CliException(
          ExitCode.UNREACHABLE, "no acknowledgement of record " + index + " in time", e);
    }
    long acknowledged = System.nanoTime();
    while (!isReadBack(consumer, payload)) {
      if (System.nanoTime() - acknowledged > connection.timeout().toNanos()) {
        throw new CliException(
            ExitCode.UNREACHABLE, "record " + index + " was acknowledged but is not read in time");
      }
    }
    if (index >= records / WARM_UP_FRACTION) {
      acknowledgedNs.recordValue(acknowledged - sent);
      readBackNs.recordValue(System.nanoTime() - sent);
    }
  }

  private static boolean isReadBack(KafkaConsumer<byte[], byte[]> consumer, byte[] payload) {
    for (var record : consumer.poll(POLL_TIMEOUT)) {
      if (record.value() != null
          && ByteBuffer.wrap(record.value()).equals(ByteBuffer.wrap(payload))) {
        return true;
      }
    }
    return false;
  }
}
