package io.milena.wire.handler;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply.TopicCreated;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;

/**
 * Creates topics because somebody asked about them: with the cluster's defaults, and the cluster's
 * own topics as it needs them. Any thread may call it; a topic that is being created is asked for
 * once.
 */
public final class TopicAutoCreation {

  /** Topics in creation at a time; beyond that a client is told to ask again. */
  static final int IN_CREATION_COUNT_MAX = 1_000;

  private static final int CLUSTER_DEFAULT = -1;

  private final MetadataService metadata;
  private final NodeIdentity node;
  private final Map<String, CompletableFuture<Errors>> inCreation = new ConcurrentHashMap<>();

  public TopicAutoCreation(MetadataService metadata, NodeIdentity node) {
    this.metadata = metadata;
    this.node = node;
  }

  /** Whether the node creates what clients ask about: {@code auto.create.topics.enable}. */
  public boolean enabled() {
    return node.flag(metadata.image(), "auto.create.topics.enable");
  }

  /**
   * Creates those of the topics that are not there, whatever {@link #enabled()} says.
   *
   * @return for each name NONE once it is there and in this node's image; LEADER_NOT_AVAILABLE when
   *     it may come to be and the client shall ask again; otherwise why it cannot be created. Never
   *     fails.
   */
  public CompletionStage<Map<String, Errors>> create(Collection<String> names) {
    MetadataImage image = metadata.image();
    Map<String, CompletableFuture<Errors>> outcomes = new HashMap<>();
    List<NewTopic> asked = new ArrayList<>();
    Map<String, CompletableFuture<Errors>> askedOutcomes = new HashMap<>();
    for (String name : names) {
      if (!Topic.isValid(name) || name.equals(Topic.CLUSTER_METADATA_TOPIC_NAME)) {
        outcomes.put(name, CompletableFuture.completedFuture(Errors.INVALID_TOPIC_EXCEPTION));
        continue;
      }
      CompletableFuture<Errors> mine = new CompletableFuture<>();
      CompletableFuture<Errors> earlier = inCreation.putIfAbsent(name, mine);
      outcomes.put(name, earlier == null ? mine : earlier);
      if (earlier == null) {
        askedOutcomes.put(name, mine);
        asked.add(newTopic(image, name));
      }
    }
    if (inCreation.size() > IN_CREATION_COUNT_MAX) {
      askedOutcomes.forEach((name, mine) -> settle(name, mine, Errors.LEADER_NOT_AVAILABLE));
    } else if (!asked.isEmpty()) {
      submit(asked, askedOutcomes);
    }
    return CompletableFuture.allOf(outcomes.values().toArray(CompletableFuture[]::new))
        .thenApply(_ -> {
          Map<String, Errors> errors = new HashMap<>();
          outcomes.forEach((name, outcome) -> errors.put(name, outcome.join()));
          return errors;
        });
  }

  private void submit(List<NewTopic> asked, Map<String, CompletableFuture<Errors>> outcomes) {
    metadata
        .submit(new MetadataCommand.CreateTopics(asked, false))
        .whenComplete((reply, failure) -> {
          if (failure == null) {
            for (TopicCreated topic : reply.topics()) {
              CompletableFuture<Errors> outcome = outcomes.get(topic.name());
              if (outcome != null) {
                settle(topic.name(), outcome, clientError(topic.error()));
              }
            }
          }
          outcomes.forEach((name, outcome) -> settle(name, outcome, Errors.LEADER_NOT_AVAILABLE));
        });
  }

  private void settle(String name, CompletableFuture<Errors> outcome, Errors error) {
    if (!outcome.isDone()) {
      inCreation.remove(name, outcome);
      outcome.complete(error);
    }
  }

  private static Errors clientError(Errors error) {
    return switch (error) {
      case NONE, TOPIC_ALREADY_EXISTS -> Errors.NONE;
      case INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR, POLICY_VIOLATION -> error;
      // Whatever else it was, the next attempt may succeed.
      default -> Errors.LEADER_NOT_AVAILABLE;
    };
  }

  private NewTopic newTopic(MetadataImage image, String name) {
    return switch (name) {
      case Topic.GROUP_METADATA_TOPIC_NAME ->
          ownTopic(
              image,
              name,
              "offsets.topic",
              Map.of(
                  TopicConfig.CLEANUP_POLICY_CONFIG,
                  TopicConfig.CLEANUP_POLICY_COMPACT,
                  TopicConfig.COMPRESSION_TYPE_CONFIG,
                  "producer",
                  TopicConfig.SEGMENT_BYTES_CONFIG,
                  node.config(image, "offsets.topic.segment.bytes")));
      case Topic.TRANSACTION_STATE_TOPIC_NAME ->
          ownTopic(
              image,
              name,
              "transaction.state.log",
              Map.of(
                  TopicConfig.CLEANUP_POLICY_CONFIG,
                  TopicConfig.CLEANUP_POLICY_COMPACT,
                  TopicConfig.COMPRESSION_TYPE_CONFIG,
                  "uncompressed",
                  TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG,
                  "false",
                  TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
                  node.config(image, "transaction.state.log.min.isr"),
                  TopicConfig.SEGMENT_BYTES_CONFIG,
                  node.config(image, "transaction.state.log.segment.bytes")));
      default ->
          new NewTopic(
              name, CLUSTER_DEFAULT, CLUSTER_DEFAULT, Map.of(), Map.of(), Topic.isInternal(name));
    };
  }

  /** With fewer replicas where there are fewer nodes: a small cluster works too. */
  private NewTopic ownTopic(
      MetadataImage image, String name, String prefix, Map<String, String> configs) {
    int nodeCount = 0;
    for (NodeImage each : image.nodes().values()) {
      nodeCount += each.fenced() ? 0 : 1;
    }
    int replicationFactor = Integer.parseInt(node.config(image, prefix + ".replication.factor"));
    return new NewTopic(
        name,
        Integer.parseInt(node.config(image, prefix + ".num.partitions")),
        Math.clamp(nodeCount, 1, replicationFactor),
        Map.of(),
        configs,
        true);
  }
}
