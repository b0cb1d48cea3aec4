package io.milena.cli.topics;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.milena.cli.Connection;
import io.milena.cli.ExitCode;
import io.milena.cli.Failures;
import io.milena.cli.Output;
import io.milena.cli.PartitionOffsets;
import io.milena.cli.Table;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows partitions, offsets and configurations of topics. */
@Command(
    name = "describe",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Show a topic's partitions, leaders, replicas, offsets and configuration.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  bin/milena topics describe orders",
      "  bin/milena topics describe orders --all-configs --output json"
    })
final class DescribeCommand implements Callable<Integer> {

  @Parameters(arity = "1..*", paramLabel = "TOPIC", description = "The names.")
  private List<String> topics = List.of();

  @Option(names = "--all-configs", description = "Also the configurations left at their default.")
  private boolean isDefaultShown;

  @Mixin private Connection connection = new Connection();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    ArrayNode report = Output.array();
    try (Admin admin = connection.admin()) {
      var described = admin.describeTopics(topics).topicNameValues();
      boolean isFirst = true;
      for (String name : topics) {
        TopicDescription topic =
            Failures.await(described.get(name), "describe topic '" + name + "'");
        ObjectNode node = report.addObject();
        if (!isFirst && !output.isJson()) {
          output.line("");
        }
        isFirst = false;
        describe(admin, topic, node);
      }
    }
    if (output.isJson()) {
      output.json(report);
    }
    return ExitCode.OK;
  }

  private void describe(Admin admin, TopicDescription topic, ObjectNode report) {
    Map<String, ConfigEntry> configs = configs(admin, topic.name());
    report.put("topic", topic.name()).put("id", topic.topicId().toString());
    report.put("internal", topic.isInternal());
    ObjectNode configNode = report.putObject("configs");
    configs.forEach((key, entry) -> configNode.put(key, entry.value()));

    Table table = new Table("PARTITION", "LEADER", "REPLICAS", "IN SYNC", "START", "END");
    ArrayNode partitionNodes = report.putArray("partitions");
    PartitionOffsets ends = PartitionOffsets.ask(admin, led(topic), OffsetSpec.latest());
    PartitionOffsets starts =
        PartitionOffsets.ask(admin, ends.known().keySet(), OffsetSpec.earliest());
    for (TopicPartitionInfo partition : topic.partitions()) {
      TopicPartition at = new TopicPartition(topic.name(), partition.partition());
      Long start = starts.known().get(at);
      Long end = ends.known().get(at);
      ObjectNode node =
          partitionNodes
              .addObject()
              .put("partition", partition.partition())
              .put("leader", hasLeader(partition) ? partition.leader().id() : -1);
      ArrayNode replicas = node.putArray("replicas");
      partition.replicas().forEach(replica -> replicas.add(replica.id()));
      ArrayNode inSync = node.putArray("inSync");
      partition.isr().forEach(replica -> inSync.add(replica.id()));
      node.put("startOffset", start).put("endOffset", end);
      table.row(
          partition.partition(),
          hasLeader(partition) ? partition.leader().id() : "none",
          ids(partition.replicas()),
          ids(partition.isr()),
          start == null ? "-" : start,
          end == null ? "-" : end);
    }
    if (!output.isJson()) {
      output.line("topic    " + topic.name() + (topic.isInternal() ? " (internal)" : ""));
      output.line("id       " + topic.topicId());
      configs.forEach(
          (key, entry) -> output.line("config   " + key + "=" + entry.value() + origin(entry)));
      table.lines().forEach(output::line);
    }
    ends.tellMissing(output);
    starts.tellMissing(output);
  }

  private Map<String, ConfigEntry> configs(Admin admin, String topic) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    Config config =
        Failures.await(
            admin.describeConfigs(List.of(resource)).values().get(resource),
            "read the configuration of topic '" + topic + "'");
    return config.entries().stream()
        .filter(entry ->
            isDefaultShown || entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
        .collect(
            Collectors.toMap(ConfigEntry::name, entry -> entry, (first, _) -> first, TreeMap::new));
  }

  private static String origin(ConfigEntry entry) {
    return entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG ? "" : " (default)";
  }

  /** The partitions that have a leader to ask. */
  private static List<TopicPartition> led(TopicDescription topic) {
    return topic.partitions().stream()
        .filter(DescribeCommand::hasLeader)
        .map(partition -> new TopicPartition(topic.name(), partition.partition()))
        .toList();
  }

  private static String ids(List<Node> nodes) {
    return nodes.stream().map(Node::idString).collect(Collectors.joining(","));
  }

  private static boolean hasLeader(TopicPartitionInfo partition) {
    return partition.leader() != null && !partition.leader().isEmpty();
  }
}
