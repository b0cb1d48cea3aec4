package io.milena.metadata;

import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataCommand.ConfigChanges;
import io.milena.metadata.MetadataCommand.NewTopic;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** A metadata group of one without Raft: what is decided is applied at once, and checked. */
final class MetadataFixture {

  static final Uuid CLUSTER = new Uuid(7, 7);

  private MetadataImage image = MetadataImage.EMPTY;
  private long nextTopicId = 100;
  private long nextIncarnation = 1000;
  private DecisionContext context = context(Map.of());
  private List<MetadataRecord> lastRecords = List.of();

  MetadataFixture withNodeConfig(Map<String, String> nodeConfig) {
    context = context(nodeConfig);
    return this;
  }

  /** Nodes 0 to count - 1, registered and unfenced. */
  static MetadataFixture withNodes(int count) {
    MetadataFixture fixture = new MetadataFixture();
    for (int id = 0; id < count; id++) {
      fixture.start(id, Optional.empty());
    }
    return fixture;
  }

  MetadataImage image() {
    return image;
  }

  /** The records of the last decision. */
  List<MetadataRecord> lastRecords() {
    return lastRecords;
  }

  <R extends MetadataReply> R submit(MetadataCommand<R> command) {
    return apply(MetadataCore.decide(image, command, context));
  }

  /** Live replicas of a set have caught up. */
  void catchUp(ReplicaSetImage set, Integer... nodes) {
    Draft draft = new Draft(image);
    List<Integer> isr = new ArrayList<>(set.isr());
    List<Integer> elr = new ArrayList<>(set.elr());
    for (int node : nodes) {
      isr.add(node);
      elr.remove((Integer) node);
    }
    draft.add(
        new MetadataRecord.ReplicaSetChanged(
            new ReplicaSetImage(
                set.id(),
                set.replicas(),
                set.addingReplicas(),
                set.removingReplicas(),
                set.leader(),
                set.leaderEpoch(),
                isr,
                elr,
                List.of(),
                set.partitionEpoch() + 1,
                set.detached(),
                set.offline())));
    ReplicaSets.reviewEligibility(draft, context.nodeConfig());
    MetadataReply.Done _ =
        apply(
            SetReview.of(
                draft.decided(
                    new MetadataReply.Done(org.apache.kafka.common.protocol.Errors.NONE, "")),
                context));
  }

  @SuppressWarnings("unchecked")
  private <R extends MetadataReply> R apply(Decision<? extends MetadataReply> decision) {
    lastRecords = decision.records();
    if (!lastRecords.isEmpty()) {
      List<MetadataRecord> read =
          MetadataRecordCodec.decode(MetadataRecordCodec.encode(lastRecords));
      MetadataImage next = MetadataReplay.apply(image, image.appliedIndex() + 1, read).image();
      MetadataInvariants.check(next);
      MetadataInvariants.checkOrder(image, next);
      image = next;
    }
    return (R) decision.reply();
  }

  static MetadataCommand.RegisterNode registration(
      int id, Uuid incarnation, Optional<String> rack) {
    return registration(id, incarnation, rack, false);
  }

  static MetadataCommand.RegisterNode registration(
      int id, Uuid incarnation, Optional<String> rack, boolean recordsMayBeLost) {
    return new MetadataCommand.RegisterNode(
        id,
        incarnation,
        CLUSTER,
        List.of(new NodeImage.Endpoint("PLAINTEXT", "host" + id, 9092, "PLAINTEXT")),
        clusterAddress(id),
        rack,
        List.of(new Uuid(3, id)),
        recordsMayBeLost);
  }

  static NodeImage.ClusterAddress clusterAddress(int id) {
    return new NodeImage.ClusterAddress("host" + id, 19092);
  }

  long register(int id, Optional<String> rack) {
    return submit(registration(id, new Uuid(1, nextIncarnation++), rack)).nodeEpoch();
  }

  /** A node whose machine crashed is there again, fenced. */
  void registerAfterCrash(int id) {
    submit(registration(id, new Uuid(1, nextIncarnation++), Optional.empty(), true));
  }

  void start(int id, Optional<String> rack) {
    long nodeEpoch = register(id, rack);
    submit(new MetadataCommand.UnfenceNode(id, nodeEpoch));
  }

  MetadataReply.Done fence(int id) {
    return submit(new MetadataCommand.FenceNode(id, image.nodes().get(id).nodeEpoch()));
  }

  MetadataReply.Done unfence(int id) {
    return submit(new MetadataCommand.UnfenceNode(id, image.nodes().get(id).nodeEpoch()));
  }

  static NewTopic topic(String name, int partitions, int replicationFactor) {
    return new NewTopic(name, partitions, replicationFactor, Map.of(), Map.of(), false);
  }

  static NewTopic topic(String name, Map<Integer, List<Integer>> assignments) {
    return new NewTopic(name, -1, -1, assignments, Map.of(), false);
  }

  static NewTopic topic(String name, Map<String, String> configs, int partitions) {
    return new NewTopic(name, partitions, 1, Map.of(), configs, false);
  }

  MetadataReply.TopicCreated create(NewTopic topic) {
    return submit(new MetadataCommand.CreateTopics(List.of(topic), false)).topics().getFirst();
  }

  MetadataReply.ItemResult<ConfigResource> alter(ConfigResource resource, ConfigChange... changes) {
    return submit(
            new MetadataCommand.AlterConfigs(
                List.of(new ConfigChanges(resource, List.of(changes), false)), false))
        .results()
        .getFirst();
  }

  static ConfigChange set(String name, String value) {
    return new ConfigChange(name, ConfigChange.Operation.SET, Optional.of(value));
  }

  static ConfigResource topicResource(String name) {
    return new ConfigResource(ConfigResource.Type.TOPIC, name);
  }

  static ConfigResource nodeResource(String name) {
    return new ConfigResource(ConfigResource.Type.BROKER, name);
  }

  /** The replicas of each partition of a topic. */
  List<List<Integer>> replicasOf(String topic) {
    List<List<Integer>> replicas = new ArrayList<>();
    for (PartitionImage partition : image.topic(topic).partitions()) {
      replicas.add(image.replicaSetOf(partition).replicas());
    }
    return replicas;
  }

  ReplicaSetImage setOf(String topic, int partition) {
    return image.replicaSetOf(image.topic(topic).partitions().get(partition));
  }

  private DecisionContext context(Map<String, String> nodeConfig) {
    return new DecisionContext(nodeConfig, () -> new Uuid(9, nextTopicId++));
  }
}
