package io.milena.wire.handler;

import io.milena.metadata.EffectiveConfig;
import io.milena.metadata.EffectiveConfigs;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataCommand.NewTopic;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply.TopicCreated;
import io.milena.metadata.MetadataService;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.pcollections.HashTreePMap;

/** CreateTopics: the metadata group decides each topic for itself (KIP-4, KIP-525). */
public final class CreateTopicsHandler implements ApiHandler {

  private final MetadataService metadata;
  private final NodeIdentity node;

  public CreateTopicsHandler(MetadataService metadata, NodeIdentity node) {
    this.metadata = metadata;
    this.node = node;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.CREATE_TOPICS;
  }

  @Override
  public short minVersion() {
    return 2;
  }

  @Override
  public short maxVersion() {
    return 7;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    CreateTopicsRequestData request = (CreateTopicsRequestData) message;
    Map<String, CreatableTopicResult> results = new LinkedHashMap<>();
    List<NewTopic> asked = translate(request, results);
    if (asked.isEmpty()) {
      return CompletableFuture.completedStage(response(results));
    }
    BiFunction<Errors, String, CreateTopicsResponseData> allRefused =
        (error, reason) -> {
          Map<String, CreatableTopicResult> refused = new LinkedHashMap<>(results);
          asked.forEach(topic -> refused.put(topic.name(), refusal(topic.name(), error, reason)));
          return response(refused);
        };
    if (request.timeoutMs() <= 0) {
      // As Kafka: nothing can be decided in no time, so nothing is done.
      return CompletableFuture.completedStage(
          allRefused.apply(
              Errors.REQUEST_TIMED_OUT,
              "A timeout of " + request.timeoutMs() + " ms leaves no time: nothing was created."));
    }
    CompletionStage<CreateTopicsResponseData> decided =
        metadata
            .submit(new MetadataCommand.CreateTopics(asked, request.validateOnly()))
            .handle((reply, failure) -> {
              if (failure != null) {
                return allRefused.apply(Stages.errorOf(failure), Stages.reasonOf(failure));
              }
              Map<String, CreatableTopicResult> all = new LinkedHashMap<>(results);
              for (int i = 0; i < asked.size(); i++) {
                TopicCreated created = reply.topics().get(i);
                all.put(created.name(), result(asked.get(i), created));
              }
              return response(all);
            });
    return Stages.within(
        context,
        request.timeoutMs(),
        decided,
        () -> allRefused.apply(Errors.REQUEST_TIMED_OUT, Stages.TIMED_OUT));
  }

  /** The topics as the metadata group takes them; those that it cannot be asked for as results. */
  private static List<NewTopic> translate(
      CreateTopicsRequestData request, Map<String, CreatableTopicResult> refused) {
    Set<String> seen = new HashSet<>();
    Set<String> repeated = new HashSet<>();
    for (CreatableTopic topic : request.topics()) {
      if (!seen.add(topic.name())) {
        repeated.add(topic.name());
      }
    }
    List<NewTopic> asked = new ArrayList<>();
    for (CreatableTopic topic : request.topics()) {
      String name = topic.name();
      if (repeated.contains(name)) {
        refused.put(name, refusal(name, Errors.INVALID_REQUEST, "Duplicate topic name."));
        continue;
      }
      Map<Integer, List<Integer>> assignments = new HashMap<>();
      Map<String, String> configs = new HashMap<>();
      Optional<CreatableTopicResult> refusal =
          translateAssignments(topic, assignments).or(() -> translateConfigs(topic, configs));
      if (refusal.isPresent()) {
        refused.put(name, refusal.get());
      } else {
        asked.add(
            new NewTopic(
                name,
                topic.numPartitions(),
                topic.replicationFactor(),
                assignments,
                configs,
                Topic.isInternal(name)));
      }
    }
    return asked;
  }

  private static Optional<CreatableTopicResult> translateAssignments(
      CreatableTopic topic, Map<Integer, List<Integer>> assignments) {
    for (CreatableReplicaAssignment assignment : topic.assignments()) {
      int partition = assignment.partitionIndex();
      if (assignments.put(partition, List.copyOf(assignment.brokerIds())) != null) {
        return Optional.of(
            refusal(
                topic.name(),
                Errors.INVALID_REPLICA_ASSIGNMENT,
                "Found multiple manual partition assignments for partition " + partition));
      }
    }
    return Optional.empty();
  }

  private static Optional<CreatableTopicResult> translateConfigs(
      CreatableTopic topic, Map<String, String> configs) {
    for (CreatableTopicConfig config : topic.configs()) {
      if (config.value() == null) {
        return Optional.of(
            refusal(
                topic.name(),
                Errors.INVALID_CONFIG,
                "Null value not supported for topic configs: " + config.name()));
      }
      configs.put(config.name(), config.value());
    }
    return Optional.empty();
  }

  private static CreateTopicsResponseData response(Map<String, CreatableTopicResult> results) {
    CreateTopicsResponseData response = new CreateTopicsResponseData();
    results.values().forEach(response.topics()::add);
    return response;
  }

  private static CreatableTopicResult refusal(String name, Errors error, String reason) {
    return new CreatableTopicResult()
        .setName(name)
        .setErrorCode(error.code())
        .setErrorMessage(Stages.messageOf(error, reason));
  }

  private CreatableTopicResult result(NewTopic asked, TopicCreated created) {
    if (created.error() != Errors.NONE) {
      return refusal(created.name(), created.error(), created.message());
    }
    return new CreatableTopicResult()
        .setName(created.name())
        .setErrorMessage(null)
        .setTopicId(created.topicId().orElse(Uuid.ZERO_UUID))
        .setNumPartitions(created.partitionCount())
        .setReplicationFactor((short) created.replicationFactor())
        .setConfigs(configs(asked));
  }

  /** Of the topic as it was asked for: with {@code validateOnly} the image does not have it. */
  private List<CreatableTopicConfigs> configs(NewTopic asked) {
    MetadataImage image = metadata.image();
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, asked.name());
    MetadataImage withTopic =
        new MetadataImage(
            image.appliedIndex(),
            image.clusterId(),
            image.nodes(),
            image.topicsByName(),
            image.topicsById(),
            image.replicaSets(),
            image.configs().plus(resource, HashTreePMap.from(asked.configs())),
            image.features(),
            image.nextProducerId(),
            image.nextReplicaSetId(),
            image.nextNodeEpoch());
    List<CreatableTopicConfigs> configs = new ArrayList<>();
    for (EffectiveConfig config :
        EffectiveConfigs.describeTopic(withTopic, node.staticConfig(), asked.name())) {
      configs.add(
          new CreatableTopicConfigs()
              .setName(config.name())
              .setValue(config.value())
              .setReadOnly(config.readOnly())
              .setConfigSource(config.source().id())
              .setIsSensitive(config.sensitive()));
    }
    return configs;
  }
}
