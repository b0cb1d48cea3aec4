package io.milena.cli.perf;

import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.ProducerOptions;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures producing. */
@Command(
    name = "produce",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Send records and measure throughput and time to acknowledgement.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena perf produce bench --records 1000000 --size 1024",
      "  bin/milena perf produce bench --records 100000 --size 100 --rate 5000 -X linger.ms=0",
      "  bin/milena perf produce bench --compression lz4 --acks 1 --output json"
    })
final class ProduceCommand implements Callable<Integer> {

  /** Latencies are kept to three significant digits. */
  static final int LATENCY_DIGITS = 3;

  @Parameters(paramLabel = "TOPIC", description = "The topic; made if it does not exist.")
  private String topic = "";

  @Option(
      names = {"-n", "--records"},
      paramLabel = "N",
      defaultValue = "100000",
      description = "How many. Default: ${DEFAULT-VALUE}.")
  private long records = 100_000;

  @Option(
      names = {"-s", "--size"},
      paramLabel = "BYTES",
      defaultValue = "1024",
      description = "The size of each value. Default: ${DEFAULT-VALUE}.")
  private int sizeBytes = 1_024;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description = "Records a second; latency counts from when each was due. Default: no limit.")
  private double rate;

  @Option(
      names = {"-p", "--partitions"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Partitions of a topic that is made. Default: ${DEFAULT-VALUE}.")
  private int partitions = 1;

  @Mixin private ProducerOptions producing = new ProducerOptions();
  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    PerfTopic.ensure(connection, topic, partitions);
    byte[] payload = PerfTopic.payload(sizeBytes);
    Recorder latencyNs = new Recorder(LATENCY_DIGITS);
    AtomicReference<Exception> refusal = new AtomicReference<>();
    Measurement measurement;
    try (KafkaProducer<byte[], byte[]> producer = connection.producer(producing.settings())) {
      producer.partitionsFor(topic); // the first look-up is not what is measured
      long start = System.nanoTime();
      Pacer pacer = new Pacer(rate, start);
      for (long index = 0; index < records && refusal.get() == null; index++) {
        long due = pacer.awaitTurn(index);
        producer.send(
            new ProducerRecord<>(topic, payload),
            (_, failure) -> {
              if (failure == null) {
                latencyNs.recordValue(Math.max(0, System.nanoTime() - due));
              } else {
                refusal.compareAndSet(null, failure);
              }
            });
      }
      producer.flush();
      measurement = new Measurement(records, records * sizeBytes, System.nanoTime() - start);
    } catch (KafkaException e) {
      throw Failures.failed("produce to '" + topic + "'", e);
    }
    Exception failure = refusal.get();
    if (failure != null) {
      throw Failures.failed("produce to '" + topic + "'", failure);
    }
    Histogram latency = latencyNs.getIntervalHistogram();
    if (output.isJson()) {
      var report = measurement.json().put("measured", "produce").put("topic", topic);
      report.set("acknowledged", Measurement.json(latency));
      output.json(report);
    } else {
      output.line("produced " + measurement.text());
      output.line("acknowledged after " + Measurement.text(latency));
    }
    return ExitCode.OK;
  }
}
