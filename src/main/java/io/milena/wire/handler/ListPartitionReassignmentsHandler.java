package io.milena.wire.handler;

import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataService;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingPartitionReassignment;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData.OngoingTopicReassignment;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** ListPartitionReassignments: which partitions are on their way, from the image (KIP-455). */
public final class ListPartitionReassignmentsHandler implements ApiHandler {

  private final MetadataService metadata;

  public ListPartitionReassignmentsHandler(MetadataService metadata) {
    this.metadata = metadata;
  }

  @Override
  public ApiKeys api() {
    return ApiKeys.LIST_PARTITION_REASSIGNMENTS;
  }

  @Override
  public short minVersion() {
    return 0;
  }

  @Override
  public short maxVersion() {
    return 0;
  }

  @Override
  public CompletionStage<? extends ApiMessage> handle(RequestContext context, ApiMessage message) {
    ListPartitionReassignmentsRequestData request = (ListPartitionReassignmentsRequestData) message;
    MetadataImage image = metadata.image();
    ListPartitionReassignmentsResponseData response = new ListPartitionReassignmentsResponseData();
    if (request.topics() == null) {
      for (TopicImage topic : new TreeMap<>(image.topicsByName()).values()) {
        add(response, topic.name(), underWay(image, topic.partitions()));
      }
    } else {
      for (ListPartitionReassignmentsTopics named : request.topics()) {
        TopicImage topic = image.topic(named.name());
        if (topic != null) {
          List<PartitionImage> partitions =
              named.partitionIndexes().stream()
                  .filter(index -> index >= 0 && index < topic.partitions().size())
                  .map(topic.partitions()::get)
                  .toList();
          add(response, topic.name(), underWay(image, partitions));
        }
      }
    }
    return CompletableFuture.completedStage(response);
  }

  private static void add(
      ListPartitionReassignmentsResponseData response,
      String topic,
      List<OngoingPartitionReassignment> partitions) {
    if (!partitions.isEmpty()) {
      response
          .topics()
          .add(new OngoingTopicReassignment().setName(topic).setPartitions(partitions));
    }
  }

  private static List<OngoingPartitionReassignment> underWay(
      MetadataImage image, List<PartitionImage> partitions) {
    List<OngoingPartitionReassignment> underWay = new ArrayList<>();
    for (PartitionImage partition : partitions) {
      ReplicaSetImage set = image.replicaSetOf(partition);
      if (set.isReassigning()) {
        underWay.add(
            new OngoingPartitionReassignment()
                .setPartitionIndex(partition.partition())
                .setReplicas(set.replicas())
                .setAddingReplicas(set.addingReplicas())
                .setRemovingReplicas(set.removingReplicas()));
      }
    }
    return underWay;
  }
}
