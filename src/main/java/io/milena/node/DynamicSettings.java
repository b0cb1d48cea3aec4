package io.milena.node;

import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.replication.actor.CleanerSettings;
import io.milena.wire.ConnectionLimits;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what AlterConfigs says of this node, or of all, to the parts that were given their
 * settings as they were made (KIP-226). Parts that read the image whenever they need a setting, and
 * the logs, which are told with their topics' settings, see to it themselves.
 */
final class DynamicSettings implements MetadataService.MetadataListener {

  private static final Logger LOG = LoggerFactory.getLogger(DynamicSettings.class);

  /** What settings can be changed of. */
  record Parts(
      Consumer<CleanerSettings> cleaner,
      IntConsumer recoveryThreads,
      Consumer<NodeSettings.Rates> rates,
      Consumer<ConnectionLimits> connections) {}

  private final Map<String, String> staticConfig;
  private final Parts parts;
  private final Executor io;
  private volatile Map<String, String> values;

  /**
   * @param staticConfig what the parts were made with, under Kafka's names; with {@code node.id}
   * @param io looks host names up, which may take long
   */
  DynamicSettings(Map<String, String> staticConfig, Parts parts, Executor io) {
    this.staticConfig = Map.copyOf(staticConfig);
    this.parts = parts;
    this.io = io;
    this.values = EffectiveConfigs.effectiveNodeConfig(MetadataImage.EMPTY, staticConfig);
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (delta.configs().stream().noneMatch(this::isAboutThisNode)) {
      return;
    }
    Map<String, String> newest = EffectiveConfigs.effectiveNodeConfig(image, staticConfig);
    if (newest.equals(values)) {
      return;
    }
    values = newest;
    try {
      parts.cleaner().accept(NodeSettings.cleaner(newest));
      parts.recoveryThreads().accept(NodeSettings.recoveryThreads(newest));
      parts.rates().accept(NodeSettings.rates(newest));
    } catch (RuntimeException defect) {
      LOG.error("settings of this node were changed and could not be applied:", defect);
    }
    io.execute(this::limitConnections);
  }

  /** One at a time, always with the newest values: an older lookup must not win. */
  private synchronized void limitConnections() {
    parts.connections().accept(NodeSettings.connections(values));
  }

  private boolean isAboutThisNode(ConfigResource resource) {
    return resource.type() == ConfigResource.Type.BROKER
        && (resource.name().isEmpty() || resource.name().equals(staticConfig.get("node.id")));
  }
}
