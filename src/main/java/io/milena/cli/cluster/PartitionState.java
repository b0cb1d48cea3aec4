package io.milena.cli.cluster;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.jspecify.annotations.Nullable;

/**
 * One partition as the cluster describes it.
 *
 * @param leader node id, {@link #NO_LEADER} for none
 * @param replicas node ids, the preferred leader first
 * @param inSync node ids of the in-sync replicas
 * @param eligible node ids of further replicas that hold all committed records (ELR, KIP-966)
 */
record PartitionState(
    String topic,
    int partition,
    int leader,
    List<Integer> replicas,
    List<Integer> inSync,
    List<Integer> eligible) {

  static final int NO_LEADER = -1;

  PartitionState {
    replicas = List.copyOf(replicas);
    inSync = List.copyOf(inSync);
    eligible = List.copyOf(eligible);
  }

  static PartitionState of(String topic, TopicPartitionInfo info) {
    Node leader = info.leader();
    return new PartitionState(
        topic,
        info.partition(),
        leader == null || leader.isEmpty() ? NO_LEADER : leader.id(),
        ids(info.replicas()),
        ids(info.isr()),
        ids(info.elr()));
  }

  private static List<Integer> ids(@Nullable List<Node> nodes) {
    return Stream.ofNullable(nodes)
        .flatMap(List::stream)
        .filter(Objects::nonNull)
        .map(Node::id)
        .toList();
  }

  boolean hasLeader() {
    return leader != NO_LEADER;
  }

  /** Replicas that are not in sync. */
  List<Integer> missing() {
    return replicas.stream().filter(node -> !inSync.contains(node)).toList();
  }
}
