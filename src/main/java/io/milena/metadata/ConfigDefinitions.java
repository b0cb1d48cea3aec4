package io.milena.metadata;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/** What can be configured: definitions by kind of resource, and the check of a set of overrides. */
public final class ConfigDefinitions {

  /** Topic configuration: what an acknowledgement promises. */
  public static final String DURABILITY = "durability";

  /** Node configuration: {@link #DURABILITY} of topics that do not say. */
  public static final String LOG_DURABILITY = "log.durability";

  /** Kafka's way: acknowledged once it is in the page cache of every in-sync replica. */
  public static final String DURABILITY_REPLICATED = "replicated";

  /** Forced to disk before the acknowledgement. */
  public static final String DURABILITY_FSYNC = "fsync";

  private ConfigDefinitions() {}

  /** Topic configurations. */
  public static ConfigDef topic() {
    return TopicConfigDefinitions.DEFINITIONS;
  }

  /** Node (Kafka: broker) configurations. */
  public static ConfigDef node() {
    return NodeConfigDefinitions.DEFINITIONS;
  }

  /** Consumer group configurations. */
  public static ConfigDef group() {
    return GroupConfigDefinitions.DEFINITIONS;
  }

  /** Whether a node configuration may change while nodes run. */
  public static boolean isDynamicNodeConfig(String name) {
    return NodeConfigDefinitions.isDynamic(name);
  }

  /** The definition of a key for this kind of resource, or null where there is none. */
  public static @Nullable ConfigKey definition(ConfigResource.Type type, String name) {
    return switch (type) {
      case TOPIC -> topic().configKeys().get(name);
      case BROKER -> node().configKeys().get(name);
      case GROUP -> group().configKeys().get(name);
      case BROKER_LOGGER, CLIENT_METRICS, UNKNOWN -> null;
    };
  }

  /**
   * Checks the overrides of a topic as a whole.
   *
   * @throws ConfigException naming the key, if it is unknown, its value is not allowed, or values
   *     contradict each other
   */
  public static void validateTopic(Map<String, String> overrides) {
    overrides.forEach((name, value) -> validateOne("topic", topic(), name, value));
    if (Boolean.parseBoolean(overrides.get(TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG))) {
      throw new ConfigException(
          TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG,
          "true",
          "Tiered storage is not supported: leave it at false");
    }
    Map<String, Object> values = topic().parse(overrides);
    if (number(values, TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG)
        > number(values, TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG)) {
      throw new ConfigException(
          "conflict topic config setting "
              + TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG
              + " ("
              + values.get(TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG)
              + ") > "
              + TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG
              + " ("
              + values.get(TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG)
              + ")");
    }
  }

  /**
   * Checks what a node's configuration file and command line say.
   *
   * @return names that this node knows nothing of, in order
   * @throws ConfigException naming the key, if its value is not allowed
   */
  public static List<String> validateFile(Map<String, String> settings) {
    List<String> unknown = new ArrayList<>();
    new TreeMap<>(settings)
        .forEach((name, value) -> {
          if (node().configKeys().containsKey(name)) {
            validateOne("node", node(), name, value);
          } else {
            unknown.add(name);
          }
        });
    return unknown;
  }

  /**
   * Checks dynamic overrides of one node or of all.
   *
   * @throws ConfigException naming the key, if it is unknown or fixed, or its value is not allowed
   */
  public static void validateNode(Map<String, String> overrides) {
    overrides.forEach((name, value) -> {
      validateOne("node", node(), name, value);
      if (!isDynamicNodeConfig(name)) {
        throw new ConfigException(
            "Cannot update "
                + name
                + " dynamically: change it in the configuration file and restart the node");
      }
    });
  }

  /**
   * Checks the overrides of a consumer group.
   *
   * @param nodeConfig effective node configuration, which has the limits
   * @throws ConfigException naming the key, if it is unknown or its value is not allowed
   */
  public static void validateGroup(Map<String, String> overrides, Map<String, String> nodeConfig) {
    overrides.forEach((name, value) -> validateOne("group", group(), name, value));
    Map<String, Object> values = group().parse(overrides);
    for (String name : overrides.keySet()) {
      long value = number(values, name);
      long min = limit(nodeConfig, GroupConfigDefinitions.nodeLimit(name, "min"));
      long max = limit(nodeConfig, GroupConfigDefinitions.nodeLimit(name, "max"));
      if (value < min || value > max) {
        throw new ConfigException(
            name, value, "Value must be from " + min + " to " + max + " on this cluster");
      }
    }
    if (number(values, "consumer.session.timeout.ms")
        <= number(values, "consumer.heartbeat.interval.ms")) {
      throw new ConfigException(
          "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms");
    }
  }

  private static void validateOne(String kind, ConfigDef definitions, String name, String value) {
    ConfigKey key = definitions.configKeys().get(name);
    if (key == null) {
      throw new ConfigException("Unknown " + kind + " config name: " + name);
    }
    Object parsed = ConfigDef.parseType(name, value, key.type);
    if (key.validator != null) {
      key.validator.ensureValid(name, parsed);
    }
  }

  private static long limit(Map<String, String> nodeConfig, String name) {
    String value = nodeConfig.get(name);
    return value == null ? number(node().defaultValues(), name) : Long.parseLong(value.trim());
  }

  private static long number(Map<String, Object> values, String name) {
    if (!(values.get(name) instanceof Number number)) {
      throw new IllegalStateException("config " + name + " is not a number: " + List.of(values));
    }
    return number.longValue();
  }
}
