package io.milena.metadata;

import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;

/**
 * The configurations of a consumer group (KIP-848). The node's {@code group.consumer.*} gives the
 * defaults, and {@code group.consumer.min.*} and {@code group.consumer.max.*} the limits.
 */
final class GroupConfigDefinitions {

  static final ConfigDef DEFINITIONS =
      new ConfigDef()
          .define(
              "consumer.session.timeout.ms",
              ConfigDef.Type.INT,
              45_000,
              atLeast(1),
              Importance.MEDIUM,
              "Silence after which a member is removed.")
          .define(
              "consumer.heartbeat.interval.ms",
              ConfigDef.Type.INT,
              5000,
              atLeast(1),
              Importance.MEDIUM,
              "Time between the heartbeats of a member.")
          .define(
              "consumer.assignment.interval.ms",
              ConfigDef.Type.INT,
              1000,
              atLeast(0),
              Importance.MEDIUM,
              "Least time between two assignments.");

  private GroupConfigDefinitions() {}

  /** The node configuration that a group configuration overrides. */
  static String nodeSynonym(String groupConfig) {
    return "group." + groupConfig;
  }

  /**
   * The node configuration that limits a group configuration.
   *
   * @param bound {@code min} or {@code max}
   */
  static String nodeLimit(String groupConfig, String bound) {
    int dot = groupConfig.indexOf('.');
    return "group." + groupConfig.substring(0, dot) + "." + bound + groupConfig.substring(dot);
  }
}
