package io.milena.metadata;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * What a decision may depend on besides the image and the command.
 *
 * @param nodeConfig the deciding node's configuration file, under Kafka's names: for {@code
 *     num.partitions} and the like
 * @param topicIds gives random ids for new topics
 */
public record DecisionContext(Map<String, String> nodeConfig, Supplier<Uuid> topicIds) {

  public DecisionContext {
    nodeConfig = Map.copyOf(nodeConfig);
  }
}
