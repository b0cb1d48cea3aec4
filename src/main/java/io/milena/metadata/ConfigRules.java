package io.milena.metadata;

import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataCommand.ConfigChanges;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The rules of overrides: of topics, of one node or all, and of consumer groups. */
final class ConfigRules {

  private ConfigRules() {}

  static Decision<MetadataReply.ItemResults<ConfigResource>> alter(
      MetadataImage image, MetadataCommand.AlterConfigs command, DecisionContext context) {
    Draft draft = new Draft(image);
    Set<ConfigResource> seen = new HashSet<>();
    Set<ConfigResource> twice = new HashSet<>();
    for (ConfigChanges changes : command.resources()) {
      if (!seen.add(changes.resource())) {
        twice.add(changes.resource());
      }
    }
    List<MetadataReply.ItemResult<ConfigResource>> results = new ArrayList<>();
    for (ConfigChanges changes : command.resources()) {
      ConfigResource resource = changes.resource();
      try {
        if (twice.contains(resource)) {
          throw new Refusal(
              Errors.INVALID_REQUEST,
              "Each resource must appear at most once; " + resource + " appears more often.");
        }
        alterOne(draft, changes, context);
        results.add(new MetadataReply.ItemResult<>(resource, Errors.NONE, ""));
      } catch (Refusal refusal) {
        results.add(new MetadataReply.ItemResult<>(resource, refusal.error(), refusal.reason()));
      }
    }
    if (!draft.image().configs().equals(image.configs())) {
      ReplicaSets.reviewEligibility(draft, context.nodeConfig());
    }
    Draft outcome = command.validateOnly() ? new Draft(image) : draft;
    return outcome.decided(new MetadataReply.ItemResults<>(results));
  }

  private static void alterOne(Draft draft, ConfigChanges changes, DecisionContext context) {
    ConfigResource resource = changes.resource();
    checkResource(draft.image(), resource);
    Map<String, String> before = draft.image().overrides(resource);
    Map<String, String> after = changes.replaceAll() ? new HashMap<>() : new HashMap<>(before);
    Set<String> seen = new HashSet<>();
    for (ConfigChange change : changes.changes()) {
      if (!seen.add(change.name())) {
        throw new Refusal(
            Errors.INVALID_REQUEST,
            "Config " + change.name() + " appears more than once for " + resource + ".");
      }
      applyChange(draft.image(), resource, change, before, after, context);
    }
    validate(draft.image(), resource, after, context);
    Map<String, Optional<String>> difference = difference(before, after);
    if (!difference.isEmpty()) {
      draft.add(new MetadataRecord.ConfigsChanged(resource, difference));
    }
  }

  private static void checkResource(MetadataImage image, ConfigResource resource) {
    String name = resource.name();
    switch (resource.type()) {
      case TOPIC -> {
        try {
          Topic.validate(name);
        } catch (InvalidTopicException e) {
          throw new Refusal(Errors.INVALID_TOPIC_EXCEPTION, String.valueOf(e.getMessage()));
        }
        if (image.topic(name) == null) {
          throw new Refusal(
              Errors.UNKNOWN_TOPIC_OR_PARTITION, "The topic '" + name + "' does not exist.");
        }
      }
      case BROKER -> {
        if (!name.isEmpty()) {
          checkNode(image, name);
        }
      }
      case GROUP -> {
        if (name.isEmpty()) {
          throw new Refusal(
              Errors.INVALID_REQUEST, "Default group resources are not allowed: name a group.");
        }
      }
      case BROKER_LOGGER, CLIENT_METRICS, UNKNOWN ->
          throw new Refusal(
              Errors.INVALID_REQUEST, "Unsupported config resource type " + resource.type() + ".");
    }
  }

  private static void checkNode(MetadataImage image, String name) {
    int nodeId;
    try {
      nodeId = Integer.parseInt(name);
    } catch (NumberFormatException e) {
      throw new Refusal(Errors.INVALID_REQUEST, "Node id must be an integer, but it is: " + name);
    }
    if (!image.nodes().containsKey(nodeId)) {
      throw new Refusal(Errors.BROKER_ID_NOT_REGISTERED, "No node with id " + nodeId + " found.");
    }
  }

  private static void applyChange(
      MetadataImage image,
      ConfigResource resource,
      ConfigChange change,
      Map<String, String> before,
      Map<String, String> after,
      DecisionContext context) {
    String name = change.name();
    if (name.isEmpty()) {
      throw new Refusal(Errors.INVALID_REQUEST, "Empty config name for " + resource + ".");
    }
    switch (change.operation()) {
      case SET -> after.put(name, required(change));
      case DELETE -> after.remove(name);
      case APPEND -> {
        List<String> values = currentList(image, resource, name, before, context, change);
        for (String value : items(required(change))) {
          if (!values.contains(value)) {
            values.add(value);
          }
        }
        after.put(name, String.join(",", values));
      }
      case SUBTRACT -> {
        List<String> values = currentList(image, resource, name, before, context, change);
        values.removeAll(items(required(change)));
        after.put(name, String.join(",", values));
      }
    }
  }

  private static String required(ConfigChange change) {
    return change
        .value()
        .orElseThrow(() ->
            new Refusal(
                Errors.INVALID_REQUEST,
                "Null value not supported for " + change.operation() + " of " + change.name()));
  }

  /** What APPEND and SUBTRACT start from: the override, or the value that holds without one. */
  private static List<String> currentList(
      MetadataImage image,
      ConfigResource resource,
      String name,
      Map<String, String> before,
      DecisionContext context,
      ConfigChange change) {
    ConfigKey key = ConfigDefinitions.definition(resource.type(), name);
    if (key == null || key.type != ConfigDef.Type.LIST) {
      throw new Refusal(
          Errors.INVALID_CONFIG,
          "Can't " + change.operation() + " to key " + name + " because its type is not LIST.");
    }
    @Nullable String current = before.get(name);
    if (current == null) {
      current =
          resource.type() == ConfigResource.Type.TOPIC
              ? EffectiveConfigs.effectiveTopicValue(
                  image, context.nodeConfig(), resource.name(), name)
              : EffectiveConfigs.effectiveNodeConfig(image, context.nodeConfig()).get(name);
    }
    return new ArrayList<>(items(current == null ? "" : current));
  }

  private static List<String> items(String value) {
    List<String> items = new ArrayList<>();
    for (String item : value.split(",", -1)) {
      if (!item.isBlank()) {
        items.add(item.trim());
      }
    }
    return items;
  }

  private static void validate(
      MetadataImage image,
      ConfigResource resource,
      Map<String, String> overrides,
      DecisionContext context) {
    try {
      switch (resource.type()) {
        case TOPIC -> ConfigDefinitions.validateTopic(overrides);
        case BROKER -> ConfigDefinitions.validateNode(overrides);
        case GROUP ->
            ConfigDefinitions.validateGroup(
                overrides, EffectiveConfigs.effectiveNodeConfig(image, context.nodeConfig()));
        case BROKER_LOGGER, CLIENT_METRICS, UNKNOWN ->
            throw new IllegalStateException("checked before: " + resource);
      }
    } catch (ConfigException e) {
      throw new Refusal(Errors.INVALID_CONFIG, String.valueOf(e.getMessage()));
    }
  }

  private static Map<String, Optional<String>> difference(
      Map<String, String> before, Map<String, String> after) {
    Map<String, Optional<String>> difference = new HashMap<>();
    after.forEach((name, value) -> {
      if (!value.equals(before.get(name))) {
        difference.put(name, Optional.of(value));
      }
    });
    for (String name : before.keySet()) {
      if (!after.containsKey(name)) {
        difference.put(name, Optional.empty());
      }
    }
    return difference;
  }
}
