package io.milena.wire.handler;

import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.MetadataImage;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The node that the handlers serve on.
 *
 * @param nodeId its id
 * @param staticConfig what its configuration file and command line say, under Kafka's names, {@code
 *     node.id} included
 */
public record NodeIdentity(int nodeId, Map<String, String> staticConfig) {

  public NodeIdentity {
    staticConfig = Map.copyOf(staticConfig);
    if (!Integer.toString(nodeId).equals(staticConfig.get("node.id"))) {
      throw new IllegalArgumentException(
          "node.id is " + staticConfig.get("node.id") + " in the configuration of node " + nodeId);
    }
  }

  /** Effective value of a node configuration; throws for one that has no value. */
  String config(MetadataImage image, String name) {
    @Nullable String value = EffectiveConfigs.effectiveNodeConfig(image, staticConfig).get(name);
    if (value == null) {
      throw new IllegalStateException("node configuration " + name + " has no value");
    }
    return value;
  }

  /** Effective value of a boolean node configuration. */
  boolean flag(MetadataImage image, String name) {
    return Boolean.parseBoolean(config(image, name).trim());
  }
}
