package io.milena.group.actor;

import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataDelta;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.MetadataReply;
import io.milena.metadata.MetadataService;
import io.milena.metadata.NodeImage;
import io.milena.metadata.NodeImage.Endpoint;
import io.milena.metadata.PartitionImage;
import io.milena.metadata.ReplicaSetImage;
import io.milena.metadata.TopicImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.pcollections.HashTreePMap;
import org.pcollections.TreePVector;

/** The metadata of one node with id 1 that leads everything, decided at once. */
public final class FakeMetadata implements MetadataService {

  public static final int NODE_ID = 1;

  private final List<MetadataListener> listeners = new CopyOnWriteArrayList<>();
  private final List<MetadataCommand<?>> commands = new CopyOnWriteArrayList<>();
  private volatile MetadataImage image;

  public FakeMetadata() {
    NodeImage node =
        new NodeImage(
            NODE_ID,
            Uuid.randomUuid(),
            1,
            List.of(new Endpoint("PLAINTEXT", "broker.example", 9092, "PLAINTEXT")),
            new NodeImage.ClusterAddress("broker.example", 19092),
            Optional.empty(),
            List.of(),
            false,
            false);
    MetadataImage empty = MetadataImage.EMPTY;
    image =
        new MetadataImage(
            1,
            Optional.of(Uuid.randomUuid()),
            HashTreePMap.singleton(NODE_ID, node),
            empty.topicsByName(),
            empty.topicsById(),
            HashTreePMap.singleton(0, set(NODE_ID, 0)),
            empty.configs(),
            empty.features(),
            0,
            1,
            2);
  }

  private static ReplicaSetImage set(int leader, int epoch) {
    return new ReplicaSetImage(
        0,
        List.of(NODE_ID),
        List.of(),
        List.of(),
        leader,
        epoch,
        List.of(NODE_ID),
        List.of(),
        List.of(),
        0,
        false);
  }

  public TopicImage createTopic(String name, int partitionCount) {
    List<PartitionImage> partitions = new ArrayList<>();
    for (int i = 0; i < partitionCount; i++) {
      partitions.add(new PartitionImage(i, 0));
    }
    TopicImage topic = new TopicImage(name, Uuid.randomUuid(), TreePVector.from(partitions), false);
    MetadataImage it = image;
    publish(
        topic.id(),
        new MetadataImage(
            it.appliedIndex() + 1,
            it.clusterId(),
            it.nodes(),
            it.topicsByName().plus(name, topic),
            it.topicsById().plus(topic.id(), topic),
            it.replicaSets(),
            it.configs(),
            it.features(),
            0,
            1,
            2));
    return topic;
  }

  void deleteTopic(String name) {
    MetadataImage it = image;
    TopicImage topic = it.topic(name);
    publish(
        topic.id(),
        new MetadataImage(
            it.appliedIndex() + 1,
            it.clusterId(),
            it.nodes(),
            it.topicsByName().minus(name),
            it.topicsById().minus(topic.id()),
            it.replicaSets(),
            it.configs(),
            it.features(),
            0,
            1,
            2));
  }

  private void publish(Uuid topicId, MetadataImage newer) {
    image = newer;
    MetadataDelta delta = new MetadataDelta(Set.of(topicId), Set.of(), Set.of(), Set.of());
    listeners.forEach(listener -> listener.onImage(delta, newer));
  }

  List<MetadataCommand<?>> commands() {
    return commands;
  }

  @Override
  public MetadataImage image() {
    return image;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <R extends MetadataReply> CompletionStage<R> submit(MetadataCommand<R> command) {
    commands.add(command);
    if (!(command instanceof MetadataCommand.CreateTopics create)) {
      throw new UnsupportedOperationException(command.toString());
    }
    MetadataCommand.NewTopic topic = create.topics().getFirst();
    TopicImage created = createTopic(topic.name(), topic.partitionCount());
    return CompletableFuture.completedFuture(
        (R)
            new MetadataReply.TopicsCreated(
                List.of(
                    new MetadataReply.TopicCreated(
                        topic.name(),
                        Errors.NONE,
                        "",
                        Optional.of(created.id()),
                        topic.partitionCount(),
                        topic.replicationFactor()))));
  }

  @Override
  public void subscribe(MetadataListener listener) {
    listeners.add(listener);
  }
}
