package io.milena.cli.groups;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.PartitionOffsets;
import io.milena.cli.Table;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows members, committed offsets and lag of groups. */
@Command(
    name = "describe",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Show a group's members, committed offsets, and lag (records not yet read).",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena groups describe billing",
      "  bin/milena groups describe billing --output json | jq '.[0].lag'"
    })
final class DescribeCommand implements Callable<Integer> {

  @Parameters(arity = "1..*", paramLabel = "GROUP", description = "The groups' ids.")
  private List<String> groups = List.of();

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    ArrayNode report = Output.array();
    try (Admin admin = connection.admin()) {
      var described = admin.describeConsumerGroups(groups).describedGroups();
      boolean isFirst = true;
      for (String group : groups) {
        var description = Failures.await(described.get(group), "describe group '" + group + "'");
        if (!isFirst && !output.isJson()) {
          output.line("");
        }
        isFirst = false;
        describe(admin, description, report.addObject());
      }
    }
    if (output.isJson()) {
      output.json(report);
    }
    return ExitCode.OK;
  }

  private void describe(Admin admin, ConsumerGroupDescription group, ObjectNode report) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        GroupOffsets.committed(admin, group.groupId());
    Map<TopicPartition, MemberDescription> owners = new HashMap<>();
    group
        .members()
        .forEach(member ->
            member
                .assignment()
                .topicPartitions()
                .forEach(partition -> owners.put(partition, member)));
    TreeSet<TopicPartition> partitions = new TreeSet<>(PartitionOffsets.ORDER);
    partitions.addAll(committed.keySet());
    partitions.addAll(owners.keySet());
    PartitionOffsets ends = PartitionOffsets.ask(admin, partitions, OffsetSpec.latest());

    long totalLag = 0;
    ArrayNode rows = Output.array();
    Table table = new Table("TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER", "HOST");
    for (TopicPartition partition : partitions) {
      OffsetAndMetadata offset = committed.get(partition);
      Long end = ends.known().get(partition);
      Long lag = offset == null || end == null ? null : Math.max(0, end - offset.offset());
      totalLag += lag == null ? 0 : lag;
      MemberDescription owner = owners.get(partition);
      rows.addObject()
          .put("topic", partition.topic())
          .put("partition", partition.partition())
          .put("committed", offset == null ? null : offset.offset())
          .put("end", end)
          .put("lag", lag)
          .put("member", owner == null ? null : owner.consumerId())
          .put("host", owner == null ? null : owner.host());
      table.row(
          partition.topic(),
          partition.partition(),
          offset == null ? "-" : offset.offset(),
          end == null ? "-" : end,
          lag == null ? "-" : lag,
          owner == null ? "-" : owner.consumerId(),
          owner == null ? "-" : owner.host());
    }
    String coordinator = group.coordinator() == null ? "-" : group.coordinator().idString();
    report
        .put("group", group.groupId())
        .put("type", group.type().toString())
        .put("state", group.groupState().toString())
        .put("assignor", group.partitionAssignor())
        .put("coordinator", coordinator)
        .put("members", group.members().size())
        .put("lag", totalLag);
    report.set("partitions", rows);
    if (!output.isJson()) {
      output.line(
          "group %s: %s, %d member%s, coordinator node %s, lag %d"
              .formatted(
                  group.groupId(),
                  group.groupState(),
                  group.members().size(),
                  group.members().size() == 1 ? "" : "s",
                  coordinator,
                  totalLag));
      if (!table.isEmpty()) {
        table.lines().forEach(output::line);
      }
    }
    ends.tellMissing(output);
  }
}
