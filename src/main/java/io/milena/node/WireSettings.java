package io.milena.node;

import io.milena.wire.WireConfig;
import java.util.Map;

/** The settings of the Kafka listeners, from the node's configuration. */
final class WireSettings {

  private WireSettings() {}

  /**
   * @param values what holds on the node before anything dynamic, by Kafka's names
   */
  static WireConfig of(NodeConfig config, Map<String, String> values) {
    WireConfig defaults = WireConfig.defaults();
    try {
      return new WireConfig(
          config.kafkaInt("num.network.threads", defaults.networkThreads()),
          config.kafkaInt("socket.send.buffer.bytes", defaults.sendBufferBytes()),
          config.kafkaInt("socket.receive.buffer.bytes", defaults.receiveBufferBytes()),
          config.kafkaInt("socket.listen.backlog.size", defaults.backlog()),
          config.kafkaInt("socket.request.max.bytes", defaults.requestMaxBytes()),
          config.kafkaLong("queued.max.request.bytes", defaults.queuedRequestMaxBytes()),
          config.kafkaLong("connections.max.idle.ms", defaults.idleMaxMs()),
          NodeSettings.connections(values));
    } catch (IllegalArgumentException outOfRange) {
      throw StartupException.wrongConfiguration(
          String.valueOf(outOfRange.getMessage()), outOfRange);
    }
  }
}
