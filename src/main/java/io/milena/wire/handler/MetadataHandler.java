package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * Metadata: nodes and partition leaders as the clients of one listener see them. Topics that are
 * asked for and are not there may be created.
 */
public final class MetadataHandler implements ApiHandler {

  /**
   * How long an answer waits for topics to be created before it says LEADER_NOT_AVAILABLE: most
   * clients then ask again after 100 ms, so that waiting saves them that.
   */
  static final long AUTO_CREATION_WAIT_MS = 1_000;

  /** In place of a node id: there is none. */
  private static final int NO_NODE = -1;

  private static final short FIRST_VERSION_WHERE_EMPTY_MEANS_NONE = 1;
  private static final short FIRST_VERSION_WITH_LISTENER_NOT_FOUND = 6;
  private static final short FIRST_VERSION_WITH_TOPIC_IDS = 12;

  private final MetadataService metadata;
  private final NodeIdentity node;
  private final TopicAutoCreation autoCreation;

  public MetadataHandler(
      MetadataService metadata, NodeIdentity node, TopicAutoCreation autoCreation) {
    this.metadata = metadata;
    this.node = node;
    this.autoCreation = autoCreation;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.METADATA;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 13;
  }

  /**
   * The node to which clients send what changes the cluster. Every node passes such commands on to
   * the metadata leader, so the nearest one will do: this one, once it serves.
   */
  static int controllerId(MetadataImage image, int nodeId, String listener) {
    if (PartitionDescription.endpoint(image.nodes().get(nodeId), listener) != null) {
      return nodeId;
    }
    for (NodeImage each : image.nodes().values()) {
      if (PartitionDescription.endpoint(each, listener) != null) {
        return each.id();
      }
    }
    return NO_NODE;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    MetadataRequestData request = (MetadataRequestData) message;
    short version = context.apiVersion();
    List<MetadataRequestTopic> topics = request.topics();
    if (topics == null || (topics.isEmpty() && version < FIRST_VERSION_WHERE_EMPTY_MEANS_NONE)) {
      return CompletableFuture.completedStage(everyTopic(context, request));
    }
    Set<String> names = new LinkedHashSet<>();
    Set<Uuid> ids = new LinkedHashSet<>();
    for (MetadataRequestTopic topic : topics) {
      if (!topic.topicId().equals(Uuid.ZERO_UUID)) {
        if (version < FIRST_VERSION_WITH_TOPIC_IDS) {
          return refused("Topic IDs are not supported for version " + version + ".");
        }
        ids.add(topic.topicId());
      } else if (topic.name() == null) {
        return refused("A topic has neither name nor id; give one of them.");
      } else {
        names.add(topic.name());
      }
    }
    Set<String> missing = missing(names);
    if (missing.isEmpty() || !request.allowAutoTopicCreation() || !autoCreation.enabled()) {
      return CompletableFuture.completedStage(answer(context, request, names, ids, Map.of()));
    }
    return Stages.within(
            context, AUTO_CREATION_WAIT_MS, autoCreation.create(missing), () -> inCreation(missing))
        .thenApply(created -> answer(context, request, names, ids, created));
  }

  private static CompletionStage<MetadataResponseData> refused(String reason) {
    return CompletableFuture.failedStage(new InvalidRequestException(reason));
  }

  private Set<String> missing(Set<String> names) {
    MetadataImage image = metadata.image();
    Set<String> missing = new LinkedHashSet<>();
    for (String name : names) {
      if (image.topic(name) == null && Topic.isValid(name)) {
        missing.add(name);
      }
    }
    return missing;
  }

  private static Map<String, Errors> inCreation(Set<String> names) {
    return names.stream().collect(Collectors.toMap(name -> name, _ -> Errors.LEADER_NOT_AVAILABLE));
  }

  private MetadataResponseData everyTopic(RequestContext context, MetadataRequestData request) {
    MetadataImage image = metadata.image();
    MetadataResponseData response = cluster(context, request, image);
    for (TopicImage topic : image.topicsByName().values()) {
      response.topics().add(describe(context, request, image, topic));
    }
    return response;
  }

  private MetadataResponseData answer(
      RequestContext context,
      MetadataRequestData request,
      Set<String> names,
      Set<Uuid> ids,
      Map<String, Errors> created) {
    MetadataImage image = metadata.image();
    MetadataResponseData response = cluster(context, request, image);
    Set<String> described = new LinkedHashSet<>();
    for (String name : names) {
      TopicImage topic = image.topic(name);
      if (topic == null) {
        response.topics().add(unknownName(request, name, created));
      } else if (described.add(name)) {
        response.topics().add(describe(context, request, image, topic));
      }
    }
    for (Uuid id : ids) {
      TopicImage topic = image.topic(id);
      if (topic == null) {
        response
            .topics()
            .add(
                new MetadataResponseTopic()
                    .setErrorCode(Errors.UNKNOWN_TOPIC_ID.code())
                    .setName(null)
                    .setTopicId(id));
      } else if (described.add(topic.name())) {
        response.topics().add(describe(context, request, image, topic));
      }
    }
    return response;
  }

  private MetadataResponseData cluster(
      RequestContext context, MetadataRequestData request, MetadataImage image) {
    String listener = context.listenerName();
    MetadataResponseData response =
        new MetadataResponseData()
            .setClusterId(image.clusterId().map(Uuid::toString).orElse(null))
            .setControllerId(controllerId(image, node.nodeId(), listener));
    if (request.includeClusterAuthorizedOperations()) {
      response.setClusterAuthorizedOperations(AuthorizedOperations.ON_CLUSTER);
    }
    for (NodeImage each : image.nodes().values()) {
      NodeImage.Endpoint endpoint = PartitionDescription.endpoint(each, listener);
      if (endpoint != null) {
        response
            .brokers()
            .add(
                new MetadataResponseBroker()
                    .setNodeId(each.id())
                    .setHost(endpoint.host())
                    .setPort(endpoint.port())
                    .setRack(each.rack().orElse(null)));
      }
    }
    return response;
  }

  private static MetadataResponseTopic unknownName(
      MetadataRequestData request, String name, Map<String, Errors> created) {
    Errors error =
        Topic.isValid(name)
            ? created.getOrDefault(name, Errors.UNKNOWN_TOPIC_OR_PARTITION)
            : Errors.INVALID_TOPIC_EXCEPTION;
    return new MetadataResponseTopic()
        // Created, and deleted again before this answer.
        .setErrorCode((error == Errors.NONE ? Errors.UNKNOWN_TOPIC_OR_PARTITION : error).code())
        .setName(name)
        .setIsInternal(Topic.isInternal(name))
        .setTopicAuthorizedOperations(topicOperations(request));
  }

  private static int topicOperations(MetadataRequestData request) {
    return request.includeTopicAuthorizedOperations()
        ? AuthorizedOperations.ON_TOPIC
        : AuthorizedOperations.NOT_ASKED;
  }

  private static MetadataResponseTopic describe(
      RequestContext context, MetadataRequestData request, MetadataImage image, TopicImage topic) {
    List<MetadataResponsePartition> partitions = new ArrayList<>(topic.partitions().size());
    for (PartitionImage partition : topic.partitions()) {
      partitions.add(describe(context, image, partition));
    }
    return new MetadataResponseTopic()
        .setName(topic.name())
        .setTopicId(topic.id())
        .setIsInternal(topic.internal())
        .setPartitions(partitions)
        .setTopicAuthorizedOperations(topicOperations(request));
  }

  private static MetadataResponsePartition describe(
      RequestContext context, MetadataImage image, PartitionImage partition) {
    PartitionDescription description =
        PartitionDescription.of(image, partition, context.listenerName());
    ReplicaSetImage set = description.set();
    Errors error = description.error();
    if (error == Errors.LISTENER_NOT_FOUND
        && context.apiVersion() < FIRST_VERSION_WITH_LISTENER_NOT_FOUND) {
      error = Errors.LEADER_NOT_AVAILABLE;
    }
    List<Integer> replicas = set.replicas();
    List<Integer> isr = set.isr();
    if (context.apiVersion() == 0 && !description.offlineReplicas().isEmpty()) {
      // The first version cannot say which replicas are offline, so it leaves them out.
      replicas = without(description.offlineReplicas(), replicas);
      isr = without(description.offlineReplicas(), isr);
      error = error == Errors.NONE ? Errors.REPLICA_NOT_AVAILABLE : error;
    }
    return new MetadataResponsePartition()
        .setErrorCode(error.code())
        .setPartitionIndex(partition.partition())
        .setLeaderId(description.leader())
        .setLeaderEpoch(set.leaderEpoch())
        .setReplicaNodes(replicas)
        .setIsrNodes(isr)
        .setOfflineReplicas(description.offlineReplicas());
  }

  private static List<Integer> without(List<Integer> offline, List<Integer> replicas) {
    return replicas.stream().filter(replica -> !offline.contains(replica)).toList();
  }
}
