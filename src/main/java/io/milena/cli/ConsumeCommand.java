package io.milena.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints the records of a topic. */
@Command(
    name = "consume",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Print records of a topic to standard output.",
      "Reads what the topic holds when the command starts, then ends; --follow goes on with what"
          + " comes in. With --group it takes its share of the partitions, begins where the group"
          + " left off, and commits what it has printed."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena consume orders",
      "  bin/milena consume orders --tail",
      "  bin/milena consume orders --offset -10 --partition 0",
      "  bin/milena consume orders --offset timestamp:2026-11-21T09:30:00Z --output json",
      "  bin/milena consume orders --offset timestamp:-15m --format '%%p/%%o %%k: %%s\\n'",
      "  bin/milena consume orders --group billing --follow",
      "",
      "--format knows %%t topic, %%p partition, %%o offset, %%T timestamp, %%I timestamp (ISO),",
      "%%k key, %%s value, %%K and %%S their sizes, %%h headers, and \\n \\t \\r \\0."
    })
final class ConsumeCommand implements Callable<Integer> {

  /** What separates the fields that --show adds. */
  private static final String FIELD_SEPARATOR = "\\t";

  private static final int OUTPUT_BUFFER_SIZE_BYTES = 64 * 1024;

  /** How long an interrupted command may take to commit and leave its group. */
  private static final long INTERRUPT_WAIT_MS = 5_000;

  /** What --show can put before the value. */
  enum Field {
    PARTITION("%p"),
    OFFSET("%o"),
    TIMESTAMP("%I"),
    HEADERS("%h"),
    KEY("%k"),

    /** Every one of the above. */
    ALL("");

    private final String template;

    Field(String template) {
      this.template = template;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Whether records of open and aborted transactions are shown. */
  enum Isolation {
    READ_UNCOMMITTED,
    READ_COMMITTED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Parameters(paramLabel = "TOPIC", description = "The topic.")
  private String topic = "";

  @Option(
      names = {"-o", "--offset"},
      paramLabel = "OFFSET",
      converter = StartOffset.Converter.class,
      description =
          "Begin at: "
              + StartOffset.SYNTAX
              + " (ISO 8601, milliseconds, or -15m). With --group: where the group has committed"
              + " nothing, earliest or latest. Default: earliest.")
  private @Nullable StartOffset offset;

  @Option(
      names = {"-p", "--partition"},
      paramLabel = "N",
      split = ",",
      description = "Only these partitions. Repeatable, or with commas.")
  private List<Integer> partitions = List.of();

  @Option(
      names = {"-g", "--group"},
      paramLabel = "GROUP",
      description = "Read as a member of this consumer group.")
  private @Nullable String group;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      description = "End after so many records.")
  private long count = Long.MAX_VALUE;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on with new records until interrupted.")
  private boolean isFollowing;

  @Option(names = "--tail", description = "Short for --offset latest --follow.")
  private boolean isTail;

  @Option(
      names = "--show",
      paramLabel = "FIELD",
      split = ",",
      description = "Before each value: ${COMPLETION-CANDIDATES}. With commas; tab-separated.")
  private List<Field> shown = List.of();

  @Option(
      names = {"-K", "--key-separator"},
      paramLabel = "TEXT",
      description = "Print the key and this before each value.")
  private @Nullable String keySeparator;

  @Option(
      names = "--format",
      paramLabel = "TEMPLATE",
      description = "Print by this template; see below.")
  private @Nullable String template;

  @Option(
      names = "--null-marker",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What stands for a key or value that is null. Default: nothing.")
  private String nullMarker = "";

  @Option(
      names = "--isolation",
      paramLabel = "LEVEL",
      defaultValue = "read_uncommitted",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Isolation isolation = Isolation.READ_UNCOMMITTED;

  @Mixin private Output output = new Output();
  @Mixin private Connection connection = new Connection();

  @Override
  public Integer call() {
    RecordFormat format = format();
    StartOffset start =
        offset != null ? offset : isTail ? new StartOffset.Latest() : new StartOffset.Earliest();
    checkOptions(start);
    CountDownLatch isDone = new CountDownLatch(1);
    // Not closed: standard output belongs to the process, and each poll flushes what it brought.
    OutputStream out =
        new BufferedOutputStream(
            new FileOutputStream(FileDescriptor.out), OUTPUT_BUFFER_SIZE_BYTES);
    try (KafkaConsumer<byte[], byte[]> consumer = connection.consumer(settings(start))) {
      Thread interrupt = new Thread(() -> interrupt(consumer, isDone), "interrupt");
      Runtime.getRuntime().addShutdownHook(interrupt);
      ConsumeLoop loop =
          new ConsumeLoop(
              consumer,
              connection.timeout(),
              format,
              out,
              output::remark,
              count,
              isFollowing || isTail);
      long printed = group == null ? loop.read(topic, partitions, start) : loop.readInGroup(topic);
      if (printed == 0 && !output.isJson()) {
        output.remark("no records in that range of '" + topic + "'");
      }
    } catch (WakeupException _) {
      // Interrupted: what was printed is committed, the group is left.
    } catch (ConsumeLoop.ReaderGone _) {
      // Whoever reads our output has seen enough, as 'head' does.
      Runtime.getRuntime().halt(ExitCode.OK);
    } catch (IOException | KafkaException e) {
      throw Failures.failed("consume from '" + topic + "'", e);
    } finally {
      isDone.countDown();
    }
    return ExitCode.OK;
  }

  private static void interrupt(KafkaConsumer<byte[], byte[]> consumer, CountDownLatch isDone) {
    if (isDone.getCount() == 0) {
      return;
    }
    consumer.wakeup();
    try {
      var _ = isDone.await(INTERRUPT_WAIT_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private Map<String, String> settings(StartOffset start) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation.toString());
    if (group != null) {
      settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
      settings.put(
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
          start instanceof StartOffset.Latest ? "latest" : "earliest");
    }
    return settings;
  }

  private void checkOptions(StartOffset start) {
    if (count < 1) {
      throw CliException.usage("--count must be at least 1");
    }
    if (template != null && (output.isJson() || keySeparator != null || !shown.isEmpty())) {
      throw CliException.usage(
          "--format goes alone: not with --output json, --show, --key-separator");
    }
    if (group == null) {
      return;
    }
    if (!partitions.isEmpty()) {
      throw CliException.usage(
          "--partition does not go with --group: the group assigns partitions");
    }
    if (!(start instanceof StartOffset.Earliest || start instanceof StartOffset.Latest)) {
      throw CliException.usage(
          "with --group, --offset is earliest or latest: move the group with 'bin/milena groups"
              + " reset-offsets'");
    }
  }

  private RecordFormat format() {
    if (output.isJson()) {
      return RecordFormat.json();
    }
    if (template != null) {
      return RecordFormat.template(template, nullMarker);
    }
    StringBuilder fields = new StringBuilder();
    boolean isEachShown = shown.contains(Field.ALL);
    for (Field field : Field.values()) {
      if (field != Field.ALL && (isEachShown || shown.contains(field))) {
        fields.append(field.template).append(FIELD_SEPARATOR);
      }
    }
    if (keySeparator != null) {
      String literal = RecordFormat.unescape(keySeparator).replace("\\", "\\\\").replace("%", "%%");
      fields.append("%k").append(literal);
    }
    return RecordFormat.template(fields.append("%s\\n").toString(), nullMarker);
  }
}
