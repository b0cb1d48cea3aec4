package io.milena.cli;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sends lines of text, or of JSON, as records. */
@Command(
    name = "produce",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Send records, one a line, from standard input or files.",
      "Says on standard error how many the cluster has acknowledged. What a record is refused for"
          + " ends the command with 1; what was sent before it stays."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  echo 'hello, world' | bin/milena produce hello",
      "  printf 'user1:{\"name\":\"Ada\"}\\n' | bin/milena produce users --key-separator :",
      "  bin/milena produce users --key-separator : --null-marker NULL < changes.txt",
      "  bin/milena produce orders --header source=import --compression zstd orders-*.txt",
      "  bin/milena consume a --output json | bin/milena produce b --input json",
      "",
      "A line of JSON, of which only \"value\" must be there:",
      "  {\"key\":\"k\",\"value\":\"v\",\"headers\":{\"h\":\"x\"},\"partition\":0,",
      "   \"timestamp\":1763700000000}",
      "A null value is a tombstone, an object is sent as its JSON text, and keyBase64",
      "and valueBase64 hold bytes that are not text."
    })
final class ProduceCommand implements Callable<Integer> {

  /** How lines are read. */
  enum InputForm {
    TEXT,
    JSON;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Parameters(index = "0", paramLabel = "TOPIC", description = "The topic.")
  private String topic = "";

  @Parameters(
      index = "1..*",
      paramLabel = "FILE",
      description = "Files to read, '-' is standard input. Default: standard input.")
  private List<String> files = List.of("-");

  @Option(
      names = {"-K", "--key-separator"},
      paramLabel = "TEXT",
      description = "Each line is KEY TEXT VALUE, for example with ':' or '\\t'.")
  private @Nullable String keySeparator;

  @Option(
      names = {"-k", "--key"},
      paramLabel = "KEY",
      description = "The key of every record.")
  private @Nullable String key;

  @Option(
      names = {"-H", "--header"},
      paramLabel = "NAME=VALUE",
      description = "A header of every record. Repeatable.")
  private Map<String, String> fixedHeaders = new LinkedHashMap<>();

  @Option(
      names = "--headers",
      description = "Each line begins with its headers: name=value,name=value and a tab.")
  private boolean hasHeaders;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FORM",
      defaultValue = "text",
      description = "How lines are read: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private InputForm input = InputForm.TEXT;

  @Option(
      names = "--null-marker",
      paramLabel = "TEXT",
      description = "A key or value that is exactly this is null: a null value is a tombstone.")
  private @Nullable String nullMarker;

  @Option(
      names = {"-p", "--partition"},
      paramLabel = "N",
      description = "Send all to this partition. Default: by key.")
  private @Nullable Integer partition;

  @Option(
      names = {"-q", "--quiet"},
      description = "Do not say how many were sent.")
  private boolean isQuiet;

  @Mixin private ProducerOptions producing = new ProducerOptions();
  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  /** Lines read of all files. */
  private long read;

  private final LongAdder acknowledged = new LongAdder();
  private final AtomicReference<Exception> refusal = new AtomicReference<>();

  @Override
  public Integer call() {
    if (input == InputForm.JSON && (keySeparator != null || hasHeaders || key != null)) {
      throw CliException.usage(
          "--input json takes key and headers from each line: not with --key, --key-separator,"
              + " --headers");
    }
    try (KafkaProducer<byte[], byte[]> producer = connection.producer(producing.settings())) {
      // Interrupted, the records already read still go out.
      Thread flush = new Thread(producer::flush, "flush");
      Runtime.getRuntime().addShutdownHook(flush);
      for (String file : files) {
        send(producer, file);
      }
      producer.flush();
      if (read == 0) {
        requireTopic();
      }
      var _ = Runtime.getRuntime().removeShutdownHook(flush);
    } catch (IOException | KafkaException e) {
      throw Failures.failed("produce to '" + topic + "'", e);
    } finally {
      tell();
    }
    checkRefusal();
    return ExitCode.OK;
  }

  /** Where there is nothing to send, nobody else would notice that there is nowhere to send it. */
  private void requireTopic() {
    try (Admin admin = connection.admin()) {
      var _ =
          Failures.await(
              admin.describeTopics(List.of(topic)).topicNameValues().get(topic),
              "produce to '" + topic + "'");
    }
  }

  private void send(KafkaProducer<byte[], byte[]> producer, String file) throws IOException {
    LineReader lineReader =
        new LineReader(
            topic,
            keySeparator == null ? null : RecordFormat.unescape(keySeparator),
            hasHeaders,
            nullMarker,
            partition,
            key);
    Callback onAnswer =
        (_, failure) -> {
          if (failure == null) {
            acknowledged.increment();
          } else {
            refusal.compareAndSet(null, failure);
          }
        };
    try (InputStream stream =
            file.equals("-")
                ? new FileInputStream(FileDescriptor.in)
                : Files.newInputStream(Path.of(file));
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      long lineNumber = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        lineNumber++;
        read++;
        ProducerRecord<byte[], byte[]> record;
        try {
          record =
              input == InputForm.JSON
                  ? RecordJson.read(line, topic, partition)
                  : lineReader.read(line);
        } catch (CliException e) {
          throw CliException.usage(
              "%s, line %d: %s"
                  .formatted(
                      file.equals("-") ? "standard input" : file, lineNumber, e.getMessage()));
        }
        fixedHeaders.forEach(
            (name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        producer.send(record, onAnswer);
        checkRefusal();
      }
    }
  }

  private void checkRefusal() {
    Exception failure = refusal.get();
    if (failure != null) {
      throw Failures.failed("produce to '" + topic + "'", failure);
    }
  }

  private void tell() {
    if (isQuiet) {
      return;
    }
    long count = acknowledged.sum();
    if (output.isJson()) {
      output.json(Output.object().put("topic", topic).put("records", count));
    } else {
      output.remark("produced %d record%s to %s".formatted(count, count == 1 ? "" : "s", topic));
    }
  }
}
