package io.milena.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.milena.metadata.MetadataCommand.ConfigChange;
import io.milena.metadata.MetadataCommand.MorePartitions;
import io.milena.metadata.MetadataCommand.TopicReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/**
 * Random commands: after each the fixture checks every invariant and that nothing goes backwards,
 * and this test that a snapshot gives the image back.
 */
class MetadataPropertyTest {

  private static final int SEEDS = 150;
  private static final int STEPS = 80;
  private static final int NODES = 5;

  @Test
  void randomCommandsKeepTheInvariantsAndSnapshotsRestoreTheImage() {
    for (long seed = 0; seed < SEEDS; seed++) {
      try {
        run(seed);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  private static void run(long seed) {
    Random random = new Random(seed);
    MetadataFixture group =
        new MetadataFixture()
            .withNodeConfig(Map.of("min.insync.replicas", "" + (1 + random.nextInt(3))));
    for (int step = 0; step < STEPS; step++) {
      MetadataImage before = group.image();
      if (random.nextInt(4) > 0 || !catchUp(random, group)) {
        group.submit(command(random, group));
      }
      if (!group.lastRecords().isEmpty()) {
        MetadataReplay.Applied again =
            MetadataReplay.apply(before, before.appliedIndex() + 1, group.lastRecords());
        assertThat(again.image()).isEqualTo(group.image());
        checkDelta(before, again);
      }
      if (random.nextInt(8) == 0) {
        MetadataImage image = group.image();
        byte[] snapshot = MetadataRecordCodec.encodeImage(image);
        MetadataImage restored = MetadataRecordCodec.decodeImage(snapshot);
        assertThat(restored).isEqualTo(image);
        assertThat(MetadataRecordCodec.encodeImage(restored)).isEqualTo(snapshot);
      }
    }
  }

  /** What the delta does not name did not change. */
  private static void checkDelta(MetadataImage before, MetadataReplay.Applied applied) {
    MetadataImage after = applied.image();
    MetadataDelta delta = applied.delta();
    assertThat(after.topicsById().minusAll(delta.topics()))
        .isEqualTo(before.topicsById().minusAll(delta.topics()));
    assertThat(after.replicaSets().minusAll(delta.replicaSets()))
        .isEqualTo(before.replicaSets().minusAll(delta.replicaSets()));
    assertThat(after.nodes().minusAll(delta.nodes()))
        .isEqualTo(before.nodes().minusAll(delta.nodes()));
    assertThat(after.configs().minusAll(delta.configs()))
        .isEqualTo(before.configs().minusAll(delta.configs()));
  }

  private static MetadataCommand<?> command(Random random, MetadataFixture group) {
    int node = random.nextInt(NODES);
    NodeImage known = group.image().nodes().get(node);
    String topic = "topic" + random.nextInt(6);
    return switch (random.nextInt(18)) {
      case 0 ->
          MetadataFixture.registration(
              node,
              new org.apache.kafka.common.Uuid(random.nextLong(), random.nextLong()),
              random.nextBoolean() ? Optional.of("rack" + node % 2) : Optional.empty(),
              random.nextInt(3) == 0);
      case 1, 2 -> new MetadataCommand.UnfenceNode(node, known == null ? 0 : known.nodeEpoch());
      case 3 -> new MetadataCommand.FenceNode(node, known == null ? 0 : known.nodeEpoch());
      case 4 ->
          new MetadataCommand.CreateTopics(
              List.of(MetadataFixture.topic(topic, 1 + random.nextInt(7), 1 + random.nextInt(4))),
              false);
      case 5 ->
          new MetadataCommand.CreateTopics(
              List.of(
                  MetadataFixture.topic(
                      topic, Map.of(0, List.of(node, (node + 1) % NODES, (node + 3) % NODES)))),
              random.nextInt(4) == 0);
      case 6 ->
          new MetadataCommand.DeleteTopics(
              List.of(new TopicReference(Optional.of(topic), Optional.empty())));
      case 7 ->
          new MetadataCommand.CreatePartitions(
              List.of(new MorePartitions(topic, 1 + random.nextInt(12), List.of())), false);
      case 8 -> alter(random, topic);
      case 10 ->
          new MetadataCommand.ElectLeaders(
              random.nextBoolean(),
              random.nextBoolean()
                  ? Optional.empty()
                  : Optional.of(List.of(new TopicPartition(topic, random.nextInt(4)))));
      case 9 -> reportOffline(random, group, node);
      case 13 -> new MetadataCommand.UnregisterNode(node);
      case 14 ->
          new MetadataCommand.UpdateFeatures(
              List.of(
                  new MetadataCommand.FeatureUpdate(
                      ClusterFeatures.ELIGIBLE_LEADER_REPLICAS,
                      (short) random.nextInt(3),
                      random.nextBoolean())),
              random.nextBoolean());
      case 11, 12 -> reassign(random, topic);
      case 15, 16 -> changeIsr(random, group);
      default ->
          new MetadataCommand.AllocateProducerIds(node, known == null ? 0 : known.nodeEpoch());
    };
  }

  private static MetadataCommand<?> reportOffline(Random random, MetadataFixture group, int node) {
    List<TopicPartitions> offline = new ArrayList<>();
    for (TopicImage topic :
        group.image().topicsById().values().stream()
            .sorted(Comparator.comparing(TopicImage::name))
            .toList()) {
      List<Integer> partitions =
          IntStream.range(-1, topic.partitions().size() + 1)
              .filter(_ -> random.nextInt(3) == 0)
              .boxed()
              .toList();
      offline.add(new TopicPartitions(topic.id(), partitions));
    }
    return new MetadataCommand.ReportOffline(node, epoch(group, node), offline);
  }

  /** As a leader would propose it, but for what is drawn wrong now and then. */
  private static MetadataCommand<?> changeIsr(Random random, MetadataFixture group) {
    int setId = random.nextInt(Math.max(1, group.image().nextReplicaSetId()));
    ReplicaSetImage set = group.image().replicaSets().get(setId);
    if (set == null) {
      return new MetadataCommand.ChangeInSyncReplicas(setId, 0, 0, 0, 0, List.of());
    }
    List<MetadataCommand.InSyncReplica> isr = new ArrayList<>();
    for (int replica : set.replicas()) {
      if (replica == set.leader() || random.nextBoolean()) {
        isr.add(new MetadataCommand.InSyncReplica(replica, epoch(group, replica)));
      }
    }
    return new MetadataCommand.ChangeInSyncReplicas(
        setId,
        set.leader(),
        epoch(group, set.leader()),
        set.leaderEpoch(),
        set.partitionEpoch() - (random.nextInt(8) == 0 ? 1 : 0),
        isr);
  }

  private static long epoch(MetadataFixture group, int node) {
    NodeImage known = group.image().nodes().get(node);
    return known == null ? 0 : known.nodeEpoch();
  }

  private static MetadataCommand<?> reassign(Random random, String topic) {
    List<Integer> nodes = new ArrayList<>(IntStream.range(0, NODES).boxed().toList());
    Collections.shuffle(nodes, random);
    List<Integer> target = nodes.subList(0, 1 + random.nextInt(3));
    Optional<List<Integer>> wanted =
        random.nextInt(4) == 0 ? Optional.empty() : Optional.of(target);
    List<MetadataCommand.Reassignment> partitions = new ArrayList<>();
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      partitions.add(new MetadataCommand.Reassignment(new TopicPartition(topic, i), wanted));
    }
    return new MetadataCommand.AlterReassignments(partitions, random.nextInt(3) > 0);
  }

  /** Live replicas of some set have caught up; false if none lacked anything. */
  private static boolean catchUp(Random random, MetadataFixture group) {
    List<ReplicaSetImage> sets =
        group.image().replicaSets().values().stream()
            .filter(set -> set.leader() != ReplicaSetImage.NO_LEADER)
            .sorted(Comparator.comparingInt(ReplicaSetImage::id))
            .toList();
    if (sets.isEmpty()) {
      return false;
    }
    ReplicaSetImage set = sets.get(random.nextInt(sets.size()));
    Integer[] late =
        set.replicas().stream()
            .filter(node -> !set.isr().contains(node) && !set.offline().contains(node))
            .filter(node -> ReplicaSets.canLead(group.image(), node))
            .filter(_ -> random.nextInt(3) > 0)
            .toArray(Integer[]::new);
    if (late.length > 0) {
      group.catchUp(set, late);
    }
    return late.length > 0;
  }

  private static MetadataCommand<?> alter(Random random, String topic) {
    boolean ofTopic = random.nextBoolean();
    ConfigResource resource =
        ofTopic ? MetadataFixture.topicResource(topic) : MetadataFixture.nodeResource("");
    ConfigChange change =
        random.nextInt(3) == 0
            ? new ConfigChange(
                "min.insync.replicas", ConfigChange.Operation.DELETE, Optional.empty())
            : random.nextInt(3) == 0
                ? MetadataFixture.set("unclean.leader.election.enable", "" + random.nextBoolean())
                : MetadataFixture.set("min.insync.replicas", "" + (1 + random.nextInt(3)));
    return new MetadataCommand.AlterConfigs(
        List.of(new MetadataCommand.ConfigChanges(resource, List.of(change), false)), false);
  }
}
