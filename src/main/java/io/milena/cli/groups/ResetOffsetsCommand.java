package io.milena.cli.groups;

import io.milena.cli.CliException;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.PartitionOffsets;
import io.milena.cli.StartOffset;
import io.milena.cli.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Moves the committed offsets of a group that has no members. */
@Command(
    name = "reset-offsets",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Move a group's committed offsets. Shows what it would do; --execute does it.",
      "The group must have no members meanwhile."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena groups reset-offsets billing --topic orders --to earliest",
      "  bin/milena groups reset-offsets billing --topic orders:0,1 --to 1200 --execute",
      "  bin/milena groups reset-offsets billing --all-topics --to timestamp:-2h --execute",
      "  bin/milena groups reset-offsets billing --topic orders --shift-by -100 --execute"
    })
final class ResetOffsetsCommand implements Callable<Integer> {

  @Parameters(paramLabel = "GROUP", description = "The group's id.")
  private String group = "";

  @Option(
      names = "--topic",
      paramLabel = "TOPIC[:P,P]",
      description = "A topic, or some of its partitions. Repeatable.")
  private List<String> topics = new ArrayList<>();

  @Option(names = "--all-topics", description = "Every partition the group has committed for.")
  private boolean isAllTopics;

  @Option(
      names = "--to",
      paramLabel = "OFFSET",
      converter = StartOffset.Converter.class,
      description = "Where to: " + StartOffset.SYNTAX + " (ISO 8601, milliseconds, or -15m).")
  private @Nullable StartOffset target;

  @Option(
      names = "--shift-by",
      paramLabel = "N",
      description = "So many records on, or with a minus back.")
  private @Nullable Long shift;

  @Option(names = "--execute", description = "Do it, do not only show it.")
  private boolean isExecuted;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    if ((target == null) == (shift == null)) {
      throw CliException.usage("say where to: either --to OFFSET or --shift-by N");
    }
    if (topics.isEmpty() != isAllTopics) {
      throw CliException.usage("say of what: either --topic TOPIC or --all-topics");
    }
    try (Admin admin = connection.admin()) {
      Map<TopicPartition, OffsetAndMetadata> committed = GroupOffsets.committed(admin, group);
      List<TopicPartition> partitions =
          isAllTopics ? List.copyOf(committed.keySet()) : partitions(admin);
      if (partitions.isEmpty()) {
        throw new CliException(
            ExitCode.NOT_FOUND, "group '" + group + "' has committed nothing: nothing to move");
      }
      Map<TopicPartition, Long> wanted = wanted(admin, partitions, committed);
      if (isExecuted) {
        Map<TopicPartition, OffsetAndMetadata> moved = HashMap.newHashMap(wanted.size());
        wanted.forEach((at, offset) -> moved.put(at, new OffsetAndMetadata(offset)));
        Failures.await(
            admin.alterConsumerGroupOffsets(group, moved).all(),
            "move the offsets of group '" + group + "' (it must have no members)");
      }
      print(wanted, committed);
      return ExitCode.OK;
    }
  }

  private Map<TopicPartition, Long> wanted(
      Admin admin,
      List<TopicPartition> partitions,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<TopicPartition, Long> starts =
        GroupOffsets.offsets(admin, partitions, OffsetSpec.earliest());
    Map<TopicPartition, Long> ends = GroupOffsets.offsets(admin, partitions, OffsetSpec.latest());
    Map<TopicPartition, Long> wanted = new TreeMap<>(PartitionOffsets.ORDER);
    if (target != null) {
      wanted.putAll(
          target.resolve(starts, ends, GroupOffsets.offsets(admin, partitions, target.lookup())));
    } else if (shift != null) {
      for (TopicPartition partition : partitions) {
        OffsetAndMetadata current = committed.get(partition);
        if (current == null) {
          throw new CliException(
              ExitCode.NOT_FOUND,
              "group '%s' has committed nothing for %s: --shift-by has nothing to start from"
                  .formatted(group, partition));
        }
        long start = starts.getOrDefault(partition, 0L);
        long end = Math.max(start, ends.getOrDefault(partition, start));
        wanted.put(partition, Math.clamp(current.offset() + shift, start, end));
      }
    }
    return wanted;
  }

  /** The partitions that {@code --topic} names. */
  private List<TopicPartition> partitions(Admin admin) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String text : topics) {
      int colon = text.indexOf(':');
      String topic = colon < 0 ? text : text.substring(0, colon);
      int count =
          Failures.await(
                  admin.describeTopics(List.of(topic)).topicNameValues().get(topic),
                  "describe topic '" + topic + "'")
              .partitions()
              .size();
      if (colon < 0) {
        for (int partition = 0; partition < count; partition++) {
          partitions.add(new TopicPartition(topic, partition));
        }
        continue;
      }
      for (String number : text.substring(colon + 1).split(",")) {
        if (!number.matches("\\d{1,9}")) {
          throw CliException.usage("--topic: '" + number + "' is no partition number");
        }
        if (Integer.parseInt(number) >= count) {
          throw new CliException(
              ExitCode.NOT_FOUND,
              "topic '%s' has no partition %s: it has 0 to %d".formatted(topic, number, count - 1));
        }
        partitions.add(new TopicPartition(topic, Integer.parseInt(number)));
      }
    }
    return partitions;
  }

  private void print(
      Map<TopicPartition, Long> wanted, Map<TopicPartition, OffsetAndMetadata> committed) {
    Table table = new Table("TOPIC", "PARTITION", "BEFORE", "AFTER");
    var rows = Output.array();
    wanted.forEach((partition, offset) -> {
      OffsetAndMetadata before = committed.get(partition);
      table.row(
          partition.topic(), partition.partition(), before == null ? "-" : before.offset(), offset);
      rows.addObject()
          .put("topic", partition.topic())
          .put("partition", partition.partition())
          .put("before", before == null ? null : before.offset())
          .put("after", offset);
    });
    var report = Output.object().put("group", group).put("executed", isExecuted);
    report.set("partitions", rows);
    output.either(table, report);
    if (!isExecuted) {
      output.remark("nothing moved yet: --execute does it");
    }
  }
}
