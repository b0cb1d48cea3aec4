package io.milena.metadata;

import io.milena.metadata.EffectiveConfig.Synonym;
import io.milena.metadata.TopicConfigDefinitions.NodeSynonym;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.jspecify.annotations.Nullable;

/**
 * Which configuration holds. From the strongest: the topic's or group's own override, the node's
 * dynamic override, the dynamic default of all nodes, the node's configuration file, the default.
 *
 * <p>The {@code staticNodeConfig} of every method is what the node's configuration file and command
 * line say, under Kafka's names; its {@code node.id} says whose dynamic overrides count.
 */
public final class EffectiveConfigs {

  private EffectiveConfigs() {}

  /** Every topic configuration that has a value, as it holds for a topic on this node. */
  public static Map<String, String> effectiveTopicConfig(
      MetadataImage image, Map<String, String> staticNodeConfig, String topic) {
    Map<String, String> overrides =
        image.overrides(new ConfigResource(ConfigResource.Type.TOPIC, topic));
    List<Place> places = nodePlaces(image, staticNodeConfig);
    Map<String, String> effective = new HashMap<>();
    for (ConfigKey key : ConfigDefinitions.topic().configKeys().values()) {
      String value = overrides.get(key.name);
      if (value == null) {
        value = inherited(key, places);
      }
      if (value != null) {
        effective.put(key.name, value);
      }
    }
    return effective;
  }

  /** One topic configuration as it holds on this node, or null where it has no value. */
  public static @Nullable String effectiveTopicValue(
      MetadataImage image, Map<String, String> staticNodeConfig, String topic, String name) {
    String override =
        image.overrides(new ConfigResource(ConfigResource.Type.TOPIC, topic)).get(name);
    ConfigKey key = ConfigDefinitions.topic().configKeys().get(name);
    return override != null || key == null
        ? override
        : inherited(key, nodePlaces(image, staticNodeConfig));
  }

  /** One node configuration as it holds on this node, or null where it has no value. */
  public static @Nullable String effectiveNodeValue(
      MetadataImage image, Map<String, String> staticNodeConfig, String name) {
    return firstValue(name, nodePlaces(image, staticNodeConfig));
  }

  /** Every node configuration that has a value, as it holds on this node. */
  public static Map<String, String> effectiveNodeConfig(
      MetadataImage image, Map<String, String> staticNodeConfig) {
    List<Place> places = nodePlaces(image, staticNodeConfig);
    Map<String, String> effective = new HashMap<>();
    for (ConfigKey key : ConfigDefinitions.node().configKeys().values()) {
      String value = firstValue(key.name, places);
      if (value != null) {
        effective.put(key.name, value);
      }
    }
    return effective;
  }

  /** Every consumer group configuration, as it holds for a group on this node. */
  public static Map<String, String> effectiveGroupConfig(
      MetadataImage image, Map<String, String> staticNodeConfig, String group) {
    Map<String, String> effective = new HashMap<>();
    for (EffectiveConfig config : describeGroup(image, staticNodeConfig, group)) {
      if (config.value() != null) {
        effective.put(config.name(), config.value());
      }
    }
    return effective;
  }

  /** DescribeConfigs of a topic, in order of name. */
  public static List<EffectiveConfig> describeTopic(
      MetadataImage image, Map<String, String> staticNodeConfig, String topic) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    List<Place> places = nodePlaces(image, staticNodeConfig);
    List<EffectiveConfig> described = new ArrayList<>();
    for (ConfigKey key : visible(ConfigDefinitions.topic())) {
      List<NodeSynonym> nodeNames =
          TopicConfigDefinitions.SYNONYMS.getOrDefault(key.name, List.of());
      List<String> names = nodeNames.stream().map(NodeSynonym::name).toList();
      List<Synonym> synonyms = new ArrayList<>();
      addOverride(synonyms, image, resource, key, ConfigSource.TOPIC_CONFIG);
      addPlaces(synonyms, places, names, sensitive(key));
      String override = image.overrides(resource).get(key.name);
      String value = override != null ? override : inherited(key, places);
      described.add(describe(key, value, synonyms, false));
    }
    return described;
  }

  /** DescribeConfigs of a node, in order of name. */
  public static List<EffectiveConfig> describeNode(
      MetadataImage image, Map<String, String> staticNodeConfig) {
    List<Place> places = nodePlaces(image, staticNodeConfig);
    List<EffectiveConfig> described = new ArrayList<>();
    for (ConfigKey key : visible(ConfigDefinitions.node())) {
      List<Synonym> synonyms = new ArrayList<>();
      addPlaces(synonyms, places, synonymsOfNodeConfig(key.name), sensitive(key));
      described.add(
          describe(
              key,
              firstValue(key.name, places),
              synonyms,
              !ConfigDefinitions.isDynamicNodeConfig(key.name)));
    }
    return described;
  }

  /** DescribeConfigs of the default of all nodes: only what is set there, in order of name. */
  public static List<EffectiveConfig> describeNodeDefault(MetadataImage image) {
    Map<String, String> defaults = image.overrides(nodeDefault());
    List<EffectiveConfig> described = new ArrayList<>();
    for (ConfigKey key : visible(ConfigDefinitions.node())) {
      String value = defaults.get(key.name);
      if (value != null) {
        Synonym synonym =
            new Synonym(
                key.name,
                sensitive(key) ? null : value,
                ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
        described.add(describe(key, value, List.of(synonym), false));
      }
    }
    return described;
  }

  /** DescribeConfigs of a consumer group, in order of name. */
  public static List<EffectiveConfig> describeGroup(
      MetadataImage image, Map<String, String> staticNodeConfig, String group) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
    List<Place> places = nodePlaces(image, staticNodeConfig);
    List<EffectiveConfig> described = new ArrayList<>();
    for (ConfigKey key : visible(ConfigDefinitions.group())) {
      String nodeName = GroupConfigDefinitions.nodeSynonym(key.name);
      List<Synonym> synonyms = new ArrayList<>();
      addOverride(synonyms, image, resource, key, ConfigSource.GROUP_CONFIG);
      addPlaces(synonyms, places, List.of(nodeName), sensitive(key));
      String override = image.overrides(resource).get(key.name);
      String value = override != null ? override : firstValue(nodeName, places);
      described.add(describe(key, value, synonyms, false));
    }
    return described;
  }

  /** The resource that holds the dynamic default of all nodes. */
  static ConfigResource nodeDefault() {
    return new ConfigResource(ConfigResource.Type.BROKER, "");
  }

  private record Place(ConfigSource source, Map<String, String> values) {}

  private static List<Place> nodePlaces(MetadataImage image, Map<String, String> staticNodeConfig) {
    List<Place> places = new ArrayList<>(4);
    String nodeId = staticNodeConfig.get("node.id");
    if (nodeId != null) {
      places.add(
          new Place(
              ConfigSource.DYNAMIC_BROKER_CONFIG,
              image.overrides(new ConfigResource(ConfigResource.Type.BROKER, nodeId))));
    }
    places.add(
        new Place(ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, image.overrides(nodeDefault())));
    places.add(new Place(ConfigSource.STATIC_BROKER_CONFIG, staticNodeConfig));
    places.add(new Place(ConfigSource.DEFAULT_CONFIG, DEFAULTS));
    return places;
  }

  private static final Map<String, String> DEFAULTS = defaults(ConfigDefinitions.node());

  private static Map<String, String> defaults(ConfigDef definitions) {
    Map<String, String> defaults = new HashMap<>();
    for (ConfigKey key : definitions.configKeys().values()) {
      String value = ConfigDef.convertToString(key.defaultValue, key.type);
      if (value != null) {
        defaults.put(key.name, value);
      }
    }
    return Map.copyOf(defaults);
  }

  private static @Nullable String inherited(ConfigKey key, List<Place> places) {
    List<NodeSynonym> synonyms = TopicConfigDefinitions.SYNONYMS.getOrDefault(key.name, List.of());
    for (Place place : places) {
      for (NodeSynonym synonym : synonyms) {
        String value = place.values().get(synonym.name());
        if (value != null) {
          return synonym.convert(value);
        }
      }
    }
    return ConfigDef.convertToString(key.defaultValue, key.type);
  }

  private static @Nullable String firstValue(String nodeConfig, List<Place> places) {
    for (Place place : places) {
      String value = place.values().get(nodeConfig);
      if (value != null) {
        return value;
      }
    }
    return null;
  }

  /** A node configuration and those that stand in for it, such as log.retention.hours. */
  private static List<String> synonymsOfNodeConfig(String name) {
    for (List<NodeSynonym> synonyms : TopicConfigDefinitions.SYNONYMS.values()) {
      if (synonyms.getFirst().name().equals(name)) {
        return synonyms.stream().map(NodeSynonym::name).toList();
      }
    }
    return List.of(name);
  }

  private static void addOverride(
      List<Synonym> synonyms,
      MetadataImage image,
      ConfigResource resource,
      ConfigKey key,
      ConfigSource source) {
    String override = image.overrides(resource).get(key.name);
    if (override != null) {
      synonyms.add(new Synonym(key.name, sensitive(key) ? null : override, source));
    }
  }

  private static void addPlaces(
      List<Synonym> synonyms, List<Place> places, List<String> names, boolean sensitive) {
    for (Place place : places) {
      for (String name : names) {
        String value = place.values().get(name);
        if (value != null) {
          synonyms.add(new Synonym(name, sensitive ? null : value, place.source()));
        }
      }
    }
  }

  private static EffectiveConfig describe(
      ConfigKey key, @Nullable String value, List<Synonym> synonyms, boolean readOnly) {
    return new EffectiveConfig(
        key.name,
        sensitive(key) ? null : value,
        synonyms.isEmpty() ? ConfigSource.DEFAULT_CONFIG : synonyms.getFirst().source(),
        List.copyOf(synonyms),
        readOnly,
        sensitive(key),
        key.type,
        key.documentation);
  }

  private static List<ConfigKey> visible(ConfigDef definitions) {
    return definitions.configKeys().values().stream()
        .filter(key -> !key.internalConfig)
        .sorted((a, b) -> a.name.compareTo(b.name))
        .toList();
  }

  private static boolean sensitive(ConfigKey key) {
    return key.type == ConfigDef.Type.PASSWORD;
  }
}
