package io.milena.metadata;

import static io.milena.metadata.MetadataFixture.nodeResource;
import static io.milena.metadata.MetadataFixture.set;
import static io.milena.metadata.MetadataFixture.topic;
import static io.milena.metadata.MetadataFixture.topicResource;
import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.EffectiveConfig.Synonym;
import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataCommand.ConfigChange.Operation;
import io.milena.metadata.MetadataCommand.ConfigChanges;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigRulesTest {

  private static final Map<String, String> NODE = Map.of("node.id", "0");

  static Stream<Arguments> refusedChanges() {
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "g");
    return Stream.of(
        Arguments.of(topicResource("none"), set("retention.ms", "1"), "UNKNOWN_TOPIC_OR_PARTITION"),
        Arguments.of(topicResource("a b"), set("retention.ms", "1"), "INVALID_TOPIC_EXCEPTION"),
        Arguments.of(topicResource("t"), set("retention.msec", "1"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("retention.ms", "-2"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("segment.bytes", "100"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("compression.type", "zip"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("compression.gzip.level", "0"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("cleanup.policy", "shred"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("durability", "hope"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("remote.storage.enable", "true"), "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("max.compaction.lag.ms", "0"), "INVALID_CONFIG"),
        Arguments.of(
            topicResource("t"),
            set("leader.replication.throttled.replicas", "0-1"),
            "INVALID_CONFIG"),
        Arguments.of(
            topicResource("t"),
            new ConfigChange("retention.ms", Operation.SET, Optional.empty()),
            "INVALID_REQUEST"),
        Arguments.of(
            topicResource("t"),
            new ConfigChange("retention.ms", Operation.APPEND, Optional.of("1")),
            "INVALID_CONFIG"),
        Arguments.of(topicResource("t"), set("", "1"), "INVALID_REQUEST"),
        Arguments.of(nodeResource("7"), set("log.retention.ms", "1"), "BROKER_ID_NOT_REGISTERED"),
        Arguments.of(nodeResource("x"), set("log.retention.ms", "1"), "INVALID_REQUEST"),
        Arguments.of(nodeResource("0"), set("node.id", "1"), "INVALID_CONFIG"),
        Arguments.of(nodeResource(""), set("nonsense", "1"), "INVALID_CONFIG"),
        Arguments.of(group, set("consumer.session.timeout.ms", "1000"), "INVALID_CONFIG"),
        Arguments.of(group, set("retention.ms", "1000"), "INVALID_CONFIG"),
        Arguments.of(
            new ConfigResource(ConfigResource.Type.GROUP, ""),
            set("consumer.session.timeout.ms", "50000"),
            "INVALID_REQUEST"),
        Arguments.of(
            new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "m"),
            set("interval.ms", "1"),
            "INVALID_REQUEST"));
  }

  @ParameterizedTest
  @MethodSource("refusedChanges")
  void refusedChangeChangesNothing(ConfigResource resource, ConfigChange change, String error) {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    var refused = group.alter(resource, change);
    assertThat(refused.error()).isEqualTo(Errors.valueOf(error));
    assertThat(refused.message()).isNotBlank();
    assertThat(group.image().configs()).isEmpty();
  }

  @Test
  void everyOperationOfOneResourceOrNone() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    group.alter(topicResource("t"), set("retention.ms", "5"), set("retention.bytes", "no"));
    assertThat(group.image().configs()).isEmpty();
  }

  @Test
  void contradictingValuesAreRefused() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    group.alter(topicResource("t"), set("max.compaction.lag.ms", "100"));
    var refused = group.alter(topicResource("t"), set("min.compaction.lag.ms", "200"));
    assertThat(refused.error()).isEqualTo(Errors.INVALID_CONFIG);
    assertThat(refused.message()).contains("200").contains("100");
  }

  @Test
  void appendAndSubtractStartFromTheValueThatHolds() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    ConfigResource topic = topicResource("t");
    group.alter(
        topic, new ConfigChange("cleanup.policy", Operation.APPEND, Optional.of("compact")));
    assertThat(group.image().overrides(topic)).containsEntry("cleanup.policy", "delete,compact");
    group.alter(
        topic, new ConfigChange("cleanup.policy", Operation.APPEND, Optional.of("compact")));
    assertThat(group.lastRecords()).isEmpty();
    group.alter(
        topic, new ConfigChange("cleanup.policy", Operation.SUBTRACT, Optional.of("delete")));
    assertThat(group.image().overrides(topic)).containsEntry("cleanup.policy", "compact");
    group.alter(topic, new ConfigChange("cleanup.policy", Operation.DELETE, Optional.empty()));
    assertThat(group.image().configs()).isEmpty();
  }

  @Test
  void replaceAllDropsWhatItDoesNotSet() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    ConfigResource topic = topicResource("t");
    group.alter(topic, set("retention.ms", "5"), set("segment.ms", "6"));
    group.submit(
        new MetadataCommand.AlterConfigs(
            List.of(new ConfigChanges(topic, List.of(set("segment.ms", "7")), true)), false));
    assertThat(group.image().overrides(topic)).containsExactly(Map.entry("segment.ms", "7"));
  }

  @Test
  void resourceOrKeyNamedTwiceIsRefused() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    ConfigChanges changes =
        new ConfigChanges(topicResource("t"), List.of(set("retention.ms", "5")), false);
    var reply = group.submit(new MetadataCommand.AlterConfigs(List.of(changes, changes), false));
    assertThat(reply.results())
        .extracting(MetadataReply.ItemResult::error)
        .containsExactly(Errors.INVALID_REQUEST, Errors.INVALID_REQUEST);
    var twice = group.alter(topicResource("t"), set("retention.ms", "5"), set("retention.ms", "6"));
    assertThat(twice.error()).isEqualTo(Errors.INVALID_REQUEST);
  }

  @Test
  void validateOnlyChangesNothing() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    var changes = new ConfigChanges(topicResource("t"), List.of(set("retention.ms", "5")), false);
    var reply = group.submit(new MetadataCommand.AlterConfigs(List.of(changes), true));
    assertThat(reply.results().getFirst().error()).isEqualTo(Errors.NONE);
    assertThat(group.lastRecords()).isEmpty();
  }

  @Test
  void theStrongestPlaceWinsAndEveryPlaceIsASynonym() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    group.create(topic("t", 1, 1));
    Map<String, String> file = Map.of("node.id", "0", "log.retention.hours", "2");
    assertThat(retention(group, file).value()).isEqualTo("7200000");
    assertThat(retention(group, file).source()).isEqualTo(ConfigSource.STATIC_BROKER_CONFIG);
    group.alter(nodeResource(""), set("log.retention.ms", "4"));
    assertThat(retention(group, file).value()).isEqualTo("4");
    group.alter(nodeResource("0"), set("log.retention.ms", "5"));
    assertThat(retention(group, file).value()).isEqualTo("5");
    group.alter(topicResource("t"), set("retention.ms", "6"));
    EffectiveConfig retention = retention(group, file);
    assertThat(retention.value()).isEqualTo("6");
    assertThat(retention.source()).isEqualTo(ConfigSource.TOPIC_CONFIG);
    assertThat(retention.synonyms())
        .containsExactly(
            new Synonym("retention.ms", "6", ConfigSource.TOPIC_CONFIG),
            new Synonym("log.retention.ms", "5", ConfigSource.DYNAMIC_BROKER_CONFIG),
            new Synonym("log.retention.ms", "4", ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG),
            new Synonym("log.retention.hours", "2", ConfigSource.STATIC_BROKER_CONFIG),
            new Synonym("log.retention.hours", "168", ConfigSource.DEFAULT_CONFIG));
    assertThat(EffectiveConfigs.effectiveTopicConfig(group.image(), file, "t"))
        .containsEntry("retention.ms", "6")
        .containsEntry("durability", "replicated")
        .containsEntry("max.message.bytes", "1048588");
  }

  private static EffectiveConfig retention(MetadataFixture group, Map<String, String> file) {
    return EffectiveConfigs.describeTopic(group.image(), file, "t").stream()
        .filter(config -> config.name().equals("retention.ms"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void describedNodeSaysWhatIsReadOnly() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    List<EffectiveConfig> node = EffectiveConfigs.describeNode(group.image(), NODE);
    assertThat(node)
        .filteredOn(config -> config.name().equals("node.id"))
        .singleElement()
        .satisfies(config -> assertThat(config.readOnly()).isTrue())
        .satisfies(config -> assertThat(config.value()).isEqualTo("0"));
    assertThat(node)
        .filteredOn(config -> config.name().equals("min.insync.replicas"))
        .singleElement()
        .satisfies(config -> assertThat(config.readOnly()).isFalse());
  }

  @Test
  void groupConfigFallsBackToTheNodes() {
    MetadataFixture group = MetadataFixture.withNodes(1);
    ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, "g");
    group.alter(resource, set("consumer.session.timeout.ms", "50000"));
    Map<String, String> effective =
        EffectiveConfigs.effectiveGroupConfig(
            group.image(), Map.of("group.consumer.heartbeat.interval.ms", "7000"), "g");
    assertThat(effective)
        .containsEntry("consumer.session.timeout.ms", "50000")
        .containsEntry("consumer.heartbeat.interval.ms", "7000");
  }

  @Test
  void everyTopicDefaultIsTheDefaultOfItsNodeConfigs() {
    Map<String, String> effective =
        EffectiveConfigs.effectiveTopicConfig(MetadataImage.EMPTY, NODE, "t");
    ConfigDefinitions.topic()
        .configKeys()
        .values()
        .forEach(key ->
            assertThat(effective.get(key.name))
                .as(key.name)
                .isEqualTo(
                    org.apache.kafka.common.config.ConfigDef.convertToString(
                        key.defaultValue, key.type)));
    ConfigDefinitions.validateTopic(
        effective.entrySet().stream()
            .collect(java.util.stream.Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
  }

  @Test
  void everyTopicConfigOfKafkasClientsIsDefined() throws IllegalAccessException {
    for (var field : org.apache.kafka.common.config.TopicConfig.class.getFields()) {
      if (field.getName().endsWith("_CONFIG")
          && field.getAnnotation(Deprecated.class) == null
          && !field.get(null).equals("message.downconversion.enable")) {
        assertThat(ConfigDefinitions.topic().names()).contains((String) field.get(null));
      }
    }
  }
}
